"""The page on input optimization, without a browser, on the coloured pictures."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest

from engine.methods.input_optimization import BREAKPOINTS, OPTIMISATION, SWEEP
from engine.methods.input_optimization.settings import SweepSettings, alone, together
from engine.runs.run import Outcome
from engine.runs.shelf import Selection
from engine.subject.preprocessing import Preprocessing
from engine.toolkit.tables import from_csv
from engine.toolkit.transforms.families import FAMILIES
from tests.pages.conftest import charts, drawn, key_of, labelled, ran, select, settled, started, words

PAGE = "pages/input_optimization.py"
FEW = SweepSettings((alone("brightness", 3), alone("hue", 3)))


@pytest.fixture
def small(bench, colours) -> None:
    """Two families were asked for before, so that the page shows these."""
    subject = bench.subject(colours)
    asked = {
        "settings": {
            "grids": [{"families": g.families, "severities": g.severities} for g in FEW.grids],
            "role": FEW.role,
            "images": FEW.images,
            "seed": FEW.seed,
        },
        "selection": [],
    }
    bench.store.shelf.remember(f"asked sweep {subject.fingerprint}", asked)


def opened(bench):
    """The page once everything it asks by itself is answered."""
    at = settled(ran(started().switch_page(PAGE)), bench)
    assert at.title[0].value == "Input optimization"
    return at


def asked_steps(bench):
    return [entry.run.step for entry in bench.store.register.entries() if entry.outcome == Outcome.FINISHED]


def look(at, what: str):
    """The page with another closer look."""
    return ran(next(each for each in at.segmented_control if each.label == "A closer look").set_value(what))


def test_at_first_every_family_that_fits_is_swept_and_the_worst_are_brought_back(bench, colours):
    at = opened(bench)
    sweep = next(entry for entry in bench.store.register.entries() if entry.run.step == SWEEP.name)
    assert [grid["families"] for grid in sweep.run.settings["grids"]] == [[family.name] for family in FAMILIES]
    steps = {"input_sweep", "input_breakpoints", "input_optimisation", "input_differences", "input_map"}
    assert steps <= set(asked_steps(bench))
    said = words(at)
    assert "images are too few to say where it breaks" in said or "It breaks first under" in said
    assert "transformed images" in said
    shown = charts(at)
    strips = next(rows for key, rows in shown.items() if key.startswith("strips "))
    assert {row["title"] for row in strips if "title" in row} == {family.title for family in FAMILIES}


def test_the_preview_follows_the_slider(bench, small):
    at = opened(bench)
    strip = drawn(at)["One image under Rotation at 9 severities, with the answer to each"]
    assert len([row for row in strip if "image" in row]) == 9
    at = ran(next(box for box in at.selectbox if box.key == "tried family").set_value("hue"))
    slider = next(each for each in at.slider if each.key == "severity hue")
    at = ran(slider.set_value(0.67))
    assert "Hue, 121° forward: it says" in words(at)
    at = ran(next(each for each in at.slider if each.key == "severity hue").set_value(0.0))
    assert "Unchanged: it says" in words(at)


def test_a_strip_that_is_clicked_shows_its_curve(bench, small):
    at = opened(bench)
    at = select(at, key_of(at, "strips "), family=[{"family": "hue"}])
    curves = drawn(at)["accuracy of some transforms against severity"]
    assert {row["transform"] for row in curves if isinstance(row.get("transform"), str)} == {"Hue"}


def test_another_rule_gives_other_breakpoints_and_sweeps_nothing_anew(bench, small):
    at = opened(bench)
    before = asked_steps(bench).count(SWEEP.name)
    at = settled(next(each for each in at.slider if each.key == "break drop").set_value(0.5), bench)
    assert asked_steps(bench).count(SWEEP.name) == before
    assert asked_steps(bench).count(BREAKPOINTS.name) == 2


def test_every_closer_look_has_something_to_show(bench, small):
    at = opened(bench)
    for what, chart in (
        ("Images", "Images against severities"),
        ("One transform", "Accuracy of each label under"),
        ("Maps", "Transforms as points"),
        ("Added and erased", "By label"),
    ):
        at = look(at, what)
        assert any(rows and said.startswith(chart) for said, rows in drawn(at).items()), what
    at = look(at, "Two classifiers")
    assert "There is no other classifier of the same classes" in words(at)
    at = look(at, "Take out")
    assert "augmentation = v2.Compose(" in "".join(code.value for code in at.code)


def test_a_picture_that_is_clicked_opens_and_can_be_tried_above(bench, small):
    at = opened(bench)
    key = (
        key_of(at, "rows Brightness breaks first 1 ")
        if any(
            each.startswith("rows Brightness")
            for each in at.session_state.keys()  # noqa: SIM118
        )
        else key_of(at, "rows Hue breaks first 1 ")
    )
    rows = charts(at)[key]
    picked = next(row["key"] for row in rows if isinstance(row.get("key"), str) and row["key"])
    at = select(at, key, pick=[{"key": picked}])
    image = int(picked.split()[0])
    sweep = bench.answer(SWEEP, bench.subject(bench.last_opened()), FEW)
    assert f"Label {sweep.classes[sweep.labels[image]]}" in words(at).replace("*", "")
    at = ran(labelled(at.button, "Try this image above").click())
    assert at.session_state["tried image"] == sweep.ids[image]


def test_brushing_the_map_of_images_narrows_the_page_until_it_is_let_go(bench, small):
    at = look(opened(bench), "Maps")
    key = key_of(at, "image map ")
    rows = [row for row in charts(at)[key] if isinstance(row.get("name"), str)]
    low, high = min(row["x"] for row in rows), max(row["x"] for row in rows)
    at.session_state[key] = {"selection": {"brush": {"x": [low - 1, high + 1], "y": [-1e9, 1e9]}}}
    from pages.parts.input_optimization.map_charts import Dot, within_brush

    dots = [Dot(row["x"], row["y"], row["name"], "", {}) for row in rows]
    assert within_brush(dots, at.session_state[key]) == list(range(len(rows)))
    brushed = key.replace("image map pca", "brushed image")
    at.session_state[brushed] = [0, 1, 2]
    at = ran(at)
    assert "Brushed on the maps below: 3 images" in words(at)
    assert "n = 3 images" in words(at)
    at = ran(labelled(at.button, "Show all again").click())
    assert "Brushed on the maps" not in words(at)


def test_a_selection_in_hand_can_be_what_is_swept(bench, colours, small):
    subject = bench.subject(colours)
    ids = tuple(subject.images.ids[subject.images.indices("diagnosis")[:5]].tolist())
    bench.store.shelf.keep_selection(Selection("five of them", subject.dataset, "by hand", ids))
    at = opened(bench)
    at = ran(labelled(at.selectbox, "Selection in hand").set_value("five of them"))
    assert any(each.label.startswith("only the selection in hand") for each in at.checkbox)
    assert "5 images" in words(at)
    at = settled(next(each for each in at.button if each.key == "ask sweep").click(), bench)
    newest = bench.store.register.entries("step = ?", [SWEEP.name])[0]
    assert set(newest.run.inputs) == {"selection"}
    assert "n = 5 images" in words(at)


def test_two_together_are_a_heat_map_with_a_sentence(bench, colours):
    subject = bench.subject(colours)
    settings = SweepSettings((together(("brightness", "gaussian_blur"), 2),), images=8)
    asked = {
        "settings": {"grids": [{"families": g.families, "severities": g.severities} for g in settings.grids]}
        | {"role": settings.role, "images": settings.images, "seed": settings.seed},
        "selection": [],
    }
    bench.store.shelf.remember(f"asked sweep {subject.fingerprint}", asked)
    at = opened(bench)
    cells = drawn(at)["Accuracy under two transforms together"]
    assert len([row for row in cells if "accuracy" in row]) == 5 * 3
    assert "Brightness and Gaussian blur together" in words(at)
    at = look(at, "Images")
    assert drawn(at)["Images against severities"]


def test_what_is_taken_out_can_be_read_back(bench, small):
    opened(bench)
    subject = bench.subject(bench.last_opened())
    sweep = bench.answer(SWEEP, subject, FEW)
    from engine.methods.input_optimization.export import SWEEP_COLUMNS, pairs_npz, sweep_rows
    from engine.methods.input_optimization.settings import OptimisationSettings
    from engine.runs.progress import Progress
    from engine.runs.run import Input
    from engine.toolkit.tables import to_csv

    rows = from_csv(to_csv(sweep_rows(sweep, subject.images), SWEEP_COLUMNS))
    assert len(rows) == len(sweep.ids) * (1 + 6 + 6)
    inputs = {"sweep": Input(bench.question(SWEEP, subject, FEW).fingerprint, sweep)}
    found = bench.answer(OPTIMISATION, subject, OptimisationSettings(images=len(sweep.ids)), inputs)
    bundle = np.load(io.BytesIO(pairs_npz(subject, sweep, found, Progress())), allow_pickle=False)
    assert len(bundle["transformed"]) == len(found.state)


def test_a_sweep_that_was_stopped_is_resumed_by_a_button(bench, small, monkeypatch):
    from engine.methods.input_optimization.views import Views

    halfway, on = threading.Event(), threading.Event()
    real = Views.outcomes

    def slow(self, families, combinations, progress, label=""):
        while families and not on.wait(0.01):
            progress.report(0.5, "trying slowly")
            halfway.set()
        return real(self, families, combinations, progress, label)

    monkeypatch.setattr(Views, "outcomes", slow)
    at = ran(started().switch_page(PAGE))
    assert halfway.wait(30)
    at = ran(at)
    next(button for button in at.button if button.label == "Stop").click()
    at = settled(at, bench)
    assert "Sweep was stopped" in words(at).replace("*", "")
    on.set()
    at = settled(labelled(at.button, "Resume").click(), bench)
    assert any(key.startswith("strips ") for key in charts(at))


def test_a_network_without_input_gradients_gets_the_sweep_and_the_reason(bench, small, monkeypatch):
    from engine.subject.classifier import Classifier

    forward = Classifier.forward
    monkeypatch.setattr(Classifier, "forward", lambda self, images: forward(self, images).detach())
    at = opened(bench)
    assert "lets no gradient through" in words(at)
    assert any(key.startswith("strips ") for key in charts(at))
    at = look(at, "Maps")
    assert "This is known when images have been brought back" in words(at)


def test_another_classifier_of_the_same_classes_is_put_through_the_same_sweep(bench, colours, small):
    darker = Preprocessing(3, 16, 16, (0.3,) * 3, (1.0,) * 3)
    bench.change_model(colours.model, "in the dark", bench.subject(colours).blueprint.classes, darker)
    at = settled(look(opened(bench), "Two classifiers"), bench)
    assert labelled(at.selectbox, "Compare with").value is not None
    assert asked_steps(bench).count(SWEEP.name) == 2
    marks = drawn(at)["Breakpoints of both classifiers"]
    assert {row["classifier"] for row in marks if "classifier" in row} == {
        bench.model(colours.model).name,
        "in the dark",
    }
    assert any("beyond chance" in table.value for table in at.dataframe)


def test_images_of_test_in_a_selection_are_left_out_and_that_is_said(bench, colours, small):
    subject = bench.subject(colours)
    indices = np.concatenate([subject.images.indices("diagnosis")[:3], subject.images.indices("test")[:2]])
    ids = tuple(subject.images.ids[indices].tolist())
    bench.store.shelf.keep_selection(Selection("mixed", subject.dataset, "by hand", ids))
    at = ran(labelled(opened(bench).selectbox, "Selection in hand").set_value("mixed"))
    assert "3 images (2 of the selection are left out: of test, or without a label)" in words(at)


def test_the_images_that_break_are_kept_as_a_selection(bench, colours, small):
    at = look(opened(bench), "Take out")
    ran(labelled(at.button, "Keep as selection").click())
    (kept,) = bench.store.shelf.selections(colours.dataset)
    sweep = bench.answer(SWEEP, bench.subject(colours), FEW)
    assert set(kept.ids) <= set(sweep.ids[sweep.clean_right].tolist())
    assert kept.ids


def test_what_was_brushed_is_forgotten_when_other_images_are_brought_back(bench, small):
    at = look(opened(bench), "Maps")
    key = key_of(at, "transform map ")
    brush = next(each for each in at.session_state.keys() if each.startswith("transform map "))  # noqa: SIM118
    assert brush == key
    at.session_state[key.replace("transform map pca", "brushed transform")] = [0, 1]
    at = ran(at)
    grids = next(each for each in at.multiselect if each.label == "Transforms")
    at = ran(grids.set_value([1]))
    at = settled(labelled(at.button, "Bring back").click(), bench)
    assert "Brushed on the maps" not in words(at)
