"""What a person asks: whose maps by which rule, what a classifier should not look at, and how it is taught."""

from __future__ import annotations

from dataclasses import dataclass

from engine.subject.image_set import Role

ROLES = tuple(role.value for role in Role)
METHODS = (
    "auto",
    "cam",
    "gradcam",
    "hirescam",
    "gradcampp",
    "xgradcam",
    "layercam",
    "eigencam",
    "scorecam",
    "ablationcam",
)
ANSWERS = ("all", "wrong", "right")
LABEL, PREDICTION, REST, NOTHING = "label", "prediction", "rest", ""
SHAPES = ("box", "gaussian", "distance", "border", "rectangle", "ellipse", "picture", "each")
SIZES = {"box": 0.5, "gaussian": 0.25, "distance": 0.25, "border": 0.15}
SIDES = ("outside", "inside")
ARMS = ("default", "cam", "crop", "decorrelated")
LOSSES = ("mse", "l1", "energy", "margin", "published", "published_as_it_was")
STARTS = ("scratch", "reset", "continue")
BALANCES = ("none", "sampling", "augmentation")
SEEDS = 3  # of a comparison, until another number is asked for
REPORTS = (Role.TEST.value, Role.DIAGNOSIS.value)


@dataclass(frozen=True)
class CamSettings:
    """Whose maps are made, of what, by which rule.

    `of` is what the map speaks for: `label`, `prediction` or a class by its number ("3"); `against` is what it is
    told apart from: "" nothing, `rest` all other classes by their softmax share, `label`, `prediction` or a class.
    `auto` is the exact CAM where the classifier's head is an average and one linear layer, else HiResCAM. `layer` is a
    name of the network's modules, "" for the last one that keeps a map. `images` at most are drawn, by the hash of
    their ids, out of those of the role with these `labels` (class numbers, empty: any) and answers; a selection given
    as input takes the role's place.
    """

    method: str = "auto"
    layer: str = ""
    of: str = PREDICTION
    against: str = REST
    role: str = Role.DIAGNOSIS.value
    images: int = 200
    answers: str = "all"
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.role not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}, got {self.role!r}")
        if self.answers not in ANSWERS:
            raise ValueError(f"answers must be one of {', '.join(ANSWERS)}, got {self.answers!r}")
        if self.images < 1:
            raise ValueError(f"images must be at least 1, got {self.images}")
        if not (self.of in (LABEL, PREDICTION) or self.of.isdecimal()):
            raise ValueError(f"a map speaks for label, prediction or a class's number, got {self.of!r}")
        if not (self.against in (NOTHING, REST, LABEL, PREDICTION) or self.against.isdecimal()):
            raise ValueError(f"against must be rest, label, prediction, a class's number or none, got {self.against!r}")
        if self.of == self.against:
            raise ValueError(f"the contrast of {self.of} against itself is nothing")


@dataclass(frozen=True)
class HidingSettings:
    """How much of each image is hidden, as shares of its area, and in how many random places beside the hot one."""

    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    places: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.shares or not all(0 < share < 1 for share in self.shares):
            raise ValueError(f"shares must lie between 0 and 1, got {self.shares}")
        if self.places < 1:
            raise ValueError(f"places must be at least 1, got {self.places}")


@dataclass(frozen=True)
class GroupSettings:
    """Whose maps are grouped: those of images with this label (a class number), -1 for all; at most `most` groups."""

    label: int = -1
    most: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if self.most < 2:
            raise ValueError(f"most must be at least 2, got {self.most}")


@dataclass(frozen=True)
class MaskSettings:
    """Where a classifier should not look; all lengths are shares of the image's height or width.

    `box`: a centred rectangle with sides of `size`; `gaussian`: one minus a bell with this standard deviation;
    `distance`: free within `size` of the centre, then growing in a straight line to the corner; `border`: a strip so
    wide along the edges, whose inside is the rest of the image; `rectangle` and `ellipse` fill the box from (`top`,
    `left`) to (`bottom`, `right`); `picture` is one uploaded for all images and `each` one for every image, both
    inputs of the step. `forbidden` is what lies `outside` the shape, or `inside` it. A size of 0 is the shape's usual.
    """

    shape: str = "box"
    size: float = 0.0
    top: float = 0.25
    left: float = 0.25
    bottom: float = 0.75
    right: float = 0.75
    forbidden: str = "outside"

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise ValueError(f"shape must be one of {', '.join(SHAPES)}, got {self.shape!r}")
        if self.forbidden not in SIDES:
            raise ValueError(f"forbidden must be outside or inside, got {self.forbidden!r}")
        if not 0 <= self.size <= 1:
            raise ValueError(f"size must lie in 0 to 1, got {self.size}")
        if not (0 <= self.top < self.bottom <= 1 and 0 <= self.left < self.right <= 1):
            raise ValueError(
                "the box must lie in the image, its top above its bottom and its left before its right, got "
                f"{self.top}, {self.left}, {self.bottom}, {self.right}"
            )


@dataclass(frozen=True)
class TeachingSettings:
    """One classifier trained once: which arm, what the CAM term says, and how long and how fast.

    Arms: `default` is plain training; `cam` adds the CAM term; `crop` shows the network only the allowed box;
    `decorrelated` pastes the allowed part onto other classes' backgrounds while training. `loss` is the CAM term's
    form, `weight` what it is multiplied by, and it is on from the share `begin` of all steps to `end`. The two
    published losses have a schedule of their own: a third each of cross-entropy, CAM term, cross-entropy. `start`:
    weights drawn anew, only the last layer's drawn anew, or on from those given. `balance`: rare classes drawn as
    often as common ones, or filled up with slightly moved copies. `seed` decides weights and order, so that the arms
    of one seed differ in nothing else. `report` is the role of the images that it is told how it does on: what is tuned
    by looking is tuned on `diagnosis`. `keep_weights`: the result holds the trained weights.
    """

    arm: str = "cam"
    loss: str = "mse"
    weight: float = 1.0
    begin: float = 0.0
    end: float = 1.0
    mask: MaskSettings = MaskSettings()
    layer: str = ""
    start: str = "scratch"
    balance: str = "none"
    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    seed: int = 0
    report: str = Role.TEST.value
    keep_weights: bool = False

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("arm", self.arm, ARMS),
            ("loss", self.loss, LOSSES),
            ("start", self.start, STARTS),
            ("balance", self.balance, BALANCES),
            ("report", self.report, REPORTS),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        if self.weight < 0:
            raise ValueError(f"weight must be at least 0, got {self.weight}")
        if not 0 <= self.begin < self.end <= 1:
            raise ValueError(f"the CAM term is on from one share of the steps to a later, got {self.begin}, {self.end}")
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, for a batch norm needs several, got {self.batch_size}")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError("learning_rate must be above 0 and weight_decay at least 0")
