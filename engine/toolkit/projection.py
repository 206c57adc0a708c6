"""Many numbers a point become two, so that points that are alike lie near each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
FEW_POINTS = 30  # with fewer, neighbourhoods say nothing that PCA doesn't
COMPONENTS = 50  # before t-SNE and UMAP, which find neighbours: the rest is mostly noise
PERPLEXITY, NEIGHBOURS, TRUST_NEIGHBOURS = 20.0, 15, 5


@dataclass(frozen=True)
class Projection:
    """Places (M, 2) float32, the method that was used (PCA where points are few or alike), and how far to trust it.

    `trustworthiness` in [0, 1]: 1 where whoever is near in the plane is near in fact (Venna and Kaski 2001, 5
    neighbours); NaN with too few points to tell.
    """

    place: np.ndarray
    method: str
    trustworthiness: float


def projected(vectors: np.ndarray, method: str, seed: int = 0) -> Projection:
    """The points (M, D) in the plane by `pca`, `tsne` or `umap`; the same for the same seed."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    reduced = principal(vectors, COMPONENTS)
    # scikit-learn's t-SNE crashes on points that are all the same
    used = method if len(vectors) >= FEW_POINTS and reduced.any() else "pca"
    place = {"pca": lambda: reduced[:, :2], "tsne": lambda: tsne(reduced, seed), "umap": lambda: umap(reduced, seed)}
    found = np.ascontiguousarray(place[used](), dtype=np.float32)
    return Projection(found, used, trust(vectors, found))


def principal(vectors: np.ndarray, most: int) -> np.ndarray:
    """(M, d) the first principal components, 2 at least (zeros where there are not so many) and `most` at most."""
    from sklearn.decomposition import PCA

    if not np.ptp(vectors, axis=0).any():  # no spread to be shared among components
        return np.zeros((len(vectors), 2))
    count = min(most, *vectors.shape)
    found = PCA(count, svd_solver="full").fit_transform(vectors.astype(np.float64))
    return np.pad(found, ((0, 0), (0, max(0, 2 - count))))


def tsne(vectors: np.ndarray, seed: int) -> np.ndarray:
    """(M, 2) by t-SNE (van der Maaten and Hinton 2008), begun from PCA."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def umap(vectors: np.ndarray, seed: int) -> np.ndarray:
    """(M, 2) by UMAP (McInnes et al. 2018); its import takes seconds, so it is loaded only here."""
    from umap import UMAP

    neighbours = min(NEIGHBOURS, len(vectors) - 1)
    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(vectors)


def trust(vectors: np.ndarray, place: np.ndarray) -> float:
    """How far near points of the plane are near in fact; NaN with fewer than 11 points."""
    from sklearn.manifold import trustworthiness

    if len(vectors) <= 2 * TRUST_NEIGHBOURS:
        return float("nan")
    return float(trustworthiness(vectors, place, n_neighbors=TRUST_NEIGHBOURS))
