"""The answer to the question that was asked last, for questions that come several times in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Latest(Generic[Answer]):
    """Keeps one answer, that of the last key, until another is asked for or the program ends.

    Threads that ask at once may each work it out, and each gets its own.
    """

    def __init__(self) -> None:
        self.last: tuple[str, Answer] | None = None

    def of(self, key: str, make: Callable[[], Answer]) -> Answer:
        """The kept answer where it is the key's, else the one that is made now."""
        kept = self.last
        if kept is None or kept[0] != key:
            kept = self.last = (key, make())
        return kept[1]
