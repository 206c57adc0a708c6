"""The sidebar: loading a classifier and data of one's own, changing how they are read, the built-in examples."""

from __future__ import annotations

import datetime as dt

import pytest
import torch
from PIL import Image
from streamlit import config

from engine.loading.data_options import DataOptions
from engine.workbench import Opened
from pages.parts.text import plain
from tests.made import colour_folder, colour_weights
from tests.pages.conftest import (
    evaluate,
    labelled,
    ledger,
    names,
    open_folder,
    overview,
    ran,
    saved,
    settled,
    started,
    words,
    zipped,
)

BINARY = "application/octet-stream"


@pytest.fixture
def at(bench, colours):
    """The Overview with the colours evaluated."""
    evaluate(bench, colours)
    return started()


@pytest.fixture
def files(home):
    """What lies in the folder of kept files."""
    return lambda: sorted(path.name for path in (home / "files").iterdir())


def give(at, label: str, *uploads: tuple[str, bytes]):
    """The app after files were given to an uploader."""
    box = labelled(at.file_uploader, label)
    given = [(name, content, BINARY) for name, content in uploads]
    return ran(box.set_value(given if box.accept_multiple_files else given[0]))


def press(at, button: str):
    return labelled(at.button, button).click()


def still_open(at) -> bool:
    """Whether the colours are still what is shown."""
    return labelled(at.metric, "Accuracy").value == "89.5%"


# A classifier


def test_a_checkpoint_is_loaded_and_examined(at, bench, colours):
    given = colour_weights(("green", "red", "blue"))
    at = give(at, "Checkpoint", ("swapped.pth", saved(given)))
    assert "mlp" in labelled(at.selectbox, "Architecture").options
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    at = ran(labelled(at.text_area, "Class names, in the order of the outputs").set_value("green\nred\nblue"))
    at = settled(press(at, "Load classifier"), bench)
    assert still_open(at)  # another order of outputs, named so: the same answers
    assert "swapped: mlp, 3 classes" in words(at).replace("*", "")
    assert bench.last_opened().model != colours.model
    assert labelled(at.file_uploader, "Checkpoint").value is None


def test_class_names_that_were_left_empty_are_the_data_s_in_their_order(at, bench):
    at = give(at, "Checkpoint", ("mine.pth", saved(colour_weights(("blue", "green", "red")))))
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    at = settled(press(at, "Load classifier"), bench)
    assert still_open(at)


def test_class_names_in_the_file_are_shown_and_taken(at, bench):
    at = give(
        at, "Checkpoint", ("named.pth", saved({"state_dict": colour_weights(), "classes": ["red", "green", "blue"]}))
    )
    assert labelled(at.text_area, "Class names, in the order of the outputs").value == "red\ngreen\nblue"
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    assert still_open(settled(press(at, "Load classifier"), bench))


def test_class_names_that_were_left_empty_are_those_of_the_data_that_was_chosen(at, bench, photos):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(photos)))
    at = ran(labelled(at.text_input, "Classes to rename").set_value("red = crimson"))
    at = ran(press(at, "Load data"))
    assert at.warning  # the classifier that is open doesn't know crimson
    at = give(at, "Checkpoint", ("mine.pth", saved(colour_weights(("blue", "green", "red")))))
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    at = settled(press(at, "Load classifier"), bench)
    assert not at.warning
    assert still_open(at)


def test_a_class_name_in_the_file_may_have_a_comma(at, bench):
    named = {"state_dict": colour_weights(), "classes": ["red, as wine", "green", "blue"]}
    at = give(at, "Checkpoint", ("named.pth", saved(named)))
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    at = settled(press(at, "Load classifier"), bench)
    assert bench.store.shelf.models()[0].blueprint["classes"] == ["red, as wine", "green", "blue"]


@pytest.mark.parametrize("architecture", ["resnet18", "nonsense", "timm/nonsense", "../mlp", "torchvision.models"])
def test_an_architecture_that_doesn_t_fit_is_refused_and_what_was_open_stays(at, bench, architecture):
    at = give(at, "Checkpoint", ("mine.pth", saved(colour_weights())))
    box = labelled(at.selectbox, "Architecture")
    box.options.append(architecture)  # typed
    at = ran(box.set_value(architecture))
    labelled(at.selectbox, "Architecture").options.append(architecture)
    at = ran(press(at, "Load classifier"))
    assert len(at.error) == 1
    assert architecture in at.error[0].value.replace("\\", "")
    assert still_open(at)
    assert len(bench.store.shelf.models()) == 1


