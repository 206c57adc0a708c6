"""In which order the candidates of a label are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from engine.methods.input_selection.agreement import mean_ranks
from engine.methods.input_selection.heat_maps import PORTION, heat_maps, values_of
from engine.methods.input_selection.layer_choice import chosen_layer
from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.result import HeatMap, LabelVerdict, Probes, TappedRole, Taps
from engine.methods.input_selection.settings import CHANCE, CHOSEN_LAYER, SelectionSettings, reads_layers
from engine.methods.input_selection.verdicts import OVER, label_verdicts
from engine.subject.image_set import ImageSet

RERANKED = 50  # candidates whose exact Wasserstein distance is worked out, where no more are to be taken


@dataclass(frozen=True)
class Asked:
    """What a ranking can look at: the pool, `chance` (n,) a number drawn for each of its images, and all there is."""

    settings: SelectionSettings
    taps: Taps
    probes: Probes | None
    role: TappedRole
    images: ImageSet
    verdicts: dict[int, LabelVerdict]
    chance: np.ndarray

    def verdict(self, label: int) -> str:
        """What the diagnosis says of a label."""
        return self.verdicts[label].verdict


@dataclass(frozen=True)
class Ranking:
    """Rows of the pool, first the best, with their scores (NaN by chance); only those of the first `alike` compare."""

    rows: np.ndarray
    score: np.ndarray
    alike: int


def ranked(asked: Asked, rows: np.ndarray, label: int, wanted: int) -> Ranking:
    """The candidate rows of a label in the order of the settings' strategy; equal ones in an order drawn by chance.

    So many are wanted of them.
    """
    name = asked.settings.strategy
    if name in CHANCE:
        return by_chance(asked, rows)
    if name in BENEFITS:
        return in_order(asked, rows, BENEFITS[name](asked.role.logits[rows], asked.role.labels[rows]), True)
    if name == "mode_dhwi":
        return in_order(asked, rows, towards_lost(asked, rows, label), True)
    return by_map(replace(asked, settings=as_mode(asked, label)), rows, label, wanted)


def by_chance(asked: Asked, rows: np.ndarray) -> Ranking:
    """The rows in the order that was drawn for them."""
    return Ranking(rows[np.argsort(asked.chance[rows], kind="stable")], np.full(len(rows), np.nan), len(rows))


def in_order(asked: Asked, rows: np.ndarray, score: np.ndarray, largest: bool) -> Ranking:
    """Rows by their scores, the largest or the smallest first."""
    order = np.lexsort((asked.chance[rows], -score if largest else score))
    return Ranking(rows[order], score[order], len(rows))


def loss(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) the cross-entropy in nats."""
    largest = logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits.astype(np.float64) - largest).sum(axis=1)) + largest[:, 0]
    return total - logits[np.arange(len(labels)), labels]


def misclassified(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) 1 where the answer is wrong, else 0."""
    return (logits.argmax(axis=1) != labels).astype(np.float64)


def gini(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) 1 - the sum of squared probabilities (Feng et al. 2020, DeepGini)."""
    del labels
    return 1 - (softmax(logits.astype(np.float64), axis=1) ** 2).sum(axis=1)


def closeness(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) 1 - the margin between the two most likely classes' probabilities (Scheffer et al. 2001)."""
    del labels
    two = np.partition(softmax(logits.astype(np.float64), axis=1), -2, axis=1)[:, -2:]
    return 1 - (two[:, 1] - two[:, 0])


BENEFITS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "highest_loss": loss,
    "misclassified": misclassified,
    "gini": gini,
    "pool_gini": gini,
    "margin": closeness,
}


def as_mode(asked: Asked, label: int) -> SelectionSettings:
    """The settings of `mode` that a named variant of it stands for.

    `mode_published` is the replication's rule: the dot product with the mean image of what is recognised, of which an
    over-fitted label takes the least and any other the most similar.
    """
    settings = asked.settings
    if settings.strategy == "mode_published":
        end = "worst" if asked.verdict(label) == OVER else "best"
        return replace(settings, strategy="mode", map="hci", mode="pixel", metric="dot", end=end)
    return settings


