"""Which labels are likely wrong, by confident learning (Northcutt, Jiang, Chuang 2021) with cleanlab."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import softmax

from engine.methods.input_selection.folds import dealt
from engine.methods.input_selection.result import LabelIssues, TappedRole, Taps
from engine.methods.input_selection.settings import IssueSettings
from engine.runs.progress import Progress
from engine.subject.image_set import UNLABELLED, Role, Seen
from engine.toolkit.threads import one_thread

ROUNDS = 200  # of the out-of-fold probes' optimiser, at most
MOST_FITTED = 10_000  # images that a probe is fitted on, drawn where there are more
CLOSE = 1e-3  # how near their minimum it stops


@one_thread()
def label_issues(taps: Taps, settings: IssueSettings, progress: Progress) -> LabelIssues:
    """Likely wrong labels among the labelled images of train, diagnosis and pool.

    What the classifier trained on, or may have, is judged by probes of the last tap that saw no image of the same
    unit: the classifier would agree with a wrong label that it knows by heart. What it did not train on is judged by
    the mean of its own probabilities and those of such probes, for on a buggy label its own are wrong too often: on
    the pools of the demo's seeds 0 to 9, 73 % of what they flag is planted (41 % in the buggy labels) and 90 % of what
    the mean flags (81 %); they find 72 % of those planted, the mean 79 %.
    ValueError where no image has a label.
    """
    unseen, seen = [], []
    for role in taps.roles:
        labelled = role.labels != UNLABELLED
        known = labelled & (role.seen != Seen.NO) if role.role == Role.TRAIN else labelled & (role.seen == Seen.YES)
        unseen.append(judged(role, labelled & ~known))
        seen.append(judged(role, known))
    ids, labels, own, units, features = (np.concatenate(columns) for columns in zip(*unseen, strict=True))
    seen_ids, seen_labels, _, seen_units, seen_features = (
        np.concatenate(columns) for columns in zip(*seen, strict=True)
    )
    if not len(ids) + len(seen_ids):
        raise ValueError("no image has a label, so none can be wrong")
    classes = len(taps.classes)
    both = (own + out_of_fold(features, labels, units, classes, settings, progress.part(0, 0.5))) / 2
    probed = out_of_fold(seen_features, seen_labels, seen_units, classes, settings, progress.part(0.5, 1))
    verdicts = [doubts(labels, both), doubts(seen_labels, probed)]
    return LabelIssues(
        ids=np.concatenate([ids, seen_ids]),
        quality=np.concatenate([quality for quality, _ in verdicts]),
        issue=np.concatenate([issue for _, issue in verdicts]),
        suggested=np.concatenate([both.argmax(axis=1), probed.argmax(axis=1)]).astype(np.int64),
        out_of_fold=np.repeat([False, True], [len(ids), len(seen_ids)]),
    )


def judged(role: TappedRole, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
    """Ids, labels, probabilities (n, K), units and the last tap's features (n, F) of the chosen images."""
    features = role.features[-1] if role.features else role.logits
    shares = softmax(role.logits[chosen].astype(np.float64), axis=1)
    return role.ids[chosen], role.labels[chosen], shares, role.units[chosen], features[chosen]


def doubts(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much a label can be trusted (n,), in [0, 1], and whether it is likely wrong (n,) bool.

    The label's probability; and cleanlab's `both`: what its noise rates prune that is off the confident joint's
    diagonal too. With fewer than two classes among the labels nothing is doubted.
    """
    quality = probabilities[np.arange(len(labels)), labels]
    if len(np.unique(labels)) < 2:
        return quality, np.zeros(len(labels), dtype=bool)
    from cleanlab.filter import find_label_issues  # takes a second

    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of classes that it leaves alone as too small
        issue = find_label_issues(labels, probabilities, filter_by="both", n_jobs=1)
    return quality, np.asarray(issue, dtype=bool)


def out_of_fold(
    features: np.ndarray,
    labels: np.ndarray,
    units: np.ndarray,
    classes: int,
    settings: IssueSettings,
    progress: Progress,
) -> np.ndarray:
    """(n, K) probabilities of images by probes that were fitted without their fold; units stay whole.

    A fold whose other images have one label only gets even probabilities. Of more than 10,000 other images so many
    are drawn.
    """
    from sklearn.linear_model import LogisticRegression

    found = np.full((len(labels), classes), 1 / classes)
    fold = dealt(units, settings.folds, settings.seed)
    mean, scale = (features.mean(axis=0), features.std(axis=0)) if len(features) else (0.0, 1.0)
    standard = (features - mean) / np.where(scale > 0, scale, 1)
    draws = np.random.default_rng([settings.seed, 2])
    for number in progress.steps(settings.folds, "looking for wrong labels"):
        held, rest = fold == number, np.flatnonzero(fold != number)
        rest = draws.permutation(rest)[:MOST_FITTED] if len(rest) > MOST_FITTED else rest
        if not held.any() or len(np.unique(labels[rest])) < 2:
            continue
        probe = LogisticRegression(max_iter=ROUNDS, tol=CLOSE).fit(standard[rest], labels[rest])
        found[held] = 0
        found[np.ix_(held, probe.classes_)] = probe.predict_proba(standard[held])
    return found