def test_too_few_class_names_are_refused(at, bench):
    at = give(at, "Checkpoint", ("mine.pth", saved(colour_weights())))
    at = ran(labelled(at.selectbox, "Architecture").set_value("mlp"))
    at = ran(labelled(at.text_area, "Class names, in the order of the outputs").set_value("red, green"))
    at = ran(press(at, "Load classifier"))
    assert at.error[0].value == r"the network tells 3 classes apart, but 2 names were given"
    assert still_open(at)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (saved({"state_dict": colour_weights(), "when": dt.date(2020, 1, 1)}), "datetime.date"),
        (saved(torch.nn.Linear(2, 2)), "a whole pickled model"),
        (saved(colour_weights())[:5000], "breaks off before its end"),
        (b"", "is empty"),
        (b"<html>not found</html>", "is a web page or XML"),
    ],
    ids=["a foreign type", "a whole model", "truncated", "empty", "a web page"],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_a_sentence(at, content, sentence):
    at = give(at, "Checkpoint", ("odd.pth", content))
    assert len(at.error) == 1
    assert sentence in at.error[0].value.replace("\\", "")
    assert "odd.pth" in at.error[0].value.replace("\\", "")
    assert still_open(at)


def test_a_checkpoint_that_was_refused_takes_up_no_room(at, files):
    before = files()
    at = give(at, "Checkpoint", ("odd.pth", b"\x80\x04]."))
    assert at.error
    at = ran(at)
    assert files() == before


def test_a_checkpoint_that_was_looked_at_and_taken_back_takes_up_no_room(at, files):
    before = files()
    at = give(at, "Checkpoint", ("mine.pth", saved(colour_weights())))
    at = ran(labelled(at.file_uploader, "Checkpoint").clear())
    assert files() == before


def test_an_uploaded_checkpoint_survives_a_page_that_runs_anew(at, bench):
    at = give(ledger(at), "Checkpoint", ("mine.pth", saved(colour_weights())))
    at = ran(press(at, "Forget them for good"))  # which reads the file, and then runs the page once more
    assert not at.error
    assert labelled(at.selectbox, "Architecture")


# Data


def test_an_uploaded_zip_is_loaded_and_examined(at, bench, photos, files):
    at = give(at, "Files", ("holiday.zip", zipped(photos)))
    at = settled(press(at, "Load data"), bench)
    assert "holiday: 55 images" in words(at).replace("*", "")
    assert still_open(at)
    dataset = bench.last_opened().dataset
    assert [row.source["path"] for row in bench.store.shelf.datasets() if row.fingerprint == dataset] == [""]
    assert labelled(at.file_uploader, "Files").value == []


def test_a_zip_that_is_none_is_refused_and_takes_up_no_room(at, bench, files):
    before = files()
    at = give(at, "Files", ("holiday.zip", b"PK\x03\x04 nothing"))
    at = ran(press(at, "Load data"))
    assert "holiday.zip isn't a readable zip archive" in at.error[0].value.replace("\\", "")
    assert still_open(at)
    assert files() == before


def test_a_list_without_its_images_is_refused(at, bench, tmp_path):
    at = give(at, "Files", ("list.csv", b"file_name,label\na.png,red\n"))
    at = ran(press(at, "Load data"))
    assert len(at.error) == 1
    assert "a.png" in at.error[0].value.replace("\\", "") or "list.csv" in at.error[0].value.replace("\\", "")
    assert still_open(at)


def test_a_list_and_its_images_are_loaded_together(at, bench, photos):
    pictures = {f"{colour}.png": (photos / "train" / colour / "0.png").read_bytes() for colour in ("red", "blue")}
    listing = b"file_name,label\nred.png,red\nblue.png,blue\n"
    at = give(at, "Files", ("list.csv", listing), *pictures.items())
    at = settled(press(at, "Load data"), bench)
    assert len(bench.images(bench.last_opened().dataset)) == 2
    assert not at.error


def test_a_local_path_is_loaded(at, bench, tmp_path):
    folder = colour_folder(tmp_path / "more photos", each=3, splits=("val",))
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(folder)))
    at = settled(press(at, "Load data"), bench)
    assert "more photos: 9 images" in words(at).replace("*", "")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/at all",
        "~nobody-of-this-name/photos",
        "with\0nothing",
        "x" * 5000,
    ],
    ids=["nowhere", "nobody's home", "a null byte", "too long"],
)
def test_a_path_that_leads_nowhere_is_refused_in_a_sentence(at, bench, path):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(path))
    at = ran(press(at, "Load data"))
    assert len(at.error) == 1
    assert still_open(at)


