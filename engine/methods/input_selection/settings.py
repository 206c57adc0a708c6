"""What a person asks: when a label is buggy, which layer explains it, which candidates are chosen, how to retrain."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

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
CHANCE = ("random", "class_random")
WHOLE_POOL = ("random", "pool_gini")
RETRAININGS = ("replay", "batch", "scratch")
SEEDS = 3  # of a comparison, until another number is asked for
RECOMMENDED = ("random", "class_random", "mode_dhwi", "mode_dhwi@auto", "highest_loss")  # arms
CHOSEN_LAYER = "auto"  # the layer that explains each label


@dataclass(frozen=True)
class TapSettings:
    """What is taken down in one pass over train, diagnosis and pool.

    At most `images` of train and of diagnosis, and of the pool at most `pool`, out of all labels evenly (`drawing`); at
    most `values` numbers an image and tap, to which a map is averaged down.
    """

    images: int = 10_000
    pool: int = 50_000
    values: int = 512

    def __post_init__(self) -> None:
        if min(self.images, self.pool) < 10 or self.values < 1:
            raise ValueError(
                f"images and pool must be at least 10 and values at least 1, got {self.images}, {self.pool} and "
                f"{self.values}"
            )

    def most(self, role: str) -> int:
        """How many images of the role are looked into, at most."""
        return self.pool if role == "pool" else self.images


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
    ids are never taken. `rule` says when a label is buggy.
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
    rule: VerdictSettings = VerdictSettings()
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


def reads_layers(selection: SelectionSettings) -> bool:
    """Whether the strategy looks at what a layer puts out, and so needs probes."""
    return selection.strategy == "mode_dhwi" or (selection.strategy == "mode" and selection.mode == "feature")


def arm_settings(usual: SelectionSettings, arm: str) -> SelectionSettings:
    """The selection of an arm: a strategy at the last layer, or with `@auto` at the one that explains, or `@` a name.

    What its strategy doesn't read is set back, so that it asks for the same run whatever the others are set to.
    ValueError in one sentence where there is no such strategy, or it looks at no layer.
    """
    strategy, at, layer = arm.partition("@")
    if strategy not in STRATEGIES:
        raise ValueError(f"there is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    selection = replace(usual, strategy=strategy, layer=layer)
    if at and not (layer and reads_layers(selection)):
        raise ValueError(
            f"{arm!r} can't be run: only strategies that look at a layer (mode_dhwi, and mode with a map of features) "
            f"can be given one, by its name or as {CHOSEN_LAYER}"
        )
    read = fields_read(selection)
    return SelectionSettings(**{name: getattr(selection, name) for name in read})


def fields_read(selection: SelectionSettings) -> tuple[str, ...]:
    """The settings that make a difference to the strategy."""
    by_map = ("map", "mode", "metric", "wasserstein", "power", "end")
    read = {
        **{field.name: True for field in fields(SelectionSettings)},
        **dict.fromkeys(by_map, selection.strategy == "mode"),
        "scored": selection.strategy not in WHOLE_POOL,
        "layer": reads_layers(selection),
        "rule": reads_verdicts(selection),
    }
    read["wasserstein"] &= selection.metric == "wasserstein"
    read["power"] &= selection.metric == "minkowski"
    return tuple(name for name, counts in read.items() if counts)


def reads_verdicts(selection: SelectionSettings) -> bool:
    """Whether it makes a difference which labels are buggy, and how."""
    return (
        not selection.targets
        or selection.strategy == "mode_published"
        or (selection.layer == CHOSEN_LAYER and reads_layers(selection))
    )
