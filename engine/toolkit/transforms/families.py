"""The transform families: what each one's number means, where it changes nothing, how far it goes. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Side:
    """One direction of a family: what it is called, and the value at its far end."""

    name: str
    end: float


@dataclass(frozen=True)
class Family:
    """Changes of one kind, each told by one number.

    `value` runs from `identity`, which gives the image back, to the end of a side; `log` says that equal steps are
    equal factors. `severity` is the same for every family: 0 is the identity, 1 the end of the first side, -1 that
    of the second where there are two. Lengths are shares of the image's shorter side in per cent, so that they mean
    the same at every size. `differentiable`: a gradient by the value, through the pixels, is of use.
    """

    name: str
    title: str
    group: str
    says: str
    unit: str
    identity: float
    sides: tuple[Side] | tuple[Side, Side]
    log: bool = False
    differentiable: bool = True
    needs_colour: bool = False

    @property
    def signs(self) -> tuple[int, ...]:
        """1 for the first side, -1 for the second where there is one."""
        return (1, -1)[: len(self.sides)]

    def side(self, sign: int) -> Side:
        """The side that severities of this sign lie on."""
        return self.sides[0 if sign > 0 else 1]

    def value(self, severity: float) -> float:
        """The number that belongs to a severity in [-1, 1]; ValueError where the family has no such side."""
        self._check(severity)
        if severity == 0:
            return self.identity
        end, share = self.side(1 if severity > 0 else -1).end, abs(severity)
        if self.log:
            return self.identity * (end / self.identity) ** share
        return self.identity + share * (end - self.identity)

    def severity(self, value: float) -> float:
        """The severity that belongs to a number; beyond 1 in size where it lies outside the range."""
        if value == self.identity:
            return 0.0
        for sign in self.signs:
            if self.log and value <= 0:
                break
            end = self.side(sign).end
            if (value > self.identity) == (end > self.identity):
                if self.log:
                    return sign * math.log(value / self.identity) / math.log(end / self.identity)
                return sign * (value - self.identity) / (end - self.identity)
        raise ValueError(f"{self.title.lower()} has no value {value:g}: it starts at {self.identity:g} {self.unit}")

    def misfit(self, channels: int) -> str:
        """Why the family doesn't fit images of 1 (grey) or 3 channels; "" where it does."""
        return "the images are grey" if self.needs_colour and channels == 1 else ""

    def _check(self, severity: float) -> None:
        low = -1 if len(self.sides) == 2 else 0
        if not low <= severity <= 1:
            raise ValueError(f"severity of {self.title.lower()} must lie in [{low}, 1], got {severity:g}")


def _both(first: str, end: float, second: str, other: float) -> tuple[Side, Side]:
    return Side(first, end), Side(second, other)


def _one(name: str, end: float) -> tuple[Side]:
    return (Side(name, end),)


GEOMETRY, COVER, LIGHT, BLUR, NOISE, DIGITAL = "geometry", "cover", "light", "blur", "noise", "digital"
DEGREES, SIDE, FACTOR = "°", "% of the side", "times"

