from __future__ import annotations

import io
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from engine.runs import documents as documents_module
from engine.runs.run import Outcome, Run
from engine.runs.shelf import DatasetRow, ModelRow, Selection
from engine.runs.store import Store


@dataclass(frozen=True)
class Numbers:
    values: np.ndarray


def question(subject: str = "s", **settings) -> Run:
    return Run(step="count", version=1, subject=subject, settings=settings)


def answered(store: Store, run: Run, values: np.ndarray, model: str = "m", dataset: str = "d") -> None:
    assert store.register.ask(run, "counting", model, dataset, "me")
    store.register.start(run.fingerprint)
    store.finish(run, Numbers(values))


def test_the_same_question_has_the_same_name_whatever_the_order_of_its_settings():
    assert question(a=1, b=2).fingerprint == question(b=2, a=1).fingerprint
    assert question(a=1).fingerprint != question(a=2).fingerprint
    assert question().fingerprint != Run("count", 2, "s", {}).fingerprint
    assert question().fingerprint != Run("count", 1, "s", {}, seed=1).fingerprint
    assert question().fingerprint != Run("count", 1, "s", {}, {"labels": "x"}).fingerprint


def test_a_result_is_found_again_by_another_store_on_the_same_folder(store, home):
    answered(store, question(), np.arange(5))
    found = Store(home).result(question(), Numbers)
    np.testing.assert_array_equal(found.values, np.arange(5))


def test_an_unknown_question_and_a_failed_one_have_no_result(store):
    assert store.result(question(), Numbers) is None
    store.register.ask(question(), "counting", "m", "d", "me")
    store.register.end(question().fingerprint, Outcome.FAILED, "no")
    assert store.result(question(), Numbers) is None


def test_a_result_that_cannot_be_read_counts_as_absent(store):
    answered(store, question(), np.arange(5))
    with store.database.writing() as tables:
        tables.conn.execute("update arrays set data = ?", [b"\x93NUMPY broken"])
    assert store.result(question(), Numbers) is None


def test_large_arrays_become_files_that_are_mapped_not_read(store, monkeypatch):
    monkeypatch.setattr(documents_module, "LARGE_BYTES", 1000)
    answered(store, question(), np.arange(1000))
    found = store.result(question(), Numbers)
    assert isinstance(found.values, np.memmap)
    np.testing.assert_array_equal(found.values, np.arange(1000))
    assert len(list(store.database.files.iterdir())) == 1
    store.forget_run(question().fingerprint)
    assert list(store.database.files.iterdir()) == []


def test_two_runs_may_share_a_large_array_and_forgetting_one_leaves_the_other(store, monkeypatch):
    monkeypatch.setattr(documents_module, "LARGE_BYTES", 1000)
    answered(store, question(a=1), np.arange(1000))
    answered(store, question(a=2), np.arange(1000))
    store.forget_run(question(a=1).fingerprint)
    np.testing.assert_array_equal(store.result(question(a=2), Numbers).values, np.arange(1000))


def test_many_threads_write_at_once_and_nothing_is_lost(store):
    def save(number: int) -> None:
        answered(store, question(number=number), np.full(10, number))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(save, range(40)))
    for number in range(40):
        assert store.result(question(number=number), Numbers).values[0] == number


def test_a_write_that_fails_half_way_leaves_nothing(store):
    def half_way() -> None:
        with store.database.writing() as tables:
            tables.table("state").insert({"key": "a", "value": "1"}, pk="key")
            tables.conn.execute("no such statement")

    with pytest.raises(sqlite3.OperationalError):
        half_way()
    assert store.shelf.recall("a") is None


def test_what_runs_elsewhere_is_not_started_twice_until_its_owner_falls_silent(store, monkeypatch):
    assert store.register.ask(question(), "counting", "m", "d", "somebody")
    assert not store.register.ask(question(), "counting", "m", "d", "me")
    with store.database.writing() as tables:
        tables.conn.execute("update runs set heartbeat = heartbeat - 1000")
    assert store.register.entry(question().fingerprint).outcome == Outcome.INTERRUPTED
    assert store.register.ask(question(), "counting", "m", "d", "me")


def test_forgetting_a_model_forgets_its_runs_and_its_weights_but_not_those_of_others(store):
    weights = store.database.keep_file(io.BytesIO(b"weights"))
    store.shelf.add_model(ModelRow("m1", "one", {}, weights))
    store.shelf.add_model(ModelRow("m2", "the same with another size", {}, weights))
    answered(store, question("s1"), np.arange(3), model="m1")
    answered(store, question("s2"), np.arange(3), model="m2")
    store.forget_model("m1")
    assert [row.fingerprint for row in store.shelf.models()] == ["m2"]
    assert (store.database.files / weights).exists()
    assert store.result(question("s1"), Numbers) is None
    assert store.result(question("s2"), Numbers) is not None
    store.forget_model("m2")
    assert not (store.database.files / weights).exists()


def test_forgetting_data_removes_upload_index_selections_and_runs(store):
    upload = store.database.keep_folder([("photos.zip", io.BytesIO(b"zip"))])
    (store.database.files / upload / "unpacked").mkdir()
    store.shelf.add_dataset(DatasetRow("d", "photos", {"path": "x"}, file=upload))
    store.shelf.keep_selection(Selection("mine", "d", "by hand", ("a", "b")))
    answered(store, question(), np.arange(3), dataset="d")
    store.forget_dataset("d")
    assert store.shelf.datasets() == []
    assert store.shelf.selections("d") == []
    assert list(store.database.files.iterdir()) == []
    assert store.register.entries() == []


