"""Features with known classes in them."""

import numpy as np


def blobs(n=300, classes=3, features=8, spread=1.5, seed=0, uneven=True):
    """Standardised features (n, F) float32 and labels (n,), classes around centres of their own, on uneven axes."""
    random = np.random.default_rng([seed, 0])
    centres = np.random.default_rng([99, 0]).standard_normal((classes, features))
    labels = random.integers(0, classes, n)
    found = centres[labels] + spread * random.standard_normal((n, features))
    if uneven:
        found = found @ np.random.default_rng([99, 1]).standard_normal((features, features))
    return ((found - found.mean(axis=0)) / found.std(axis=0)).astype(np.float32), labels
