import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.error_discovery.editing import Merge, Split
from engine.methods.error_discovery.labelling import KINDS, Event, labels_of
from engine.methods.error_discovery.region_table import (
    REGION_COLUMNS,
    edits_from_csv,
    labels_from_csv,
    regions_csv,
)
from tests.methods.error_discovery.made_discovery import CLASSES, EVENTS, made_discovery


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("region", "kind", "label", "excluded")
    )


def test_each_living_region_is_a_row_with_what_is_known():
    found = made_discovery(held=frozenset({2}))
    rows = rows_of(regions_csv(found))
    assert tuple(rows[0]) == REGION_COLUMNS
    assert [row["region_id"] for row in rows] == ["0", "1", "2"]
    assert [row["status"] for row in rows] == ["error", "", "model_right"]
    assert [row["assigned_label"] for row in rows] == ["fox", "", ""]
    first = rows[0]
    assert (first["seed_label_mode"], first["predicted_label"]) == ("cat", "'=dog")
    assert (first["n_support"], first["n_seeds"], first["n_shown"]) == ("60", "20", "16")
    assert (first["n_excluded"], first["excluded"]) == ("2", "3 11")
    assert (first["error_rate_fresh"], first["purity"], first["reproduced"]) == ("1.0", "1.0", "true")
    assert float(first["ci_low"]) == pytest.approx(found.tests.error[0].low, abs=1e-6)
    assert float(first["weight"]) == pytest.approx(1 / 3, abs=1e-6)
    assert (first["mean_conf"], first["knn_agreement"]) == ("0.75", "1.0")
    assert [row["split"] for row in rows] == ["correct", "correct", "held_out"]
    assert (first["n_annotators"], first["agreement"], first["seconds"]) == ("2", "0.5", "1.5")
    assert first["created_utc"] == "1970-01-01T00:33:20+00:00"
    assert rows[1]["note"] == "'=HYPERLINK(1)"
    assert rows[2]["q"] == ""
    assert (first["generator_hash"], first["classifier_hash"], first["noise_kind"]) == ("gen1", "eye", "gaussian")


def test_a_class_that_is_the_prediction_says_that_the_model_is_right():
    found = made_discovery([Event("class", 0, 1)])
    row = rows_of(regions_csv(found))[0]
    assert (row["status"], row["assigned_label"]) == ("model_right", "'=dog")
    assert same(labels_from_csv(regions_csv(found), found.regions, CLASSES), found.labels)


def test_only_chosen_living_regions_are_told():
    found = made_discovery()
    dead = replace(found, regions=replace(found.regions, alive=np.array([True, False, True])))
    assert [row["region_id"] for row in rows_of(regions_csv(dead))] == ["0", "2"]
    assert [row["region_id"] for row in rows_of(regions_csv(dead, [1, 2]))] == ["2"]


def test_labels_come_back_as_they_were():
    found = made_discovery()
    labels = labels_from_csv(regions_csv(found), found.regions, CLASSES)
    assert same(labels, found.labels)
    assert labels.by == found.labels.by
    assert labels.kind.tolist() == ["class", "model_right"]


DECISIONS = st.dictionaries(st.integers(0, 2), st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(0, 2) if kind == "class" else st.just(-1))
))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(DECISIONS, st.sets(st.tuples(st.integers(0, 2), st.integers(0, 19)), max_size=5))
def test_any_labels_come_back_as_they_were(decisions, excluded):
    found = made_discovery([], labels=labels_of(decisions, excluded, "someone"))
    assert same(labels_from_csv(regions_csv(found), found.regions, CLASSES), found.labels)


EDITS = st.lists(
    st.one_of(st.builds(Merge, st.integers(0, 99), st.integers(0, 99)), st.builds(Split, st.integers(0, 99)))
)


@settings(max_examples=30, deadline=None)
@given(EDITS)
def test_edits_come_back_in_their_order(edits):
    found = made_discovery([])
    edited = replace(found, state=replace(found.state, edits=tuple(edits)))
    assert edits_from_csv(regions_csv(edited)) == tuple(edits)


def test_a_table_without_edits_tells_of_none():
    assert edits_from_csv(b"region_id,status,assigned_label\n0,,\n") == ()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("split 1", "split 2"), "different edits"),
        (("split x", "split x"), "'split x' is no edit"),
        (("split 1;", "split 1;"), "'' is no edit"),
        (("merge 1", "merge 1"), "'merge 1' is no edit"),
    ],
)
def test_edits_that_can_not_be_read_are_one_sentence(texts, said):
    rows = "".join(f"{number},,,{text}\n" for number, text in enumerate(texts))
    with pytest.raises(ValueError, match=said):
        edits_from_csv(f"region_id,status,assigned_label,edits\n{rows}".encode())


def test_a_spreadsheets_byte_order_mark_does_no_harm():
    found = made_discovery()
    assert same(labels_from_csv(b"\xef\xbb\xbf" + regions_csv(found), found.regions, CLASSES), found.labels)


HEAD = b"region_id,status,assigned_label,excluded\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe\x00bad", "no CSV in UTF-8"),
        (b"", "no rows"),
        (HEAD, "no rows"),
        (b"region_id;status\n1;error\n", "no column region_id; columns are separated by commas"),
        (b"region_id,status\n1,error\n", "no column assigned_label"),
        (HEAD + b"9,error,cat,\n", "no region '9'"),
        (HEAD + b"-1,error,cat,\n", "no region '-1'"),
        (HEAD + b"9999999999999999999999,error,cat,\n", "no region"),
        (HEAD + "²,error,cat,\n".encode(), "no region"),
        (HEAD + b",error,cat,\n", "no region ''"),
        (HEAD + b"1,error,cat,\n", "region 1 was merged or split"),
        (HEAD + b"0,broken,cat,\n", "region 0 has the status 'broken'"),
        (HEAD + b"0,error,cow,\n", "region 0 has the label 'cow', which is no class"),
        (HEAD + b"0,error,,\n", "region 0 is an error but has no assigned_label"),
        (HEAD + b"0,error,cat,\n0,error,cat,\n", "region 0 is in this table twice"),
        (HEAD + b"0,error,cat,1;2\n", "region 0 excludes '1;2', which are no numbers"),
        (HEAD + b'0,"' + b"x" * 200_000 + b'",cat,\n', "no CSV"),
        (b"region_id,status,assigned_label\n0\n", "region 0 is an error|no rows|^$"),
    ],
)
def test_what_can_not_be_read_is_one_sentence(data, said):
    found = made_discovery(EVENTS)
    regions = replace(found.regions, alive=np.array([True, False, True]))
    if data.endswith(b"\n0\n"):  # a short row is undecided
        assert len(labels_from_csv(data, regions, CLASSES).region) == 0
        return
    with pytest.raises(ValueError, match=said) as caught:
        labels_from_csv(data, regions, CLASSES)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
