"""Words from files, made safe to show: class and file names are a stranger's."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$^=&])")
# Streamlit replaces some of these after it has read the Markdown, where a backslash doesn't help
LATE = re.compile(r"(?<=:)(?=\S)|(?=@)|(?<=-)(?=-)|(?<=[<>=])(?==)|(?<=www)(?=\.)|(?<=:/)(?=/)")
MOST_LISTED = 6  # of a setting's values
WORD_JOINER = "\u2060"  # no width, and no break


def plain(text: str) -> str:
    """The text so that Streamlit's Markdown shows it as it is."""
    return SPECIAL.sub(r"\\\1", LATE.sub(WORD_JOINER, text.replace("\n", " ")))


def briefly(value: object) -> str:
    """A setting in a few words: of a long list, or one of lists, only how many there are."""
    if isinstance(value, (list, tuple)):
        simple = len(value) <= MOST_LISTED and not any(isinstance(each, (list, tuple, dict)) for each in value)
        return (" ".join(map(str, value)) or "none") if simple else f"({len(value)})"
    return str(value)


def duration(seconds: float) -> str:
    """A time in the words a person would use."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
