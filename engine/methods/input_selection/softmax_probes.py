"""Multinomial logistic regression of a tap: what a probe finally says."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from torch import Tensor

from engine.methods.input_selection.linear_probe import LinearProbe, of_all_classes

PENALTY = 10.0  # scikit-learn's C = 0.1: better on held-out images than its default of 1
FLAT = 3e-3  # of the largest slope at the start, below which held-out accuracy no longer moves
MOST_STEPS = 500
REMEMBERED = 40  # steps out of which the curvature is known
SAMPLE = 2000  # images out of which it is guessed beforehand
CURVATURE, SHRUNK = 0.1, 0.1  # of a nat a squared logit, and what is added; a third of the steps of no guess at all


def softmax_probe(features: np.ndarray, labels: np.ndarray, classes: int, flat: float = FLAT) -> LinearProbe:
    """The probe of standardised features (n, F) float32 and labels (n,), found by L-BFGS from no weights at all.

    Minimises the summed cross-entropy and half of `PENALTY` times the squared weights, the bias being free. Stretched
    features, which are about equally curved in all directions, are what it walks in; it stops where no slope there
    exceeds `flat` times the largest at the start. The minimum is scikit-learn's for C = 1 / PENALTY.
    """
    present, targets = np.unique(labels, return_inverse=True)
    count, width = len(present), features.shape[1]
    # classes first: the sums over classes then run along long rows
    onehot = torch.nn.functional.one_hot(torch.from_numpy(targets)).float().T.contiguous()
    matrix = torch.from_numpy(features)
    stretch = torch.from_numpy(stretched(features))

    def loss_with_slopes(flattened: np.ndarray) -> tuple[float, np.ndarray]:
        both = torch.from_numpy(flattened).float().view(count, width + 1)
        loss, slopes, bias_slopes = penalised(matrix, onehot, both[:, :-1] @ stretch, both[:, -1])
        return float(loss), torch.cat([slopes @ stretch.T, bias_slopes[:, None]], dim=1).double().flatten().numpy()

    start = np.zeros((count, width + 1))
    start[:, -1] = np.log(np.bincount(targets) / len(targets))
    steepest = float(np.abs(loss_with_slopes(start.ravel())[1]).max())
    options = {"gtol": flat * steepest, "ftol": 0, "maxiter": MOST_STEPS, "maxcor": REMEMBERED}
    found = minimize(loss_with_slopes, start.ravel(), jac=True, method="L-BFGS-B", options=options).x
    both = torch.from_numpy(found).float().view(count, width + 1)
    return of_all_classes((both[:, :-1] @ stretch).T.numpy(), both[:, -1].numpy(), present, classes)


def stretched(features: np.ndarray) -> np.ndarray:
    """(F, F) what turns steps in directions that are about equally curved into steps of weights; features (n, F).

    The inverse of the triangular root of the curvature as guessed from a part of the images.
    """
    n, width = features.shape
    some = features[:: max(1, n // SAMPLE)]
    curvature = CURVATURE / len(some) * (some.T @ some)
    curvature[np.diag_indices(width)] += PENALTY / n + SHRUNK
    root = np.linalg.cholesky(curvature)
    return solve_triangular(root, np.eye(width, dtype=np.float32), lower=True)


def penalised(features: Tensor, onehot: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The penalised loss an image, and its slopes by weights (K, F) and bias (K,); features (n, F), onehot (K, n)."""
    n = len(features)
    scores = torch.addmm(bias[:, None], weights, features.T)
    whole = scores.logsumexp(dim=0)
    loss = whole.sum() - (scores * onehot).sum() + PENALTY / 2 * (weights * weights).sum()
    error = scores.sub_(whole).exp_().sub_(onehot)
    return loss / n, (error @ features).add_(weights, alpha=PENALTY).div_(n), error.sum(dim=1) / n
