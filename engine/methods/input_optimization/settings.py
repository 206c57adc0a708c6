"""What to sweep, what to bring back, and when a classifier counts as broken."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.subject.image_set import Role
from engine.toolkit.projection import METHODS
from engine.toolkit.transforms.families import family_named, in_order

STEP_RULES = ("momentum", "adam", "minimal", "paper")
SUCCESS = ("loss", "margin")
RULES = ("drop", "level")
ROLES = (Role.DIAGNOSIS.value, Role.POOL.value, Role.TRAIN.value)


@dataclass(frozen=True)
class Grid:
    """Families varied together: every combination of their severities.

    `severities` holds, for each family, increasing numbers in [-1, 1] (see `Family`), 0 among them.
    """

    families: tuple[str, ...]
    severities: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not self.families or in_order(self.families) != self.families:
            raise ValueError(f"families must stand once each in their order, got {', '.join(self.families) or 'none'}")
        if len(self.severities) != len(self.families):
            raise ValueError(f"{len(self.families)} families need severities each, got {len(self.severities)}")
        for name, those in zip(self.families, self.severities, strict=True):
            for severity in those:
                family_named(name).value(severity)
            if 0 not in those or list(those) != sorted(set(those)):
                raise ValueError(f"the severities of {name} must increase and have 0 among them, got {those}")
        if all(those == (0,) for those in self.severities):
            raise ValueError(f"a grid must change something, got only severity 0 of {' and '.join(self.families)}")

    @property
    def combinations(self) -> np.ndarray:
        """(K, families) float64, all combinations but the one that changes nothing; the last family runs fastest."""
        every = np.array(list(itertools.product(*self.severities)))
        return every[(every != 0).any(axis=1)]


def alone(name: str, levels: int) -> Grid:
    """One family, each of its sides in `levels` equal steps of severity."""
    return Grid((name,), (steps(name, levels),))


def together(names: Iterable[str], levels: int) -> Grid:
    """Every combination of several families, each of their sides in `levels` equal steps."""
    ordered = in_order(tuple(names))
    return Grid(ordered, tuple(steps(name, levels) for name in ordered))


def steps(name: str, levels: int) -> tuple[float, ...]:
    """The severities of a family: `levels` equal steps on each side, and 0."""
    if levels < 1:
        raise ValueError(f"levels must be at least 1, got {levels}")
    low = -levels if len(family_named(name).sides) == 2 else 0
    return tuple(step / levels for step in range(low, levels + 1))


def published(side: int) -> Grid:
    """ProactiV's grid for letters: 15 angles x 3 blurs x 10 levels of noise, 450 combinations with the identity.

    `side`: the images' shorter one in pixels, since the published blur is in pixels. Noise of level a has the standard
    deviation a (max - min) / 6.
    """
    values = {
        "rotation": (0, 2, -2, 4, -4, 6, -6, 8, -8, 10, -10, 12, -12, 15, -15),
        "gaussian_blur": (0, 100 / side, 200 / side),
        "gaussian_noise": tuple(level / 60 for level in range(10)),
    }
    severities = (sorted(family_named(name).severity(value) for value in those) for name, those in values.items())
    return Grid(tuple(values), tuple(tuple(those) for those in severities))


@dataclass(frozen=True)
class SweepSettings:
    """Which images are put through which changes.

    `images` at most, drawn by the hash of their ids out of those of the role that carry a label; a selection given as
    input takes their place. `seed` decides the noise and whatever else chance decides in a transform.
    """

    grids: tuple[Grid, ...]
    role: str = Role.DIAGNOSIS.value
    images: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.grids:
            raise ValueError("choose at least one transform")
        if self.role not in ROLES:
            raise ValueError(
                f"role must be one of {', '.join(ROLES)}, got {self.role!r}; images of test are only reported, "
                "and what breaks them would decide what is mended"
            )
        if self.images < 1:
            raise ValueError(f"images must be at least 1, got {self.images}")


@dataclass(frozen=True)
class OptimisationSettings:
    """Which pairs of the sweep are brought back to the true answer, and how.

    `grids` are numbers of the sweep's; empty means the `worst` single families, those whose accuracy suffers most.
    Of the sweep's images the first `images` are taken. `success`: the cross-entropy is at most `loss_level` (nats),
    or the margin (the true logit minus the best other one) at least `margin_level`. `step_size`: how far a pixel value
    in [0, 1] goes in a first step; 0 means the rule's own. The rule `minimal` has no size, and `paper`, whose size is
    in the units of the network's normalised input, takes as many steps as were published.
    """

    grids: tuple[int, ...] = ()
    worst: int = 3
    images: int = 50
    success: str = "loss"
    loss_level: float = 0.05
    margin_level: float = 0.0
    step_rule: str = "momentum"
    most_steps: int = 300
    step_size: float = 0.0

    def __post_init__(self) -> None:
        if self.success not in SUCCESS:
            raise ValueError(f"success must be one of {', '.join(SUCCESS)}, got {self.success!r}")
        if self.step_rule not in STEP_RULES:
            raise ValueError(f"step_rule must be one of {', '.join(STEP_RULES)}, got {self.step_rule!r}")
        if len(set(self.grids)) < len(self.grids) or any(number < 0 for number in self.grids):
            raise ValueError(f"grids must be numbers from 0 on, once each, got {', '.join(map(str, self.grids))}")
        if self.images < 1 or self.most_steps < 1 or self.worst < 1:
            raise ValueError("images, most_steps and worst must be at least 1")
        if self.loss_level <= 0:
            raise ValueError(f"loss_level must be above 0, got {self.loss_level}")
        if self.margin_level < 0 or self.step_size < 0:
            raise ValueError("margin_level and step_size must be at least 0")


@dataclass(frozen=True)
class DifferenceSettings:
    """Which layer's features are compared: a name of `named_modules`, "" for what the last layer is given."""

    layer: str = ""


@dataclass(frozen=True)
class MapSettings:
    """What each point is, a `transform` or an `image`, and how the many differences become two numbers."""

    points: str = "transform"
    method: str = "pca"

    def __post_init__(self) -> None:
        if self.points not in ("transform", "image"):
            raise ValueError(f"points must be transform or image, got {self.points!r}")
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")


@dataclass(frozen=True)
class BreakpointSettings:
    """Where accuracy counts as broken: `drop` below that of the unchanged images, or below a `level`; in [0, 1]."""

    rule: str = "drop"
    drop: float = 0.1
    level: float = 0.5
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        if not (0 < self.drop < 1 and 0 < self.level < 1):
            raise ValueError(f"drop and level must lie between 0 and 1, got {self.drop} and {self.level}")
        if self.resamples < 100:
            raise ValueError(f"resamples must be at least 100, got {self.resamples}")
