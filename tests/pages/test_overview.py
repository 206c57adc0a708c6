from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from engine.methods.evaluation import EVALUATION
from engine.methods.evaluation.settings import EvaluationSettings
from engine.workbench import Workbench
from tests.made import colour_folder
from tests.pages.conftest import (
    ROOT,
    evaluate,
    labelled,
    ledger,
    names,
    open_folder,
    overview,
    ran,
    settled,
    started,
    tiles,
    words,
)

# How a question stands


def test_while_it_runs_the_page_says_how_far_it_is_and_afterwards_what_was_found(bench, colours, gate):
    at = started()
    assert gate.halfway.wait(30)
    at = ran(at)
    assert at.title[0].value == "Overview"
    bars = [bar.text.replace("\\", "") for bar in at.progress]
    assert len(bars) == 2  # on the page and in the sidebar's card
    assert all(bar.startswith("classifying slowly · 50%") for bar in bars)
    assert len([button for button in at.button if button.label == "Stop"]) == 2
    assert "At work" in words(at)
    assert not at.metric
    gate.open.set()
    at = settled(at, bench)
    assert not [button for button in at.button if button.label == "Stop"]
    assert "It is right on 89.5% of 19 diagnosis images (95 % interval" in words(at)
    assert [metric.label for metric in at.metric][:2] == ["Accuracy", "Balanced accuracy"]
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_the_card_of_the_work_is_on_the_other_page_too(bench, colours, gate):
    at = started()
    assert gate.halfway.wait(30)
    at = ledger(at)
    assert "At work" in words(at)
    assert at.dataframe[0].value["outcome"][0] == "▶ running"
    gate.open.set()
    at = settled(at, bench)
    assert "At work" not in words(at)
    assert at.dataframe[0].value["outcome"][0] == "✓ finished"


def test_a_run_that_was_stopped_before_anything_was_kept_is_run_again_by_a_button(bench, colours, gate):
    at = started()
    assert gate.halfway.wait(30)
    at = ran(at)
    next(button for button in at.button if button.label == "Stop").click()
    at = settled(at, bench)
    assert "Evaluation was stopped; it begins anew when it is asked for again" in (
        at.warning[0].value.replace("*", "").replace("\\", "")
    )
    assert not at.metric
    gate.open.set()
    at = settled(labelled(at.button, "Run again").click(), bench)
    assert labelled(at.metric, "Accuracy").value == "89.5%"
    assert not at.warning