def test_a_server_that_others_can_reach_reads_no_local_paths(bench, colours):
    before = config.get_option("server.address")
    config.set_option("server.address", "0.0.0.0")  # noqa: S104
    try:
        at = started()
        assert "or a path on this machine" not in [each.label for each in at.text_input]
    finally:
        config.set_option("server.address", before)


def test_classes_are_left_out_renamed_and_put_in_order(at, bench, photos):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(photos)))
    at = ran(labelled(at.text_input, "Classes to leave out").set_value("blue"))
    at = ran(labelled(at.text_input, "Classes to rename").set_value("red = green, green = red"))
    at = ran(labelled(at.text_input, "Class order, all of them").set_value("red, green"))
    at = settled(press(at, "Load data"), bench)
    images = bench.images(bench.last_opened().dataset)
    assert images.classes == ("red", "green")
    assert labelled(at.metric, "Accuracy").value == "8.3%"  # of 12, one is what its new label says
    assert "Images left out with their classes (blue): 19." in words(at)


def test_what_was_said_of_one_data_set_is_not_said_of_the_next(at, bench, photos, tmp_path):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(photos)))
    at = ran(labelled(at.text_input, "Classes to leave out").set_value("blue"))
    at = settled(press(at, "Load data"), bench)
    assert not at.error
    assert labelled(at.text_input, "Classes to leave out").value == ""


def test_a_class_that_the_data_doesn_t_have_can_t_be_left_out(at, photos):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(photos)))
    at = ran(labelled(at.text_input, "Classes to leave out").set_value("pink"))
    at = ran(press(at, "Load data"))
    assert "the data has no class 'pink'; it has blue, green, red" in at.error[0].value.replace("\\", "")
    assert still_open(at)


def test_a_renaming_that_can_t_be_read_is_said_at_once(at):
    at = ran(labelled(at.text_input, "Classes to rename").set_value("red green"))
    assert at.error[0].value == plain("write old = new, with commas between")
    assert labelled(at.button, "Load data").disabled


# What doesn't fit


def test_data_of_other_classes_is_said_not_to_fit_and_what_was_open_stays(at, bench, photos):
    at = ran(labelled(at.text_input, "or a path on this machine").set_value(str(photos)))
    at = ran(labelled(at.text_input, "Classes to rename").set_value("red = crimson"))
    at = ran(press(at, "Load data"))
    said = at.warning[0].value.replace("\\", "")
    assert "so the page still shows what was open before" in said
    assert "images of crimson, which it doesn't know" in said
    assert still_open(at)
    assert bench.last_opened().dataset != labelled(at.selectbox, "Data").value
    at = ran(labelled(at.selectbox, "Data").set_value(bench.last_opened().dataset))
    assert not at.warning
    assert still_open(at)


def test_a_classifier_and_data_that_fit_each_other_are_chosen_one_after_the_other(at, bench, colours, photos):
    dataset = bench.add_images(photos, DataOptions(renamed={"red": "crimson"}))
    row = bench.model(colours.model)
    preprocessing = bench.subject(colours).blueprint.preprocessing
    model = bench.change_model(colours.model, row.name + " 2", ("crimson", "green", "blue"), preprocessing)
    at = ran(at)
    at = ran(labelled(at.selectbox, "Data").set_value(dataset))
    assert at.warning
    at = settled(labelled(at.selectbox, "Classifier").set_value(model), bench)
    assert not at.warning
    assert bench.last_opened() == Opened(model, dataset)


def test_a_classifier_that_was_wanted_and_then_forgotten_is_let_go(at, bench, colours, photos):
    dataset = bench.add_images(photos, DataOptions(renamed={"red": "crimson"}))
    at = ran(at)
    at = ran(labelled(at.selectbox, "Data").set_value(dataset))
    assert at.warning
    bench.forget_dataset(dataset)
    other = bench.change_model(
        colours.model, "other", ("red", "green", "blue"), bench.subject(colours).blueprint.preprocessing
    )
    at = ran(at)
    at = settled(labelled(at.selectbox, "Classifier").set_value(other), bench)
    assert "was forgotten" not in words(at)


# How it is read


