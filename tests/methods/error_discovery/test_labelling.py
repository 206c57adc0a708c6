import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.error_discovery.editing import Merge, Split
from engine.methods.error_discovery.labelling import (
    CHANGES,
    KINDS,
    RECORDED,
    Event,
    record,
    recorded,
    replayed,
    snapshot,
    state_after,
)
from engine.runs.store import Store

PEOPLE = st.sampled_from(["", "ada", "bo"])
DECISIONS = st.builds(Event, st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 2), by=PEOPLE)
PICTURES = st.builds(Event, st.sampled_from(["exclude", "include"]), st.integers(0, 3), draw=st.integers(0, 2))
NOTES = st.builds(Event, st.just("note"), st.integers(0, 3), note=st.text(max_size=5))
EDITS = st.builds(Event, st.sampled_from(["merge", "split"]), st.integers(0, 3), other=st.integers(4, 5))
STEPS = st.builds(Event, st.sampled_from(["undo", "undo", "redo"]))
EVENTS = st.lists(st.one_of(DECISIONS, PICTURES, NOTES, EDITS, STEPS), max_size=25)


def test_the_last_decision_on_a_region_counts():
    state = replayed([Event("class", 3, 1), Event("skipped", 5), Event("unreadable", 3)])
    assert {region: event.kind for region, event in state.decisions.items()} == {3: "unreadable", 5: "skipped"}


def test_images_are_excluded_and_taken_back_and_notes_kept():
    events = [Event("exclude", 1, draw=4), Event("exclude", 1, draw=6), Event("include", 1, draw=4)]
    state = replayed([*events, Event("note", 1, note="thin"), Event("note", 1, note="thin strokes")])
    assert state.excluded == {(1, 6)}
    assert state.notes == {1: "thin strokes"}


def test_edits_come_in_their_order_and_dead_regions_lose_their_decisions():
    state = replayed([Event("mixed", 1), Event("class", 2, 0), Event("split", 1), Event("merge", 2, other=3)])
    assert state.edits == (Split(1), Merge(2, 3))
    assert state.decisions == {}
    undone = replayed([Event("mixed", 1), Event("split", 1), Event("undo")])
    assert undone.edits == ()
    assert undone.decisions[1].kind == "mixed"


def test_undo_and_redo_go_as_deep_as_there_are_events_and_a_new_one_ends_redoing():
    one, two, three = Event("class", 0, 1), Event("class", 1, 1), Event("class", 2, 1)
    undo, redo = Event("undo"), Event("redo")
    assert replayed([one, two, undo, undo]).decisions == {}
    assert replayed([one, two, undo, undo]).undone == (two, one)
    assert replayed([one, two, undo, undo, redo, redo]) == replayed([one, two])
    assert replayed([one, two, undo, three, redo]) == replayed([one, three])
    assert replayed([undo, redo, one]) == replayed([one])


def test_each_person_has_an_opinion_of_their_own():
    events = [Event("class", 0, 1, by="ada"), Event("class", 0, 2, by="bo"), Event("class", 0, 2, by="ada")]
    state = replayed(events)
    assert {name: event.label for name, event in state.opinions[0].items()} == {"ada": 2, "bo": 2}


def test_a_snapshot_holds_what_is_decided_by_region():
    state = replayed([Event("model_right", 4), Event("class", 2, 7), Event("exclude", 2, draw=3)])
    labels = snapshot(state, "ada")
    assert labels.region.tolist() == [2, 4]
    assert labels.kind.tolist() == ["class", "model_right"]
    assert labels.label.tolist() == [7, -1]
    assert labels.excluded.tolist() == [[2, 3]]
    assert labels.by == "ada"
    empty = snapshot(replayed([]), "ada")
    assert empty.excluded.shape == (0, 2)
    assert len(empty.region) == 0


def test_what_is_no_event_is_refused():
    with pytest.raises(ValueError, match="no labelling event 'guess'"):
        Event("guess", 1)
    with pytest.raises(ValueError, match="which class"):
        Event("class", 1)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_undo_and_redo_are_a_stack(events):
    done: list[Event] = []
    history: list[list[Event]] = []  # every earlier list of what was done, as a person would keep it
    future: list[list[Event]] = []
    for event in events:
        if event.kind == "undo":
            if history:
                future.append(done)
                done = history.pop()
        elif event.kind == "redo":
            if future:
                history.append(done)
                done = future.pop()
        else:
            history.append(done)
            done, future = [*done, event], []
    state = replayed(events)
    assert list(state.done) == done
    assert state.decisions == state_after(done).decisions
    assert state.edits == state_after(done).edits
    dead = {region for edit in state.edits for region in ([edit.region] if isinstance(edit, Split) else [edit.first])}
    later = {event.region for event in done if event.kind in KINDS}
    assert set(state.decisions) <= later
    assert all(event.kind in (*KINDS, *CHANGES) for event in done)
    assert dead <= {0, 1, 2, 3}


@settings(max_examples=50, deadline=None)
@given(EVENTS)
def test_events_survive_their_text(events):
    assert [Event.from_json(event.to_json()) for event in events] == events
    assert all(json.loads(event.to_json())["kind"] == event.kind for event in events)


@settings(max_examples=8, deadline=None)
@given(EVENTS)
def test_after_a_crash_the_state_is_the_same(tmp_path_factory, events):
    folder = tmp_path_factory.mktemp("crash")
    for event in events:
        record(Store(folder).shelf, "regions", event)  # a new process each time: nothing but the file is left
        record(Store(folder).shelf, "other regions", Event("skipped", 0))
    found = recorded(Store(folder).shelf, "regions")
    state, expected = replayed(found), replayed(events)
    assert [(each.kind, each.region, each.draw) for each in state.done] == [
        (each.kind, each.region, each.draw) for each in expected.done
    ]
    assert snapshot(state, "x").region.tolist() == snapshot(expected, "x").region.tolist()
    assert state.excluded == expected.excluded
    assert all(each.at > 0 for each in found)


def test_every_event_is_in_the_store_at_once(store):
    record(store.shelf, "regions", Event("class", 1, 2, by="ada"))
    assert len(store.shelf.events(RECORDED, "regions")) == 1
    assert np.isclose(recorded(store.shelf, "regions")[0].at, store.shelf.events(RECORDED, "regions")[0][0])
