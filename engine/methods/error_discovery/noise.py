"""Codes moved a little: the step by which errors are searched for."""

from __future__ import annotations

import numpy as np

BETA = 50.0  # both parameters of the published noise, whose mean is 0.5 and standard deviation 0.05
LEAST_SPREAD = 0.1  # of the largest: dimensions that the generator leaves unused would make every length huge


def moved(
    codes: np.ndarray, spread: np.ndarray, kind: str, scale: float, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each of the codes (n, d) moved `draws` times: (n * draws, d) float32, one code's draws after the other's.

    And how far, (n * draws,) float32, in standard deviations. `gaussian` noise is centred, with `scale` times the
    `spread` (d,) of each dimension. `beta` is the published one, Beta(50, 50) added as it is (Slack et al. 2021):
    it moves every code in the same direction, and `scale` plays no part. Drawn one after the other, so that codes
    given in portions get the same noise as all at once.
    """
    shape = (len(codes) * draws, codes.shape[1])
    if kind == "gaussian":
        noise = random.standard_normal(shape, dtype=np.float32)
        lengths = scale * np.sqrt(np.square(noise).sum(axis=1))
        noise *= scale * spread.astype(np.float32)
    else:
        noise = random.beta(BETA, BETA, shape).astype(np.float32)
        lengths = np.sqrt(np.square(noise / spread.clip(LEAST_SPREAD * spread.max())).sum(axis=1))
    noise += np.repeat(codes.astype(np.float32), draws, axis=0)
    return noise, lengths.astype(np.float32)
