from dataclasses import replace

import numpy as np
import pytest

from engine.methods.cam_training import parts as module
from engine.methods.cam_training.looking import lookout
from engine.methods.cam_training.parts import elsewhere, outcome, part_in, parts_of
from engine.methods.cam_training.result import ImageMasks
from engine.methods.cam_training.settings import MaskSettings
from engine.methods.cam_training.training_images import Masking
from engine.runs.progress import Progress
from tests.methods.cam_training.planted import SIDE, planted_images, striped_subject
from tests.methods.cam_training.test_arms import colour_around

BOX = Masking(MaskSettings())
IMAGES = planted_images()


def plain_test(count: int = 60, **changed):
    """Test images that lie in no folder called like a part."""
    images = planted_images(counts={"train": 4, "test": count, "diagnosis": 8})
    return replace(images, **changed) if changed else images


def by_name(images, masking=BOX):
    return {part.name: part for part in parts_of(images, masking, Progress())}


def test_a_part_is_a_folder_on_the_way():
    assert part_in("test/swapped/3_0001.png") == "swapped"
    assert part_in("off_centre/a/b.png") == "off_centre"
    assert part_in("test/swapped.png") == part_in("test/swapped_2/a.png") == ""
    assert elsewhere("test/swapped/a/3.png") == elsewhere("test/unchanged/a/3.png") == "test/a/3.png"


def test_parts_that_are_there_are_taken_as_they_are():
    found = by_name(IMAGES)
    assert list(found) == ["unchanged", "swapped"]
    for name, part in found.items():
        assert not part.made
        assert len(part.ids) == 60
        assert all(f"/{name}/" in file for file in part.images.names)


def test_the_same_object_has_one_id_in_all_parts_and_lies_at_one_place():
    found = by_name(IMAGES)
    np.testing.assert_array_equal(found["unchanged"].ids, found["unchanged"].images.ids)
    np.testing.assert_array_equal(found["unchanged"].ids, found["swapped"].ids)
    files = [[name.split("/")[-1] for name in found[part].images.names] for part in ("unchanged", "swapped")]
    assert files[0] == files[1]


def test_without_swapped_images_they_are_pasted_together():
    images = plain_test()
    found = by_name(images)
    assert list(found) == ["unchanged", "swapped", "unseen", "off_centre"]
    assert [part.made for part in found.values()] == [False, True, True, True]
    before, after = (found[name].images for name in ("unchanged", "swapped"))
    everyone = np.arange(60)
    np.testing.assert_array_equal(found["swapped"].ids, found["unchanged"].ids)
    np.testing.assert_array_equal(after.labels, before.labels)
    np.testing.assert_array_equal(after.read(everyone)[:, :, 4:12, 4:12], before.read(everyone)[:, :, 4:12, 4:12])
    np.testing.assert_array_equal(colour_around(before.read(everyone)), before.labels)
    np.testing.assert_array_equal(colour_around(after.read(everyone)), 1 - before.labels)
    unseen = found["unseen"].images.read(everyone)
    np.testing.assert_array_equal(unseen[:, :, 4:12, 4:12], before.read(everyone)[:, :, 4:12, 4:12])
    moved = found["off_centre"].images.read(everyone)
    assert (moved[:, :, 4:12, 4:12] != before.read(everyone)[:, :, 4:12, 4:12]).any(axis=(1, 2, 3)).all()


def test_what_is_pasted_hangs_on_the_images_alone():
    first, again = by_name(plain_test()), by_name(plain_test())
    for name in ("swapped", "unseen", "off_centre"):
        everyone = np.arange(60)
        np.testing.assert_array_equal(first[name].images.read(everyone), again[name].images.read(everyone))


def test_an_object_without_room_is_not_moved_and_one_class_is_not_swapped():
    wide = Masking(MaskSettings("border", forbidden="inside"))  # allowed all around
    assert list(by_name(plain_test(), wide)) == ["unchanged", "swapped", "unseen"]
    one = plain_test()
    assert list(by_name(replace(one, labels=np.zeros(len(one), np.int64)))) == ["unchanged", "unseen", "off_centre"]


def test_without_test_images_those_of_diagnosis_are_taken():
    images = plain_test()
    without = images.take(np.flatnonzero(images.roles != "test"))
    assert set(by_name(without)["unchanged"].images.roles) == {"diagnosis"}
    nothing = images.take(np.flatnonzero(images.roles == "train"))
    assert by_name(nothing) == {}


def test_images_without_a_label_are_in_no_part():
    labels = plain_test().labels.copy()
    labels[10:20] = -1
    assert len(by_name(plain_test(labels=labels))["unchanged"].ids) == 50


