"""What to evaluate."""

from __future__ import annotations

from dataclasses import dataclass

from engine.subject.image_set import Role

ROLES = (*(role.value for role in Role), "all")


@dataclass(frozen=True)
class EvaluationSettings:
    """Which images are classified: those of a role, or `all`."""

    role: str = Role.DIAGNOSIS.value

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role must be one of {', '.join(ROLES)}, got {self.role!r}")


@dataclass(frozen=True)
class FeatureSettings:
    """Whose features are computed, and how many images at most (drawn by hash of their ids, so always the same)."""

    role: str = Role.TRAIN.value
    most_images: int = 20_000

    def __post_init__(self) -> None:
        EvaluationSettings(self.role)
        if self.most_images < 1:
            raise ValueError(f"most_images must be at least 1, got {self.most_images}")
