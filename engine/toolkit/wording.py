"""Small parts of sentences that several methods say alike."""

from __future__ import annotations


def capital(words: str) -> str:
    """The words as a sentence begins."""
    return words[:1].upper() + words[1:]


def plural(count: int, noun: str) -> str:
    """The count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def points(share: float, form: str = ".1f") -> str:
    """A difference of shares in percentage points, the number in this format."""
    said = f"{100 * share:{form}}"
    return f"{said} point{'' if said == '1' else 's'}"