def test_of_images_without_a_mask_nothing_is_pasted_and_that_is_said():
    images = plain_test()
    test = images.indices("test")[:50:2]
    inside = np.zeros((25, SIDE, SIDE), np.uint8)
    inside[:, 4:12, 4:12] = 255
    told = []

    class Listening(Progress):
        def note(self, sentence):
            told.append(sentence)

    masking = Masking(MaskSettings("each"), None, ImageMasks(images.ids[test], inside))
    found = {part.name: part for part in parts_of(images, masking, Listening())}
    assert len(found["unchanged"].ids) == 60
    assert sorted(found["swapped"].ids) == sorted(images.ids[test])
    assert told == ["35 test images have no mask of their own, so nothing is pasted from them"]


def test_large_parts_are_cut_by_the_hash_of_the_object(monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    found = by_name(IMAGES)
    expected = np.sort(IMAGES.ids[[name.startswith("test/unchanged") for name in IMAGES.names]])[:10]
    for part in found.values():
        np.testing.assert_array_equal(part.ids, expected)
    monkeypatch.setattr(module, "MADE_BYTES", 6 * 3 * SIDE * SIDE)
    assert [len(part.ids) for part in by_name(plain_test()).values()] == [10, 6, 6, 6]


def test_an_outcome_has_the_answers_and_the_maps_of_the_first_images():
    subject = striped_subject(IMAGES)
    classifier = subject.classifier
    place = lookout(classifier, subject.images, "")
    part = by_name(IMAGES)["swapped"]
    found = outcome(part, classifier, place, Progress())
    assert found.name == "swapped"
    assert len(found.predictions) == len(found.labels) == len(found.units) == 60
    assert found.pictures.shape == (12, 3, SIDE, SIDE)
    looks = found.looks
    assert (looks.method, looks.exact, looks.of, looks.against) == ("cam", True, "label", "rest")
    np.testing.assert_array_equal(looks.ids, part.ids[:12])
    np.testing.assert_array_equal(looks.predictions, found.predictions[:12])
    bias = classifier.network.fc.bias.detach().numpy()
    signs = np.where(looks.labels == 1, 1, -1)
    means = looks.maps.mean(axis=(1, 2)) + signs * (bias[1] - bias[0])
    assert means == pytest.approx(looks.scores, abs=1e-5)


def renamed(**folders):
    """Test images of 60 objects that come twice, in these folders; {} stands for the label's name."""
    images = planted_images(counts={"test/unchanged": 60, "test/swapped": 60})
    names = [
        name.replace(f"/{part}/", f"/{folders[part].format(('lying', 'standing')[label])}/")
        for name, label in zip(images.names.tolist(), images.labels, strict=True)
        for part in [name.split("/")[1]]
    ]
    return replace(images, names=np.array(names))


@pytest.mark.parametrize(("plain", "other"), [("plain", "swapped"), ("{}", "swapped/{}"), ("{}", "{}/swapped")])
def test_without_a_folder_unchanged_what_is_in_no_part_is(plain, other):
    images = renamed(unchanged=plain, swapped=other)
    found = by_name(images)
    assert list(found) == ["unchanged", "swapped"]
    assert not any("swapped" in name for name in found["unchanged"].images.names)
    assert [len(part.ids) for part in found.values()] == [60, 60]
    same = np.isin(found["swapped"].ids, found["unchanged"].ids)
    assert same.all() == (plain != "plain")  # twins are told by their names


@pytest.mark.parametrize("plain", ["plain", "{}"])
def test_unseen_images_are_not_among_the_unchanged_ones_and_nothing_is_pasted_from_them(plain):
    images = renamed(unchanged=plain, swapped="unseen")
    found = by_name(images)
    assert list(found) == ["unchanged", "swapped", "unseen", "off_centre"]
    assert [part.made for part in found.values()] == [False, True, False, True]
    assert not any("unseen" in name for name in found["unchanged"].images.names)
    assert [len(part.ids) for part in found.values()] == [60, 60, 60, 60]


def test_the_folder_unchanged_alone_counts_where_there_is_one():
    images = renamed(unchanged="unchanged", swapped="plain")
    found = by_name(images)
    assert len(found["unchanged"].ids) == 60
    assert all("/unchanged/" in name for name in found["unchanged"].images.names)


@pytest.mark.parametrize("report", ["test", "diagnosis"])
def test_parts_are_of_the_role_that_is_reported_on(report):
    images = planted_images(counts={"diagnosis": 30, "test/unchanged": 20, "test/swapped": 20})
    found = parts_of(images, BOX, Progress(), report)
    assert {part.role for part in found} == {report}
    assert {role for part in found for role in part.images.roles} == {report}
    assert [part.made for part in found] == ([False] * 2 if report == "test" else [False, True, True, True])


def test_without_test_images_the_role_says_so():
    images = plain_test()
    found = by_name(images.take(np.flatnonzero(images.roles != "test")))
    assert {part.role for part in found.values()} == {"diagnosis"}
    labels = np.where(images.roles == "train", images.labels, -1)
    assert parts_of(replace(images, labels=labels), BOX, Progress(), "diagnosis") == ()