# In the order in which they are applied where several are: the scene, what covers it, its light, the lens, the sensor,
# the file. All geometric ones together take one interpolation, in this order too.
FAMILIES = (
    Family(
        "rotation",
        "Rotation",
        GEOMETRY,
        "turned about the centre",
        DEGREES,
        0,
        _both("counter-clockwise", 45, "clockwise", -45),
    ),
    Family("translation_x", "Shift across", GEOMETRY, "moved sideways", SIDE, 0, _both("right", 25, "left", -25)),
    Family("translation_y", "Shift up or down", GEOMETRY, "moved up or down", SIDE, 0, _both("down", 25, "up", -25)),
    Family(
        "scale",
        "Size",
        GEOMETRY,
        "enlarged or shrunk about the centre",
        FACTOR,
        1,
        _both("larger", 2, "smaller", 0.5),
        log=True,
    ),
    Family("shear", "Shear", GEOMETRY, "slanted", DEGREES, 0, _both("to the right", 30, "to the left", -30)),
    Family("perspective", "Perspective", GEOMETRY, "each corner pulled in by its own share", SIDE, 0, _one("more", 40)),
    Family("elastic", "Elastic", GEOMETRY, "warped smoothly, by so much on average", SIDE, 0, _one("more", 10)),
    Family("occlusion", "Occlusion", COVER, "a grey square hides a part", SIDE, 0, _one("larger", 60)),
    Family(
        "time_mask",
        "Time mask",
        COVER,
        "a band of columns set to 0, as in spectrograms",
        "% of the width",
        0,
        _one("wider", 40),
    ),
    Family(
        "frequency_mask",
        "Frequency mask",
        COVER,
        "a band of rows set to 0, as in spectrograms",
        "% of the height",
        0,
        _one("wider", 40),
    ),
    Family(
        "brightness",
        "Brightness",
        LIGHT,
        "all values multiplied",
        FACTOR,
        1,
        _both("brighter", 4, "darker", 0.1),
        log=True,
    ),
    Family(
        "contrast",
        "Contrast",
        LIGHT,
        "distances from the mean grey multiplied",
        FACTOR,
        1,
        _both("more", 4, "less", 0.05),
        log=True,
    ),
    Family(
        "gamma",
        "Gamma",
        LIGHT,
        "values raised to a power",
        "exponent",
        1,
        _both("darker middle", 4, "lighter middle", 0.25),
        log=True,
    ),
    Family(
        "saturation",
        "Saturation",
        LIGHT,
        "colours stronger or paler",
        FACTOR,
        1,
        _both("stronger", 3, "paler", 0),
        needs_colour=True,
    ),
    Family(
        "hue",
        "Hue",
        LIGHT,
        "colours turned around the wheel",
        DEGREES,
        0,
        _both("forward", 180, "back", -180),
        needs_colour=True,
    ),
    Family("inversion", "Inversion", LIGHT, "blended with the negative", "share", 0, _one("more", 1)),
    Family(
        "gaussian_blur", "Gaussian blur", BLUR, "out of focus, by this standard deviation", SIDE, 0, _one("more", 15)
    ),
    Family("motion_blur", "Motion blur", BLUR, "smeared along a line of this length", SIDE, 0, _one("longer", 60)),
    Family(
        "gaussian_noise",
        "Gaussian noise",
        NOISE,
        "grain of this standard deviation",
        "of the range",
        0,
        _one("more", 0.3),
    ),
    Family(
        "shot_noise",
        "Shot noise",
        NOISE,
        "too few photons; the standard deviation at white",
        "of the range",
        0,
        _one("more", 0.4),
        differentiable=False,
    ),
    Family(
        "salt_and_pepper",
        "Salt and pepper",
        NOISE,
        "pixels gone black or white",
        "share of pixels",
        0,
        _one("more", 0.2),
        differentiable=False,
    ),
    Family(
        "pixelate",
        "Pixelate",
        DIGITAL,
        "fewer pixels across",
        "of the resolution",
        1,
        _one("coarser", 0.1),
        log=True,
        differentiable=False,
    ),
    Family("quantise", "Quantise", DIGITAL, "fewer levels of grey", "bits", 8, _one("fewer", 1), differentiable=False),
    Family(
        "jpeg", "JPEG", DIGITAL, "compressed and opened again", "quality", 100, _one("lower", 1), differentiable=False
    ),
)
BY_NAME = {family.name: family for family in FAMILIES}


def family_named(name: str) -> Family:
    """The family of this name; ValueError with the names there are."""
    if name not in BY_NAME:
        raise ValueError(f"there is no transform called {name!r}; there are {', '.join(BY_NAME)}")
    return BY_NAME[name]


def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order in which the families are applied."""
    return tuple(family.name for family in FAMILIES if family.name in {family_named(name).name for name in names})
