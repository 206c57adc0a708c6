"""Which role falls to whom, that nothing moves it, and what is wrong with a division."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading.data_options import DataOptions
from engine.loading.datasets import load_images
from engine.loading.roles import SHARES, label_conflicts, leakage, roles_of, seen_of, split_groups
from engine.subject.image_set import Seen
from tests.loading.pictures import picture, pictures, splits_of

units = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=5), min_size=1, max_size=40)


def roles(*splits):
    """The roles of many images of each split, as sets in the same order."""
    many = np.repeat(np.array(splits), 200)
    found = roles_of(many, [f"image {index}" for index in range(len(many))])
    return [set(found[many == split].tolist()) for split in splits]


ALL = {"diagnosis", "pool", "test"}


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (("",), [ALL]),
        (("test",), [ALL]),
        (("val",), [ALL]),
        (("train",), [{"train"}]),
        (("train", "test"), [{"train"}, ALL]),
        (("train", "val"), [{"train"}, {"diagnosis"}]),
        (("train", "val", "test"), [{"train"}, {"diagnosis"}, {"test"}]),
        (("val", "test"), [{"diagnosis"}, {"test"}]),
        (("train", ""), [{"train"}, ALL]),
        (("pool", "diagnosis", "test"), [{"pool"}, {"diagnosis"}, {"test"}]),
    ],
)
def test_the_datas_own_splits_decide(splits, expected):
    assert roles(*splits) == expected


def test_the_shares_are_kept():
    found = roles_of(np.repeat("", 20_000), [f"image {index}" for index in range(20_000)])
    for role, share in SHARES.items():
        assert abs((found == str(role)).mean() - share) < 0.015  # four standard errors
    assert sum(SHARES.values()) == pytest.approx(1)


@settings(deadline=None)
@given(units, units, st.randoms())
def test_adding_and_reordering_images_moves_none(first, more, order):
    before = dict(zip(first, roles_of(np.repeat("test", len(first)), first).tolist(), strict=True))
    together = [*first, *more]
    order.shuffle(together)
    after = roles_of(np.repeat("test", len(together)), together).tolist()
    for unit, role in zip(together, after, strict=True):
        assert before.get(unit, role) == role


@settings(deadline=None)
@given(units)
def test_one_unit_has_one_role(several):
    found = roles_of(np.repeat("", 2 * len(several)), several * 2).tolist()
    assert found[: len(several)] == found[len(several) :]


@pytest.mark.parametrize(("answer", "expected"), [("yes", Seen.YES), ("no", Seen.NO), ("unknown", Seen.UNKNOWN)])
def test_what_is_held_back_is_not_seen_and_the_rest_is_as_the_person_says(answer, expected):
    splits = np.array(["train", "", "val", "test", "pool", "diagnosis"])
    assert seen_of(splits, answer).tolist() == [expected, expected, *[Seen.NO] * 4]


def test_the_first_remark_says_the_roles_and_what_remains(tmp_path):
    pictures(tmp_path, *[f"test/cat/{index}.png" for index in range(40)], "train/cat/1.png", "train/cat/2.png")
    images = load_images(tmp_path, DataOptions(seen="yes"))
    count = {role: int((images.roles == role).sum()) for role in ("pool", "diagnosis", "test")}
    assert images.remarks[0] == (
        f"2 train (seen: yes), {count['pool']} pool (seen: no), {count['diagnosis']} diagnosis (seen: no), "
        f"{count['test']} test (seen: no). Diagnosis and pool are taken out of the data's 40 test images; "
        f"{count['test']} remain for test."
    )
    assert sum(count.values()) == 40


def test_training_images_alone_leave_nothing_to_diagnose(tmp_path):
    images = load_images(pictures(tmp_path, "train/cat/1.png", "train/dog/1.png"), DataOptions())
    assert images.remarks[0] == "2 train (seen: unknown). There are none for pool, diagnosis, test."


def test_images_that_nobody_speaks_of_are_unknown(tmp_path):
    images = load_images(pictures(tmp_path, "cat/1.png", "dog/1.png"), DataOptions())
    assert set(images.seen.tolist()) == {Seen.UNKNOWN}


def test_renaming_and_adding_files_moves_no_image(tmp_path):
    first = pictures(tmp_path / "a", *[f"cat/{index}.png" for index in range(30)])
    before = load_images(first, DataOptions())
    again = tmp_path / "b" / "cat"
    again.mkdir(parents=True)
    for index in range(30):
        (first / f"cat/{index}.png").rename(again / f"{100 - index}.png")
    pictures(tmp_path / "b", "cat/new.png", "dog/1.png")
    after = load_images(tmp_path / "b", DataOptions())
    old, new = (dict(zip(images.ids.tolist(), images.roles.tolist(), strict=True)) for images in (before, after))
    assert len(old) == 30
    assert {sample: new[sample] for sample in old} == old


def test_a_group_stays_together(tmp_path):
    pictures(tmp_path, *[f"{index}.png" for index in range(60)])
    rows = [f"{index}.png,cat,track {index // 2}" for index in range(60)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,group", *rows]))
    images = load_images(tmp_path, DataOptions())
    for group in set(images.groups.tolist()):
        assert len(set(images.roles[images.groups == group].tolist())) == 1
    assert len(set(images.roles.tolist())) == 3
    assert len(split_groups(images)) == 0


def test_the_same_image_in_two_roles_is_leakage(tmp_path):
    for name in ("train/cat/1.png", "val/cat/9.png"):
        picture(tmp_path / name, seed=1)
    pictures(tmp_path, "train/cat/2.png", "val/cat/8.png")
    images = load_images(tmp_path, DataOptions())
    assert images.names[leakage(images)].tolist() == ["train/cat/1.png", "val/cat/9.png"]
    assert images.ids[3] == f"{images.ids[0]}~2"
    assert (
        "Leakage, images in two roles or more: 1, first train/cat/1.png (train), val/cat/9.png (diagnosis)."
        in images.remarks
    )


def test_the_same_image_twice_in_undivided_data_is_in_one_role(tmp_path):
    for index in range(20):
        for name in (f"cat/{index}.png", f"cat/{index}-again.png"):
            picture(tmp_path / name, seed=index)
    images = load_images(tmp_path, DataOptions())
    assert len(leakage(images)) == 0
    assert splits_of(images)["cat/3.png"] == splits_of(images)["cat/3-again.png"]


def test_an_image_with_two_labels_is_listed(tmp_path):
    for name in ("cat/1.png", "dog/5.png"):
        picture(tmp_path / name, seed=1)
    for name in ("cat/2.png", "cat/3.png"):
        picture(tmp_path / name, seed=2)
    pictures(tmp_path, "dog/2.png")
    images = load_images(tmp_path, DataOptions())
    assert images.names[label_conflicts(images)].tolist() == ["cat/1.png", "dog/5.png"]
    assert "Images with two labels or more: 1, first cat/1.png (cat), dog/5.png (dog)." in images.remarks