def towards_lost(asked: Asked, rows: np.ndarray, label: int) -> np.ndarray:
    """(n,) in [0, 1], the mean of two ranks as shares: by loss, and by likeness to the label's lost images.

    Likeness is the product of standardised features with their DHWI, both without the probe's weights, which would
    count squared in it. On the demo's seeds 0 to 9 the two together beat chance of the same labels the most surely in
    target recall and in overall accuracy; neither the loss alone nor likeness alone did so in both.
    """
    place = layer_of(asked.settings, asked.taps, asked.probes, label, asked.verdict(label))
    plain = unweighted(asked.probes)
    wanted = next(each for each in heat_maps(asked.taps, plain, place, label) if each.name == "dhwi")
    likeness = values_of(plain, place, "feature", None)(asked.role, rows, label) @ wanted.values
    return (share_below(likeness) + share_below(loss(asked.role.logits[rows], asked.role.labels[rows]))) / 2


def unweighted(probes: Probes | None) -> Probes | None:
    """The probes with weights of 1, so that what is left is the standardised features."""
    return probes and replace(probes, weights=tuple(np.ones_like(weights) for weights in probes.weights))


def share_below(values: np.ndarray) -> np.ndarray:
    """(n,) the share of the others that each value is above, in [0, 1]; equal ones share the mean of theirs."""
    return (mean_ranks(values) - 1) / max(1, len(values) - 1)


def by_map(asked: Asked, rows: np.ndarray, label: int, wanted: int) -> Ranking:
    """Rows by their distance to the settings' map of the label, from the nearest or from the farthest on.

    The exact Wasserstein distance only orders the first by the sliced one: as many as are wanted, and at least 50.
    """
    settings = asked.settings
    place = layer_of(settings, asked.taps, asked.probes, label, asked.verdict(label))
    maps = heat_maps(asked.taps, asked.probes, place, label, settings.mode, asked.images)
    looked_for = next(each for each in maps if each.name == settings.map)
    exact = settings.metric == "wasserstein" and settings.wasserstein == "exact"
    quick = replace(asked, settings=replace(settings, wasserstein="sliced")) if exact else asked
    farthest = settings.end == "worst"
    found = in_order(quick, rows, distances(quick, rows, looked_for, place), farthest)
    if not exact:
        return found
    most = min(max(RERANKED, wanted), len(rows))
    first = found.rows[:most]
    top = in_order(asked, first, distances(asked, first, looked_for, place), farthest)
    return Ranking(np.concatenate([top.rows, found.rows[most:]]), np.concatenate([top.score, found.score[most:]]), most)


def distances(asked: Asked, rows: np.ndarray, wanted: HeatMap, place: int) -> np.ndarray:
    """(n,) how far the pool's rows are from a map, in the space that it lives in."""
    settings, found = asked.settings, np.empty(len(rows))
    read = values_of(asked.probes, place, settings.mode, asked.images)
    for start in range(0, len(rows), PORTION):
        part = rows[start : start + PORTION]
        values = read(asked.role, part, wanted.label)
        found[start : start + PORTION] = scores(
            values, wanted.values[None], settings.metric, settings.power, settings.wasserstein, wanted.shape
        )[:, 0]
    return found


def layer_of(settings: SelectionSettings, taps: Taps, probes: Probes | None, label: int, verdict: str) -> int:
    """The tap that the settings name: the last one, the one that explains the label, or one by its name."""
    names = [tap.name for tap in taps.taps]
    if not settings.layer or not reads_layers(settings):
        return len(names) - 1
    if settings.layer == CHOSEN_LAYER:
        if probes is None:
            raise ValueError("choosing the layer that explains a label needs the probes")
        return chosen_layer(probes, taps, label, verdict, settings.rule.gap).tap
    if settings.layer not in names:
        raise ValueError(f"there is no tap called {settings.layer!r}; there are {', '.join(names)}")
    return names.index(settings.layer)


def layers_of(settings: SelectionSettings, taps: Taps, probes: Probes | None) -> str:
    """The names of the layers that are looked at for the targets, each once; "" where the strategy looks at none."""
    if not reads_layers(settings):
        return ""
    verdicts = {each.label: each.verdict for each in label_verdicts(taps, settings.rule)}
    places = [layer_of(settings, taps, probes, label, verdicts[label]) for label in settings.targets]
    return ", ".join(taps.taps[place].name for place in dict.fromkeys(places))