def test_past_the_quota_the_result_used_longest_ago_goes_first_and_models_stay(home, monkeypatch):
    monkeypatch.setattr("engine.runs.register.TOUCH_SECONDS", 0)
    store = Store(home)
    weights = store.database.keep_file(io.BytesIO(b"w" * 1000))
    store.shelf.add_model(ModelRow("fix", "a fix", {}, weights, parent="m", run="r"))
    for number in range(3):
        answered(store, question(number=number), np.random.default_rng(number).random(200_000))
    assert store.result(question(number=0), Numbers) is not None  # used again
    store.quota_bytes = store.database.bytes_used() - 1_000_000
    gone = store.make_room()
    assert gone == [question(number=1).fingerprint]
    assert store.result(question(number=0), Numbers) is not None
    assert store.database.bytes_used() <= store.quota_bytes + 100_000
    assert len(store.shelf.models()) == 1


def test_a_file_that_has_no_room_is_refused_with_numbers(home):
    store = Store(home, quota_bytes=1_000_000)
    with pytest.raises(ValueError, match="no room for 5 MB"):
        store.check_room(5_000_000)


def test_kept_files_are_named_by_content_and_a_broken_copy_leaves_nothing(store):
    name = store.database.keep_file(io.BytesIO(b"same"))
    assert store.database.keep_file(io.BytesIO(b"same")) == name

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        store.database.keep_file(Broken())
    assert [path.name for path in store.database.files.iterdir()] == [name]


def test_selections_events_and_state_are_found_again(store, home):
    store.shelf.keep_selection(Selection("cell", "d", "confusion", ("a", "b")))
    store.shelf.record("test opened", "d", "12 images")
    store.shelf.remember("open", {"model": "m"})
    again = Store(home).shelf
    assert again.selections("d") == [Selection("cell", "d", "confusion", ("a", "b"))]
    assert [detail for _, detail in again.events("test opened", "d")] == ["12 images"]
    assert again.recall("open") == {"model": "m"}


def test_the_tables_are_ordinary_sqlite_in_wal_mode(store):
    with sqlite3.connect(store.database.path) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


def test_files_that_belong_together_are_kept_by_name_and_none_leaves_its_folder(store, tmp_path):
    folder = store.database.keep_folder([("a/../../images.gz", io.BytesIO(b"i")), ("labels.gz", io.BytesIO(b"l"))])
    kept = store.database.files / folder
    assert sorted(path.name for path in kept.iterdir()) == ["images.gz", "labels.gz"]
    assert store.database.keep_folder([("images.gz", io.BytesIO(b"i")), ("labels.gz", io.BytesIO(b"l"))]) == folder
    with pytest.raises(ValueError, match="comes twice"):
        store.database.keep_folder([("x/a.png", io.BytesIO(b"1")), ("y/a.png", io.BytesIO(b"2"))])
    with pytest.raises(ValueError, match="can't be used"):
        store.database.keep_folder([("..", io.BytesIO(b"1"))])
    assert [path.name for path in store.database.files.iterdir()] == [folder]


def test_the_result_that_was_just_found_is_never_the_one_that_goes(store):
    answered(store, question(number=1), np.zeros(1000))
    store.quota_bytes = 1
    assert store.make_room(spared=question(number=1).fingerprint) == []
    assert store.make_room() == [question(number=1).fingerprint]


def test_a_run_that_was_forgotten_while_it_ran_leaves_nothing(store):
    store.register.ask(question(), "counting", "m", "d", "me")
    store.register.start(question().fingerprint)
    store.forget_run(question().fingerprint)
    store.register.beat("me", question().fingerprint, 0.5, "counting")
    store.finish(question(), Numbers(np.arange(3)))
    assert store.register.entries() == []
    assert store.documents.find(question().fingerprint, Numbers) is None


def test_only_a_kept_file_s_own_name_is_dropped(store):
    name = store.database.keep_file(io.BytesIO(b"x"))
    for hostile in ("", "..", "a/..", f"../files/{name}"):
        with pytest.raises(ValueError, match="is no name of a kept file"):
            store.database.drop_file(hostile)
    assert (store.database.files / name).exists()


def test_a_model_that_is_kept_again_keeps_where_it_came_from(store):
    store.shelf.add_model(ModelRow("m", "fix", {}, "w", parent="p", run="r", origin="made here"))
    store.shelf.add_model(ModelRow("m", "again", {}, "w", origin="loaded from x.pth"))
    (row,) = store.shelf.models()
    assert (row.name, row.parent, row.run, row.origin) == ("again", "p", "r", "made here")


def test_a_result_read_again_is_the_same_object_until_its_run_is_forgotten(store):
    run = question()
    answered(store, run, np.arange(3))
    first = store.result(run, Numbers)
    assert store.result(run, Numbers) is first
    store.forget_run(run.fingerprint)
    assert store.result(run, Numbers) is None


def test_a_result_computed_anew_takes_the_place_of_the_one_in_memory(store):
    run = question()
    answered(store, run, np.arange(3))
    store.result(run, Numbers)
    answered(store, run, np.arange(4))
    assert len(store.result(run, Numbers).values) == 4
