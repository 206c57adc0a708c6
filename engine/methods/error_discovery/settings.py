"""What a person asks: how images are generated, searched for errors, grouped, labelled and trained on."""

from __future__ import annotations

from dataclasses import dataclass

from engine.toolkit.projection import METHODS

NOISES = ("gaussian", "beta")
MIXTURES = ("mixture", "published", "hdbscan")
SPACES = ("features", "pixels")
ARMS = ("before", "continued", "regions", "identified", "identified_mixed", "unlabelled")
WEIGHTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of the regions' loss, beside the real images'
SEEDS = 3  # of a correction, until another number is asked for


@dataclass(frozen=True)
class GeneratorSettings:
    """A variational autoencoder of the images of train, at most `images`, drawn by the hash of their ids.

    It works on images whose longer side is at most `side` pixels. `dimensions` of the code; `beta` weighs the
    divergence, from 0 up to its value over the first `warm_up` share of the epochs; `conditional`: the label is given
    to encoder and decoder, so that moved codes keep it more often. It stops when the loss on images kept aside has not
    fallen for `patience` epochs.
    """

    side: int = 64
    dimensions: int = 32
    beta: float = 1.0
    conditional: bool = True
    warm_up: float = 0.3
    epochs: int = 30
    patience: int = 8
    batch_size: int = 64
    learning_rate: float = 2e-3
    images: int = 12_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 16 <= self.side <= 96:
            raise ValueError(f"side must lie between 16 and 96 pixels, got {self.side}")
        if self.dimensions < 2 or self.epochs < 1 or self.patience < 1 or self.batch_size < 2 or self.images < 50:
            raise ValueError("dimensions and batch_size must be at least 2, epochs and patience 1, images 50")
        if self.beta < 0 or not 0 <= self.warm_up <= 1 or self.learning_rate <= 0:
            raise ValueError("beta must be at least 0, warm_up between 0 and 1 and learning_rate above 0")


@dataclass(frozen=True)
class IdentificationSettings:
    """Codes of correctly classified images of `role`, moved a little `draws` times, decoded and classified.

    `gaussian` noise is centred, with `scale` times the standard deviation of each dimension of the codes; `beta` is
    the published one, Beta(50, 50) added as it is. A wrong answer is kept where it passes the filters that are on:
    the plain reconstruction is classified correctly (`reconstruction`); at least the share `agreement` of the
    `neighbours` nearest codes of real images has the seed's label (0 switches it off), its own unit passed over and
    every label counted as if it had equally many images; the code lies no farther from real codes than real ones
    usually lie from each other (`manifold`). Kept are at most `per_image` of a seed image, those with the least noise,
    and `per_pair` of a label and prediction. At most `images` seeds.
    """

    role: str = "train"
    noise: str = "gaussian"
    scale: float = 0.3
    draws: int = 40
    reconstruction: bool = True
    neighbours: int = 10
    agreement: float = 0.3
    manifold: bool = True
    per_image: int = 5
    per_pair: int = 400
    images: int = 6_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.noise not in NOISES:
            raise ValueError(f"noise must be one of {', '.join(NOISES)}, got {self.noise!r}")
        if self.role not in ("train", "pool", "diagnosis"):
            raise ValueError(f"role must be train, pool or diagnosis, got {self.role!r}")
        if self.scale <= 0 or not 0 <= self.agreement <= 1:
            raise ValueError("scale must be above 0 and agreement between 0 and 1")
        if min(self.draws, self.neighbours, self.per_image, self.per_pair, self.images) < 1:
            raise ValueError("draws, neighbours, per_image, per_pair and images must be at least 1")


@dataclass(frozen=True)
class CalibrationSettings:
    """A small search at each of several scales of the noise, with otherwise the same settings."""

    scales: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 0.8)
    images: int = 300
    draws: int = 10
    identification: IdentificationSettings = IdentificationSettings()

    def __post_init__(self) -> None:
        if not self.scales or min(self.scales) <= 0 or min(self.images, self.draws) < 1:
            raise ValueError("scales must be above 0, images and draws at least 1")