def test_other_preprocessing_makes_another_classifier(at, bench, colours):
    labelled(at.number_input, "Height, pixels").set_value(20)
    labelled(at.number_input, "Width, pixels").set_value(20)
    labelled(at.text_input, "Mean, 3 numbers for [0, 1]").set_value("0.1, 0.1, 0.1")
    at = settled(press(at, "Use these"), bench)
    assert "mlp, 3 classes, input 20 x 20 colour" in words(at)
    assert bench.last_opened().model != colours.model
    assert len(bench.store.shelf.models()) == 2


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("Mean, 3 numbers for [0, 1]", "0.1, much", "'much' is no number"),
        ("Mean, 3 numbers for [0, 1]", "0.1", "mean"),
        ("Standard deviation", "0, 1, 1", "std"),
    ],
)
def test_preprocessing_that_can_t_be_is_refused(at, bench, field, text, sentence):
    labelled(at.text_input, field).set_value(text)
    at = ran(press(at, "Use these"))
    assert sentence in at.error[0].value.replace("\\", "")
    assert still_open(at)
    assert len(bench.store.shelf.models()) == 1


def test_preprocessing_that_gives_no_number_is_said_by_the_run(at, bench):
    labelled(at.text_input, "Mean, 3 numbers for [0, 1]").set_value("nan, 0, 0")
    at = settled(press(at, "Use these"), bench)
    assert "mean" in at.error[0].value


def test_class_names_in_another_order_change_the_figures(at, bench):
    labelled(at.text_area, "Class names, one a line, in the order of the outputs").set_value("green\nred\nblue")
    at = settled(press(at, "Use these"), bench)
    assert labelled(at.metric, "Accuracy").value == "36.8%"


def test_class_names_that_don_t_fit_the_data_are_said_and_what_was_open_stays(at, bench):
    labelled(at.text_area, "Class names, one a line, in the order of the outputs").set_value("cyan\nmagenta\nyellow")
    at = ran(press(at, "Use these"))
    assert "images of blue, green, red, which it doesn't know" in at.warning[0].value.replace("\\", "")
    assert still_open(at)


# The built-in examples


def test_the_built_in_examples_open_at_a_press_and_the_last_one_after_a_restart(at, bench, colours):
    at = settled(press(at, "Planted digits"), bench)
    assert bench.last_opened() != colours
    assert "It is right on" in words(at)
    assert overview(bench).selectbox(key="choose model").value == bench.last_opened().model


def test_the_example_with_backgrounds_opens_too(at, bench, colours):
    at = settled(press(at, "Planted backgrounds"), bench)
    assert bench.last_opened() != colours
    assert labelled(at.metric, "Accuracy")


# Names from strangers

HOSTILE = ["# big :red[hot]", "<b>bold</b> *star*", "[link](http://x.y) `code` $x^2$"]


def test_hostile_class_and_file_names_are_shown_as_plain_text(bench, tmp_path):
    folder = tmp_path / "photos"
    for name, colour in zip(("red", "green", "blue"), ((200, 0, 0), (0, 200, 0), (0, 0, 200)), strict=True):
        for place, split in enumerate(("train", "val")):
            (folder / split / name).mkdir(parents=True)
            Image.new("RGB", (16, 16), tuple(max(0, each - place) for each in colour)).save(
                folder / split / name / "0.png"
            )
    Image.new("RGB", (16, 16), (1, 150, 2)).save(folder / "val" / "red" / "**a** <i>b [c](d).png")
    renamed = dict(zip(("red", "green", "blue"), HOSTILE, strict=True))
    opened = open_folder(bench, folder, classes=tuple(HOSTILE), renamed=renamed)
    assert opened
    at = settled(started(), bench)
    raw = [each.value for kind in (at.markdown, at.caption, at.info, at.warning) for each in kind]
    sayings = [each for each in raw if "big" in each.replace("\\", "")]
    assert len(sayings) >= 2
    for said in raw:
        for name in HOSTILE:
            assert name not in said
    assert any(plain(HOSTILE[0]) in said for said in sayings)
    assert any(plain("val/red/**a** <i>b [c](d).png") in said for said in raw)
    assert names(at) == ["val/red/**a** <i>b [c](d).png"]
    assert ledger(at).title


@pytest.mark.parametrize("name", ["&lt;b&gt;", "&copy;", "a & b"])
def test_a_name_with_an_entity_stays_as_it_is(name):
    assert "&" not in plain(name).replace("\\&", "")
