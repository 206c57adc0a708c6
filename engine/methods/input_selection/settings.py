"""What a person asks: when a label is buggy, which layer explains it, which candidates are chosen, how to retrain."""

from __future__ import annotations

from dataclasses import dataclass

PROBES = ("ridge", "softmax")
MODES = ("feature", "pixel")
MAPS = ("hci", "hmi", "hwi", "dhci", "dhmi", "dhwi")
METRICS = (
    "dot",
    "cosine",
    "manhattan",
    "euclidean",
    "minkowski",
    "chebyshev",
    "wasserstein",
    "canberra",
    "bray_curtis",
)
WASSERSTEINS = ("sliced", "marginal", "histogram", "exact")
ENDS = ("best", "worst")
STRATEGIES = (
    "random",
    "class_random",
    "highest_loss",
    "misclassified",
    "gini",
    "margin",
    "pool_gini",
    "mode",
    "mode_published",
    "mode_dhwi",
)
RETRAININGS = ("replay", "batch", "scratch")
SEEDS = 3  # of a comparison, until another number is asked for
RECOMMENDED = ("random", "class_random", "mode_dhwi", "highest_loss")
CHOSEN_LAYER = "auto"  # the layer that explains each label


@dataclass(frozen=True)
class TapSettings:
    """What is taken down in one pass over train, diagnosis and pool.

    At most `images` of each role, drawn by the hash of their ids; at most `values` numbers an image and tap, to which
    a map is averaged down.
    """

    images: int = 10_000
    values: int = 512

    def __post_init__(self) -> None:
        if self.images < 10 or self.values < 1:
            raise ValueError(f"images must be at least 10 and values at least 1, got {self.images} and {self.values}")


@dataclass(frozen=True)
class VerdictSettings:
    """When a label is buggy, in shares of its images.

    Under-fitted: recall below `recall` on train and on diagnosis. Over-fitted: recall on train more than `gap` above
    that on diagnosis. Both beyond chance, at `alpha` over all labels (Holm); with fewer than `few` images of a role
    nothing is said.
    """

    recall: float = 0.8
    gap: float = 0.15
    alpha: float = 0.05
    few: int = 10

    def __post_init__(self) -> None:
        if not (0 < self.recall < 1 and 0 < self.gap < 1 and 0 < self.alpha < 1):
            raise ValueError("recall, gap and alpha must lie between 0 and 1")
        if self.few < 2:
            raise ValueError(f"few must be at least 2, got {self.few}")


@dataclass(frozen=True)
class ProbeSettings:
    """A linear read-out of every tap at once: `ridge` in closed form for a first look, `softmax` for the answer."""

    kind: str = "softmax"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PROBES:
            raise ValueError(f"kind must be one of {', '.join(PROBES)}, got {self.kind!r}")


@dataclass(frozen=True)
class IssueSettings:
    """Likely wrong labels by confident learning; on train with `folds` out-of-fold probes of the last tap, by group."""

    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError(f"folds must be at least 2, got {self.folds}")


@dataclass(frozen=True)
class SelectionSettings:
    """Which `budget` images of the pool are chosen for the labels `targets` (class numbers).

    Of them the share `scored` is chosen by the strategy out of candidates with a target label, an equal part for each,
    and the rest at random out of the others; `pool_gini` and `random` take all of it out of the whole pool. The `mode`
    strategies score against a map (`map`, `mode`, at the tap `layer`, "" for the last, "auto" for the one that
    explains the label) with a metric and take its `best` or `worst` end; `power` is
    Minkowski's. `mode_published` is the replication's rule and `mode_dhwi` the one that the experiments favour.
    `diverse` leaves out near copies of what is chosen already; `filtered` leaves out likely wrong labels; `excluded`
    ids are never taken.
    """

    strategy: str = "mode_dhwi"
    targets: tuple[int, ...] = ()
    budget: int = 300
    scored: float = 0.25
    map: str = "dhwi"
    mode: str = "feature"
    layer: str = ""
    metric: str = "dot"
    wasserstein: str = "sliced"
    power: float = 3.0
    end: str = "best"
    diverse: bool = False
    filtered: bool = True
    excluded: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("strategy", self.strategy, STRATEGIES),
            ("map", self.map, MAPS),
            ("mode", self.mode, MODES),
            ("metric", self.metric, METRICS),
            ("wasserstein", self.wasserstein, WASSERSTEINS),
            ("end", self.end, ENDS),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        if self.budget < 1:
            raise ValueError(f"budget must be at least 1, got {self.budget}")
        if not 0 < self.scored <= 1:
            raise ValueError(f"scored must lie above 0 and at most 1, got {self.scored}")
        if self.power < 1:
            raise ValueError(f"power must be at least 1, got {self.power}")


@dataclass(frozen=True)
class RetrainingSettings:
    """One classifier retrained once on what a strategy chooses, in rounds.

    `how`: `replay` mixes the batch with images of train, `batch` takes it alone (as published), `scratch` starts from
    weights drawn anew on train and the batch. Each of `rounds` spends an equal part of the budget, is diagnosed and
    chosen anew, and takes `steps` steps. `selection.seed` is the run's; `keep_weights`: the result holds the weights.
    """

    selection: SelectionSettings = SelectionSettings()
    how: str = "replay"
    rounds: int = 3
    steps: int = 80
    batch_size: int = 64
    learning_rate: float = 1e-3
    keep_weights: bool = False

    def __post_init__(self) -> None:
        if self.how not in RETRAININGS:
            raise ValueError(f"how must be one of {', '.join(RETRAININGS)}, got {self.how!r}")
        if self.rounds < 1 or self.steps < 1 or self.batch_size < 1:
            raise ValueError("rounds, steps and batch_size must be at least 1")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
