"""Labels as they stood at a moment, for a correction to build on while labelling goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.methods.error_discovery.labelling import LabelState, recorded, replayed, snapshot
from engine.methods.error_discovery.result import Labels
from pages.parts.error_discovery.deciding import PERSON
from pages.parts.error_discovery.scene import Tried

TAKEN = "error labels snapshot"  # the kind of event


@dataclass(frozen=True)
class Snapshot:
    """What had been said of regions by a moment `at`, in seconds since 1970."""

    at: float
    state: LabelState

    @property
    def labels(self) -> Labels:
        """The decisions."""
        return snapshot(self.state, PERSON)

    @property
    def title(self) -> str:
        """When it was taken, and of how many regions."""
        when = datetime.fromtimestamp(self.at).strftime("%d %b, %H:%M")
        return f"{len(self.state.decisions)} regions, {when}"


def take(tried: Tried) -> None:
    """Remember what has been said by now."""
    shelf = tried.made.bench.store.shelf
    shelf.record(TAKEN, tried.about, str(len(recorded(shelf, tried.about))))


def snapshots(tried: Tried) -> dict[int, Snapshot]:
    """All that were taken, the newest first, by how much had been said."""
    shelf = tried.made.bench.store.shelf
    events = recorded(shelf, tried.about)
    found = {int(detail): at for at, detail in shelf.events(TAKEN, tried.about)}
    return {count: Snapshot(at, replayed(events[:count])) for count, at in sorted(found.items(), reverse=True)}