def test_a_run_that_failed_says_why_and_can_be_run_again(bench, colours, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("the *disk* is on fire")

    with monkeypatch.context() as patch:
        patch.setattr("engine.methods.evaluation.evaluate.predict", broken)
        at = overview(bench)
        said = at.error[0].value
        assert said == r"**Evaluation** failed: RuntimeError\: the \*disk\* is on fire."
        details = labelled(at.expander, "What the program said")
        assert "Traceback (most recent call last)" in details.code[0].value
        assert "the *disk* is on fire" in details.code[0].value
    at = settled(labelled(at.button, "Run again").click(), bench)
    assert not at.error
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_a_long_run_waits_for_a_person_who_is_told_how_long_it_takes(bench, colours, monkeypatch):
    monkeypatch.setattr("engine.methods.evaluation.estimate.seconds", lambda *arguments: 300.0)
    at = overview(bench)
    assert "Evaluation has not been run on this. It will take about 5 min." in at.info[0].value.replace("*", "")
    assert bench.store.register.entries() == []
    at = settled(labelled(at.button, "Run evaluation").click(), bench)
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_a_run_whose_process_died_is_shown_as_interrupted_and_run_again(bench, colours, monkeypatch):
    monkeypatch.setattr("engine.runs.register.LEASE_SECONDS", 0.5)
    program = (
        "import os\n"
        "import engine.methods.evaluation.evaluate as step\n"
        "from engine.methods.evaluation import EVALUATION\n"
        "from engine.methods.evaluation.settings import EvaluationSettings\n"
        "from engine.workbench import Workbench\n"
        "step.predict = lambda *arguments: os._exit(9)\n"
        "bench = Workbench()\n"
        "bench.ask(EVALUATION, bench.subject(bench.last_opened()), EvaluationSettings('diagnosis')).future.result()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=os.environ, check=False)
    assert done.returncode == 9
    time.sleep(0.6)
    at = overview(bench)
    assert "Evaluation was interrupted: the program ended while this ran" in at.warning[0].value.replace("*", "")
    at = settled(labelled(at.button, "Run again").click(), bench)
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_what_another_process_is_working_on_is_waited_for(bench, colours, home, gate):
    other = Workbench(home)
    job = other.ask(EVALUATION, other.subject(colours), EvaluationSettings("diagnosis"))
    assert gate.halfway.wait(30)
    at = overview(bench)
    assert "Another Faultline on this data folder is working on this" in words(at)
    gate.open.set()
    job.future.result(30)
    at = ran(at)
    assert labelled(at.metric, "Accuracy").value == "89.5%"
    other.worker.close()


def test_a_known_answer_is_shown_at_once_after_a_restart(bench, colours):
    evaluate(bench, colours)
    at = started()
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_an_answer_that_can_t_be_read_any_more_is_computed_again(bench, colours):
    run = evaluate(bench, colours)
    bench.store.documents.delete(run)
    assert overview(bench).metric
    assert bench.answer(EVALUATION, bench.subject(colours), EvaluationSettings()) is not None


def test_forgetting_all_results_has_them_computed_again(bench, colours):
    at = ledger(overview(bench))
    at = ran(labelled(at.button, "Forget them for good").click())
    assert "Nothing has been run yet" in words(at)
    assert bench.store.register.entries() == []
    at = settled(at.switch_page("pages/evaluation.py"), bench)
    assert at.title[0].value == "Overview"
    assert labelled(at.metric, "Accuracy").value == "89.5%"


def test_a_run_that_ends_just_after_the_page_looked_for_its_answer_is_not_called_lost(bench, colours, monkeypatch):
    first = []
    answer = Workbench.answer

    def late(self, step, subject, settings, *more):
        found = answer(self, step, subject, settings, *more)
        if step is EVALUATION and found is None and not first:
            first.append(evaluate(self, colours))
        return found

    monkeypatch.setattr(Workbench, "answer", late)
    at = started()
    assert first
    assert at.metric


def test_a_classifier_that_can_t_take_its_input_fails_in_words_instead_of_breaking_the_page(
    bench, colours, monkeypatch
):
    def broken(*arguments):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("engine.subject.classifier.Classifier.forward", broken)
    at = overview(bench)
    assert "mat1 and mat2 shapes cannot be multiplied" in at.error[0].value


# What was found


def test_the_page_says_how_good_it_is_what_fails_and_where_to_go_next(bench, colours):
    at = overview(bench)
    said = words(at)
    assert "always guessing the commonest label would give 36.8%" in said
    assert "The commonest confusion is red taken for green: 1 of its 2 mistakes." in said
    assert [link.proto.label.split(".")[0] for link in at.get("page_link")] == ["Try next: **Error discovery**"]
    assert "n = 19 labelled images; ranges are 95 % intervals." in said
    assert [each.value for each in at.subheader] == ["Labels", "Confusions", "Confidence", "Images"]
    accuracy = labelled(at.metric, "Accuracy")
    assert accuracy.delta == "68.6% to 97.1%"


def test_the_worst_label_comes_first_in_the_table(bench, colours):
    table = overview(bench).dataframe[0].value
    assert table["class"].tolist() == ["red", "blue", "green"]
    assert table["recall"].tolist() == [pytest.approx(6 / 7), pytest.approx(6 / 7), 1.0]
    assert table["support"].tolist() == [7, 7, 5]
    assert table["predicted"].tolist() == [6, 6, 7]


def test_the_data_s_roles_and_faults_are_said_in_the_sidebar(bench, colours):
    said = words(overview(bench))
    assert "18 train (seen: yes), 19 diagnosis (seen: no), 18 test (seen: no). There are none for pool." in said
    assert "colours: mlp, 3 classes, input 16 x 16 colour" in said.replace("*", "")
    assert "photos: 55 images, 16 x 16 colour" in said.replace("*", "")


def test_images_are_looked_at_by_role(bench, colours):
    at = overview(bench)
    (roles,) = [each for each in at.segmented_control if each.label == "Images"]
    at = settled(roles.set_value("train"), bench)
    assert "It gets every labelled image right." in words(at)
    assert labelled(at.metric, "Accuracy").value == "100.0%"


def test_where_all_is_right_there_are_no_wrong_images_and_a_way_on(bench, colours):
    at = overview(bench)
    (roles,) = [each for each in at.segmented_control if each.label == "Images"]
    at = settled(roles.set_value("train"), bench)
    assert "No image fits: wrong. Change a condition, or press Reset." in words(at)
    (link,) = at.get("page_link")
    assert link.proto.label.startswith("Try next: **Input optimization**")
    (answers,) = [each for each in at.segmented_control if each.label == "Answers"]
    at = ran(answers.set_value("all"))
    assert len(tiles(at)) == 18


def test_the_images_of_test_stay_closed_until_opened_and_the_opening_is_written_down(bench, colours):
    at = overview(bench)
    (roles,) = [each for each in at.segmented_control if each.label == "Images"]
    at = settled(roles.set_value("test"), bench)
    assert labelled(at.metric, "Accuracy").value == "94.4%"
    assert "The images of `test` stay closed" in words(at)
    assert tiles(at) == []
    assert not at.image
    assert bench.store.shelf.events("images of test opened", colours.dataset) == []
    at = ran(labelled(at.button, "Open the test images").click())
    assert names(at) == ["test/red/green.png"]
    ((_, model),) = bench.store.shelf.events("images of test opened", colours.dataset)
    assert model == colours.model
    fresh = started()
    (roles,) = [each for each in fresh.segmented_control if each.label == "Images"]
    fresh = ran(roles.set_value("test"))
    assert tiles(fresh) == []
    assert "Opened before: 1." in words(fresh)


def test_images_without_labels_get_predictions_and_no_rates(bench, tmp_path):
    from PIL import Image

    folder = tmp_path / "unnamed"
    folder.mkdir()
    for place, colour in enumerate([(200, 0, 0), (0, 200, 0), (0, 0, 200), (96, 100, 90)]):
        Image.new("RGB", (16, 16), colour).save(folder / f"{place}.png")
    open_folder(bench, folder)
    at = overview(bench)
    assert "4 images without labels were classified; without labels there is no accuracy." in words(at)
    assert not at.metric
    assert not at.dataframe
    assert [tile["caption"] for tile in tiles(at)][:3] == ["? → red, 100%", "? → green, 100%", "? → blue, 100%"]
    (answers,) = [each for each in at.segmented_control if each.label == "Answers"]
    assert answers.disabled
    order = labelled(at.selectbox, "First")
    assert names(ran(order.set_value("least confident")))[0] == "3.png"
    assert "no label → " in words(at)


def test_a_class_without_images_has_no_recall_and_breaks_nothing(bench, photos):
    for split in ("train", "val", "test"):
        for path in (photos / split / "blue").iterdir():
            path.unlink()
    open_folder(bench, photos)
    at = overview(bench)
    table = at.dataframe[0].value
    assert table["class"].tolist() == ["red", "green", "blue"]
    assert table["95 % interval"].tolist()[2] == "no images"
    assert table["support"].tolist()[2] == 0
    assert "There are no images of blue." in words(at)


def test_groups_of_images_are_counted_as_such(bench, tmp_path):
    folder = colour_folder(tmp_path / "grouped", each=4, splits=("val",))
    rows = [
        f"{path.relative_to(folder).as_posix()},{path.parent.name},val,{path.parent.name}{int(path.stem) // 2}"
        for path in sorted(folder.rglob("*.png"))
    ]
    (folder / "list.csv").write_text("\n".join(["file_name,label,split,group", *rows]))
    open_folder(bench, folder)
    said = words(overview(bench))
    assert "labelled images in" in said
    assert "groups" in said


def test_files_that_were_skipped_are_listed_with_the_reason(bench, photos):
    (photos / "val" / "red" / "broken.png").write_bytes(b"not a picture")
    open_folder(bench, photos)
    at = overview(bench)
    listed = [each.value for each in at.dataframe if "reason" in each.value.columns]
    assert listed[0]["file"].tolist() == ["val/red/broken.png"]


# The first start


def test_the_first_start_shows_the_built_in_digits_and_their_planted_fault(bench):
    at = overview(bench)
    said = words(at)
    assert "It is right on" in said
    assert labelled(at.metric, "Accuracy")
    assert [row.source for row in bench.store.shelf.datasets()] == [{"demo": "digits"}]
    assert len(tiles(at)) == 48
    assert len(at.pagination) == 1
    at = ran(at.pagination[0].set_value(2))
    assert 0 < len(tiles(at)) <= 48
