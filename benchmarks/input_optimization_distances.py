"""The smallest changes against foolbox's DDN, and the signed margin distance against ours."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.input_optimization_costs import DefaultRun
from benchmarks.input_optimization_published import brought_back
from benchmarks.input_optimization_subjects import spread, swept_thinly, timed, told
from engine.methods.input_optimization.criteria import BOUNDARY, FAILING
from engine.methods.input_optimization.optimise import Tally, optimise
from engine.methods.input_optimization.pairs import Pairs, pairs_of, views_of
from engine.methods.input_optimization.result import REACHED, Optimisation
from engine.methods.input_optimization.step_rules import Minimal, length
from engine.runs.progress import Progress
from engine.subject.classifier import Classifier
from engine.subject.subject import Subject
from engine.toolkit.frozen import frozen
from engine.toolkit.prediction import batch_size

STEPS = 100  # foolbox's default


def ddn(classifier: Classifier, images: Tensor, labels: Tensor, freeze: bool) -> np.ndarray:
    """(n,) the L2 distances at which foolbox makes the answer right; NaN where it doesn't.

    foolbox leaves it to its caller whether the weights take gradients, too, as they do by default.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what foolbox imports
        import foolbox
    model = foolbox.PyTorchModel(classifier, bounds=(0, 1))
    attack = foolbox.attacks.DDNAttack(steps=STEPS)
    distances = []
    with frozen(classifier) if freeze else nullcontext():
        for some, those in zip(images.split(batch_size(classifier)), labels.split(batch_size(classifier)), strict=True):
            _, found, solved = attack(model, some, foolbox.criteria.TargetedMisclassification(those), epsilons=None)
            distances.append(torch.where(solved, length(found - some), torch.nan))
    classifier.zero_grad(set_to_none=True)
    return torch.cat(distances).cpu().numpy()


def measure_minimal(subject: Subject, images: int, rounds: int) -> None:
    """Print distances, solved pairs and times of the rule for the smallest change and of foolbox, in turn."""
    classifier, sweep = subject.classifier, swept_thinly(subject, images)
    pairs = pairs_of(subject, sweep, (0,), images)
    wrong = np.flatnonzero(pairs.column("margin") < 0)
    starts, labels = pairs.transformed(wrong), pairs.labels(wrong)

    def ours() -> Optimisation:
        return brought_back(subject, sweep, step_rule="minimal", success="margin", margin_level=0.0, most_steps=STEPS)

    classifier.requires_grad_(True)
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        own, back = timed(ours)
        for freeze, those in ratios.items():
            took, theirs = timed(partial(ddn, classifier, starts, labels, freeze))
            those.append(own / took)
    found = np.where(back.state[wrong] == REACHED, back.distance[wrong], np.nan)
    both = ~np.isnan(found) & ~np.isnan(theirs)
    print(f"{subject.blueprint.name}: {len(wrong):,} wrong pairs of the thinned grid, smallest change in {STEPS} steps")
    told(f"solved: foolbox's DDN {int((~np.isnan(theirs)).sum()):,}, ours {int((~np.isnan(found)).sum()):,}")
    told(
        f"distance: {np.median(found[both] / theirs[both]):.4f} times its in the median of {int(both.sum()):,} pairs, "
        f"medians {np.median(found[both]):.4f} and {np.median(theirs[both]):.4f}"
    )
    told(
        f"time, our transforms included: {spread(ratios[False], 'times its')}, "
        f"{spread(ratios[True], 'times')} where its weights are frozen like ours"
    )


def measure_margin(subject: Subject, run: DefaultRun) -> None:
    """Print for how many pairs a boundary was found, and how far it is over the smallest change of the same pairs."""
    sweep, back, signed = run.sweep, run.back, run.differences.margin_distance
    pairs = Pairs(sweep, views_of(subject, sweep, int(back.image.max()) + 1), back.image, back.grid, back.combination)
    right = pairs.column("prediction") == sweep.labels[pairs.image]
    smallest = np.full(len(pairs), np.nan)
    for answer, criterion in ((True, FAILING), (False, BOUNDARY)):
        these = np.flatnonzero(right == answer)

        def source(rows: Tensor, these: np.ndarray = these) -> tuple[Tensor, Tensor]:
            return pairs.transformed(these[rows.numpy()]), pairs.labels(these[rows.numpy()])

        with frozen(subject.classifier):
            for done in optimise(
                subject.classifier,
                source,
                len(these),
                criterion,
                Minimal(STEPS),
                STEPS,
                pairs.views.size,
                Progress(),
                Tally(),
            ):
                distance = torch.where(done.reached, length(done.place - done.start), torch.nan)
                smallest[these[done.rows.cpu().numpy()]] = distance.cpu().numpy()
    print(f"{subject.blueprint.name}: signed margin distance of the default run's {len(signed):,} pairs")
    told(f"a boundary was found for {np.isfinite(signed).mean():.1%}, by DDN for {np.isfinite(smallest).mean():.1%}")
    for name, those in (("right", right), ("wrong", ~right), ("all", right | ~right)):
        both = those & np.isfinite(signed) & np.isfinite(smallest) & (smallest > 0)
        if both.any():
            ratio = np.abs(signed[both]) / smallest[both]
            told(
                f"{name}: {np.median(ratio):.3f} times that of DDN with {STEPS} steps "
                f"(90 % of pairs below {np.quantile(ratio, 0.9):.2f}, {int(both.sum()):,} pairs)"
            )
