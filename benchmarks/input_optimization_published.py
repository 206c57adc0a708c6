"""Bringing back against a textbook loop of the published procedure, and against Adam that stops row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor

from benchmarks.input_optimization_subjects import spread, swept_thinly, timed, told
from engine.methods.input_optimization import OPTIMISATION
from engine.methods.input_optimization.pairs import pairs_of
from engine.methods.input_optimization.result import NOT_REACHED, REACHED, Optimisation, Sweep
from engine.methods.input_optimization.settings import OptimisationSettings
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import Subject

RATE, MOST_STEPS, LEVEL = 1e-3, 500, 0.05  # as published
MOST_ADAM_STEPS = 500


@dataclass
class Textbook:
    """The published loop's work: samples x passes, and pairs below the level at the end."""

    evaluations: int = 0
    solved: int = 0


def textbook(classifier: Classifier, transforms: list[tuple[Tensor, Tensor]]) -> Textbook:
    """Every transform's images (n, C, H, W) in [0, 1] with their labels (n,), moved as published.

    All images of a transform are a batch, weights take gradients, the check follows the update, nothing is clamped.
    The last look at every pair's own loss is not counted.
    """
    found = Textbook()
    for images, labels in transforms:
        pixels = classifier.preprocess(images).detach().requires_grad_()  # in the network's normalised units
        adam = torch.optim.Adam([pixels], lr=RATE)
        for _ in range(MOST_STEPS):
            adam.zero_grad()
            loss = F.cross_entropy(classifier.network(pixels), labels)
            loss.backward()
            adam.step()
            found.evaluations += len(images)
            if loss.item() < LEVEL:
                break
        with torch.no_grad():
            own = F.cross_entropy(classifier.network(pixels), labels, reduction="none")
        found.solved += int((own < LEVEL).sum())
    classifier.zero_grad(set_to_none=True)
    return found


def all_transforms(subject: Subject, sweep: Sweep) -> list[tuple[Tensor, Tensor]]:
    """The images and labels of each combination of the sweep's first grid."""
    pairs = pairs_of(subject, sweep, (0,), len(sweep.ids))
    rows = [np.flatnonzero(pairs.combination == each) for each in range(len(sweep.grids[0].severities))]
    return [(pairs.transformed(those), pairs.labels(those)) for those in rows]


def brought_back(subject: Subject, sweep: Sweep, **chosen: str | float) -> Optimisation:
    """The step on all pairs of the sweep's first grid."""
    settings = OptimisationSettings(grids=(0,), images=len(sweep.ids), **chosen)  # type: ignore[arg-type]
    return OPTIMISATION.run(subject, settings, {"sweep": sweep}, Progress())


def measure_published(subject: Subject, images: int, rounds: int) -> None:
    """Print evaluations, seconds and solved pairs of both, then how the distances agree with slow Adam's."""
    sweep = swept_thinly(subject, images)
    transforms = all_transforms(subject, sweep)
    pairs = sum(len(labels) for _, labels in transforms)
    print(
        f"{subject.blueprint.name}: {images} images x {len(transforms)} combinations of rotation (-15, 0, 15 degrees), "
        f"blur (0, 1, 2 px) and noise (0, 0.15 of the range), {pairs:,} pairs; right unchanged "
        f"{sweep.clean_right.mean():.0%}, changed {sweep.right(0).mean():.0%}"
    )
    subject.classifier.requires_grad_(True)
    seconds, ratios = [], []
    for _ in range(rounds):
        theirs, book = timed(lambda: textbook(subject.classifier, transforms))
        own, found = timed(lambda: brought_back(subject, sweep))
        seconds.append((theirs, own))
        ratios.append(theirs / own)
    asked = found.evaluations + pairs  # the sweep looked at each once, to find those that pass already
    solved = int((found.state != NOT_REACHED).sum())
    told(
        f"evaluations: textbook {book.evaluations:,}, ours {found.evaluations:,}, {book.evaluations / asked:.1f} times "
        f"fewer where the sweep's {pairs:,} are counted, too, else {book.evaluations / found.evaluations:.1f} times"
    )
    told(
        f"time: textbook {spread([theirs for theirs, _ in seconds], 's')}, ours, transforms included, "
        f"{spread([own for _, own in seconds], 's')}: {spread(ratios, 'times less', 1)}"
    )
    told(f"pairs solved: textbook {book.solved:,}, ours {solved:,} of {pairs:,}")
    measure_distances(subject, sweep, found)


def measure_distances(subject: Subject, sweep: Sweep, found: Optimisation) -> None:
    """Print how the default rule's distances go with those of Adam at the published rate, each pair stopped alone."""
    rate = RATE * float(np.mean(subject.blueprint.preprocessing.std))  # a step of the published size, in pixel values
    took, slow = timed(
        lambda: brought_back(subject, sweep, step_rule="adam", step_size=rate, most_steps=MOST_ADAM_STEPS)
    )
    both = (found.state == REACHED) & (slow.state == REACHED)
    rank = spearmanr(found.distance[both], slow.distance[both]).statistic
    told(
        f"against Adam {RATE:g}, each pair stopped alone ({slow.evaluations:,} evaluations, {took:.0f} s, "
        f"{int((slow.state != NOT_REACHED).sum()):,} solved), {int(both.sum()):,} pairs that both moved: Spearman "
        f"{rank:.4f}, distance {np.median(found.distance[both] / slow.distance[both]):.3f} times its"
    )
