from dataclasses import replace

import numpy as np

from engine.methods.input_selection.seen_ids import seen_ids
from tests.methods.input_selection.made_arms import retrained
from tests.methods.input_selection.made_subjects import made_images


def test_the_batch_alone_shows_no_image_of_train():
    images = made_images()
    train, pool = images.indices("train"), images.ids[images.indices("pool")[:3]]
    labels = images.labels.copy()
    labels[train[0]] = -1
    images = replace(images, labels=labels)
    run = retrained("gini", 0, 0.5)
    run = replace(run, picks=replace(run.picks, ids=pool))
    assert seen_ids(images, "batch", run) == tuple(pool.tolist())
    for how in ("replay", "scratch"):
        found = seen_ids(images, how, run)
        assert set(found) == {*images.ids[train[1:]].tolist(), *pool.tolist()}
    assert not np.isin(images.ids[images.indices("test")], found).any()
