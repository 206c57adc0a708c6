from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.input_selection.drawing import drawn, left_out
from tests.conftest import RED, colour_images


def images_of(labels, role="pool"):
    images = colour_images([RED] * len(labels), [max(label, 0) for label in labels])
    return replace(images, labels=np.array(labels, np.int64), roles=np.full(len(labels), role))


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.integers(-1, 2), min_size=1, max_size=60), most=st.integers(1, 60))
def test_no_label_loses_images_while_another_keeps_more(labels, most):
    images = images_of(labels)
    found = drawn(images, "pool", most)
    assert found.tolist() == sorted(set(found.tolist()))
    assert len(found) == min(most, len(labels))
    there, kept = Counter(labels), Counter(images.labels[found].tolist())
    for label in set(labels) - {-1}:
        if kept[label] < there[label]:
            assert all(kept[other] <= kept[label] + 1 for other in set(labels) - {-1})
            assert kept[-1] == 0  # without a label only places that are left are taken


def test_small_labels_stay_whole():
    labels = [0] * 5 + [1] * 40 + [2] * 30 + [-1] * 10
    found = drawn(images_of(labels), "pool", 25)
    assert Counter(np.array(labels)[found].tolist()) == {0: 5, 1: 10, 2: 10}


def test_the_order_of_the_images_decides_nothing_and_ids_do():
    images = images_of([0, 1, 2] * 30)
    shuffled = images.take(np.random.default_rng(0).permutation(90))
    one, other = (set(each.ids[drawn(each, "pool", 30)].tolist()) for each in (images, shuffled))
    assert one == other
    assert one != set(images.ids[:30].tolist())


def test_other_roles_are_left_alone_and_what_is_left_out_is_said():
    images = images_of([0, 1, 2] * 4)
    roles = np.array(["pool"] * 8 + ["train"] * 4)
    images = replace(images, roles=roles)
    assert drawn(images, "train", 10).tolist() == [8, 9, 10, 11]
    assert left_out(images, "train", 4) == ""
    assert left_out(images, "pool", 6).startswith("Of the 8 images of pool only 6 are looked into")
