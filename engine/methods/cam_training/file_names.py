"""Which image a file belongs to, by its name."""

from __future__ import annotations

from collections.abc import Sequence


class FileNames:
    """The images' relative file names (N,), to be found by those of other files: masks, or the rows of a table."""

    def __init__(self, names: Sequence[str]) -> None:
        self.exact = {name: index for index, name in enumerate(names)}
        self.stems: dict[str, list[int]] = {}
        self.ends: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            stem, *shorter = ends_of(name)
            self.stems.setdefault(stem, []).append(index)
            for end in (stem, *shorter):
                self.ends.setdefault(end, []).append(index)

    def index(self, name: str) -> int:
        """The image of this name, else of this name but for the suffix, else the one that ends most like it.

        ValueError where there is none, or more than one.
        """
        name = name.replace("\\", "/")
        if name in self.exact:
            return self.exact[name]
        for end in ends_of(name):
            for table in (self.stems, self.ends):
                if found := table.get(end):
                    if len(found) == 1:
                        return found[0]
                    raise ValueError(f"{len(found):,} images have this name; put their folder before it")
        raise ValueError("no image has this name")


def ends_of(name: str) -> list[str]:
    """The name without its suffix, then without its first folder, and so on: a/b/c.png -> a/b/c, b/c, c."""
    *folders, last = name.split("/")
    stem = last.rpartition(".")[0] or last
    return ["/".join([*folders[start:], stem]) for start in range(len(folders) + 1)]