@dataclass(frozen=True)
class RealErrorSettings:
    """The classifier's own mistakes on images of `role`, by `dimensions` principal components of its features."""

    role: str = "diagnosis"
    dimensions: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if self.role not in ("train", "pool", "diagnosis"):
            raise ValueError(f"role must be train, pool or diagnosis, got {self.role!r}")
        if self.dimensions < 2:
            raise ValueError(f"dimensions must be at least 2, got {self.dimensions}")


@dataclass(frozen=True)
class DistillationSettings:
    """Errors grouped into regions, those of one label and prediction at a time.

    `mixture`: a Bayesian Gaussian mixture with a Dirichlet process of at most `components`, diagonal or `full`,
    `concentration` 0 for 1 / components. `published`: one mixture of 100 full components over all, kept where they
    weigh more than 0.01. `hdbscan`: density, what is in no cluster stays out. A region has at least `least` members
    from at least two seed images.
    """

    method: str = "mixture"
    components: int = 8
    full: bool = False
    concentration: float = 0.0
    least: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in MIXTURES:
            raise ValueError(f"method must be one of {', '.join(MIXTURES)}, got {self.method!r}")
        if self.components < 1 or self.least < 2 or self.concentration < 0:
            raise ValueError("components must be at least 1, least at least 2 and concentration at least 0")


@dataclass(frozen=True)
class TestSettings:
    """Each region tried again: `draws` fresh codes from its Gaussian, its covariance times `spread`.

    Only draws count of which at least the share `agreement` of the `neighbours` nearest codes of real images has the
    region's label, as in a search; 0 switches it off.
    Which regions are found again among the seeds kept aside is decided at the false discovery rate `fdr`.
    """

    __test__ = False  # not a test for pytest

    draws: int = 200
    spread: float = 0.25
    neighbours: int = IdentificationSettings.neighbours
    agreement: float = IdentificationSettings.agreement
    fdr: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.draws, self.neighbours) < 1 or self.spread <= 0:
            raise ValueError("draws and neighbours must be at least 1, spread above 0")
        if not 0 < self.fdr < 1 or not 0 <= self.agreement <= 1:
            raise ValueError("fdr and agreement must lie between 0 and 1")

    def of_real(self) -> TestSettings:
        """What of this is asked of regions of real errors, from which nothing is drawn."""
        return TestSettings(fdr=self.fdr)


@dataclass(frozen=True)
class NoveltySettings:
    """How far regions lie from real images: between `pixels`, or between the classifier's `features`."""

    space: str = "features"

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ValueError(f"space must be one of {', '.join(SPACES)}, got {self.space!r}")


@dataclass(frozen=True)
class MapSettings:
    """Codes in the plane by a `method` of `engine.toolkit.projection`; at most `points` real images and errors each."""

    method: str = "pca"
    points: int = 900
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.points < 1:
            raise ValueError("points must be at least 1")


@dataclass(frozen=True)
class CorrectionSettings:
    """One classifier trained on from the given weights, by an arm, with a seed.

    The loss is that of real images plus `weight` times that of generated ones, in batches of `batch_size` each.
    `before` trains nothing; `continued` has the weight 0; `regions` takes `per_region` draws of each labelled region,
    but for the share `held_out` of the regions, which no arm sees; `identified` takes the single errors that were
    labelled, alone; `identified_mixed` those with real images; `unlabelled` decoded codes of real images, moved as
    little, with their own labels. `seed` decides what is held out and every draw; `order` the training's order.
    """

    arm: str = "regions"
    weight: float = 0.1
    per_region: int = 60
    held_out: float = 0.34
    steps: int = 300
    batch_size: int = 64
    learning_rate: float = 1e-3
    fresh: int = 5
    seed: int = 0
    order: int = 0
    keep_weights: bool = False

    def __post_init__(self) -> None:
        if self.arm not in ARMS:
            raise ValueError(f"arm must be one of {', '.join(ARMS)}, got {self.arm!r}")
        if self.weight < 0 or not 0 <= self.held_out < 1:
            raise ValueError("weight must be at least 0 and held_out between 0 and 1")
        if min(self.per_region, self.steps, self.batch_size, self.fresh) < 1 or self.learning_rate <= 0:
            raise ValueError("per_region, steps, batch_size and fresh must be at least 1, learning_rate above 0")
