from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from engine.methods.input_selection.picks_table import PICK_COLUMNS, pick_rows
from engine.methods.input_selection.result import Picks
from engine.toolkit.tables import from_csv, to_csv

IMAGES = SimpleNamespace(names=np.array(["=a.png", "b.png"]), position={"x": 0, "y": 1})
PICKS = Picks(
    ids=np.array(["y", "x"]), labels=np.array([1, -1]), predictions=np.array([0, 1]), score=np.array([0.25, np.nan]),
    rank=np.array([3, 0]), scored=np.array([True, False]), issue=np.array([True, False]), notes=(),
)  # fmt: skip


def test_picks_are_rows_in_their_order_and_what_chance_chose_has_no_score():
    first, second = pick_rows(PICKS, IMAGES, ("cat", "dog"), "r1")
    assert first == {
        "order": 1, "file_name": "b.png", "id": "y", "label": "dog", "prediction": "cat", "chosen_by": "strategy",
        "rank": 3, "score": 0.25, "label_issue": True, "run": "r1",
    }  # fmt: skip
    assert (second["label"], second["chosen_by"], second["rank"], second["score"]) == ("", "chance", "", "")


def test_the_table_is_safe_for_spreadsheets_and_comes_back():
    table = to_csv(pick_rows(PICKS, IMAGES, ("cat", "dog"), "r1"), PICK_COLUMNS)
    assert b"'=a.png" in table
    assert from_csv(table)[1]["file_name"] == "=a.png"
