from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.toolkit.tables import from_csv, to_csv

cells = st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\x00"))


@given(st.lists(st.fixed_dictionaries({"name": cells, "note": cells}), max_size=5))
def test_text_comes_back_as_it_was(rows):
    assert from_csv(to_csv(rows, ("name", "note"))) == rows


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless_and_a_number_is_left_alone():
    written = to_csv([{"name": "=HYPERLINK(1)", "margin": -1.5}, {"name": "@cmd", "margin": None}], ("name", "margin"))
    assert written.decode().splitlines() == ["name,margin", "'=HYPERLINK(1),-1.5", "'@cmd,"]


def test_the_header_is_there_without_rows_too():
    assert to_csv([], ("a", "b")) == b"a,b\n"
