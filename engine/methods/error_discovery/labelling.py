"""What people say of regions, as events that are only ever added, so that nothing is lost and all can be undone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from engine.methods.error_discovery.editing import Edit, Merge, Split
from engine.methods.error_discovery.result import Labels
from engine.runs.shelf import Shelf

KINDS = ("class", "unreadable", "mixed", "model_right", "skipped")  # of a decision
CHANGES = ("exclude", "include", "note", "merge", "split")
STEPS = ("undo", "redo")
RECORDED = "error region"  # the kind of event on the shelf


@dataclass(frozen=True)
class Event:
    """One thing that `by` did: `kind` is a decision of `KINDS`, or one of `CHANGES` or `STEPS`.

    `region` it is about; `label`, the class of a decision `class`; `draw`, the number of the image to exclude or
    include; `other`, the region to merge with; `note`, the text of a note; `seconds` that it took; `at` when, since
    1970 in seconds.
    """

    kind: str
    region: int = -1
    label: int = -1
    draw: int = -1
    other: int = -1
    note: str = ""
    by: str = ""
    seconds: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in (*KINDS, *CHANGES, *STEPS):
            raise ValueError(f"there is no labelling event {self.kind!r}")
        if self.kind == "class" and self.label < 0:
            raise ValueError("which class is it?")

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Event:
        """The event that `to_json` wrote down."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class LabelState:
    """What all events come to.

    `decisions`: the last one of each region that is alive; `opinions`: the last one of each person on it; `excluded`:
    pairs of a region and the number of an image; `notes` by region; `edits` in their order. What can be undone is
    `done`, the newest last, and what can be redone `undone`, the next one last.
    """

    decisions: Mapping[int, Event] = field(default_factory=dict)
    opinions: Mapping[int, Mapping[str, Event]] = field(default_factory=dict)
    excluded: frozenset[tuple[int, int]] = frozenset()
    notes: Mapping[int, str] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    done: tuple[Event, ...] = ()
    undone: tuple[Event, ...] = ()


def replayed(events: Iterable[Event]) -> LabelState:
    """The state after these events; undo and redo are events as well, and do nothing where there is nothing to do."""
    done: list[Event] = []
    undone: list[Event] = []
    for event in events:
        if event.kind == "undo":
            if done:
                undone.append(done.pop())
        elif event.kind == "redo":
            if undone:
                done.append(undone.pop())
        else:
            done.append(event)
            undone.clear()
    return replace(state_after(done), done=tuple(done), undone=tuple(undone))


def state_after(done: Sequence[Event]) -> LabelState:
    """What is decided, excluded, noted and edited after these events, none of which is an undo."""
    decisions: dict[int, Event] = {}
    opinions: dict[int, dict[str, Event]] = {}
    excluded: set[tuple[int, int]] = set()
    notes: dict[int, str] = {}
    edits: list[Edit] = []
    for event in done:
        pair = (event.region, event.draw)
        if event.kind in KINDS:
            decisions[event.region] = event
            opinions.setdefault(event.region, {})[event.by] = event
        elif event.kind == "exclude":
            excluded.add(pair)
        elif event.kind == "include":
            excluded.discard(pair)
        elif event.kind == "note":
            notes[event.region] = event.note
        else:
            merge = event.kind == "merge"
            edits.append(Merge(event.region, event.other) if merge else Split(event.region))
            for dead in (event.region, event.other) if merge else (event.region,):
                decisions.pop(dead, None)
                opinions.pop(dead, None)
    return LabelState(decisions, opinions, frozenset(excluded), notes, tuple(edits))


def snapshot(state: LabelState, by: str) -> Labels:
    """The decisions as they stand, by region, for a correction to build on; `by` is who labelled."""
    said = {region: (event.kind, event.label) for region, event in state.decisions.items()}
    return labels_of(said, state.excluded, by)


def labels_of(decisions: Mapping[int, tuple[str, int]], excluded: Iterable[tuple[int, int]], by: str) -> Labels:
    """Labels from the kind and label (-1 for none) of each region, and excluded pairs of a region and a draw."""
    regions = sorted(decisions)
    return Labels(
        region=np.array(regions, np.int64),
        kind=np.array([decisions[region][0] for region in regions], np.str_),
        label=np.array([decisions[region][1] for region in regions], np.int64),
        excluded=np.array(sorted(excluded), np.int64).reshape(-1, 2),
        by=by,
    )


def record(shelf: Shelf, about: str, event: Event) -> None:
    """Write the event down at once; `about` is the fingerprint of the run that gave the regions."""
    shelf.record(RECORDED, about, event.to_json())


def recorded(shelf: Shelf, about: str) -> list[Event]:
    """All events about these regions, oldest first, with the time at which each was written down."""
    return [replace(Event.from_json(detail), at=at) for at, detail in shelf.events(RECORDED, about)]
