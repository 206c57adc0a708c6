from __future__ import annotations

import numpy as np

from engine.loading.demos import make_demo
from engine.loading.demos.trained import shipped
from engine.methods.cam_training.given_looks import given_looks
from engine.methods.cam_training.settings import TeachingSettings
from engine.methods.cam_training.teaching import teach
from engine.runs.progress import Progress
from engine.subject.subject import joined


def test_the_given_classifier_is_looked_at_on_the_same_pictures():
    classifier = shipped("backgrounds")
    subject = joined(classifier.blueprint, make_demo("backgrounds", 0), lambda _blueprint: classifier)
    found = teach(subject, TeachingSettings(epochs=1, batch_size=375, start="continue", weight=0.0), {}, Progress())
    for part in found.parts:
        given = given_looks(subject, part, found.layer)
        np.testing.assert_array_equal(given.ids, part.looks.ids)
        np.testing.assert_array_equal(given.labels, part.looks.labels)
        assert given.maps.shape == part.looks.maps.shape
        right = given.predictions == given.labels
        assert right.all() if part.name == "unchanged" else not right.all()
