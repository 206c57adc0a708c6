from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.methods.cam_training.contrast import contrast, score_against_rest
from engine.methods.cam_training.groups import groups
from engine.methods.cam_training.hiding import hiding_figures
from engine.methods.cam_training.localisation import localise, summary
from engine.methods.cam_training.result import Hiding
from engine.methods.cam_training.sentences import (
    how_it_was_seen,
    unit_of,
    what_comes_from_outside,
    what_groups_there_are,
    what_hiding_showed,
    what_it_speaks_for,
    where_it_looks,
)
from engine.methods.cam_training.settings import GroupSettings
from engine.runs.progress import Progress
from tests.methods.cam_training.made_maps import blobs, cams_of

CORNER = np.ones((1, 4, 4))
CORNER[:, :2, :2] = 0  # the first quarter is allowed
UNITS = np.arange(40)


def measured(maps: np.ndarray, mask: np.ndarray = CORNER):
    return summary(localise(maps, mask), np.arange(len(maps)))


@pytest.mark.parametrize(
    ("of", "against", "said"),
    [
        ("prediction", "rest", "its answer against all other classes"),
        ("label", "", "the label"),
        ("1", "label", "the class dog against the label"),
    ],
)
def test_whose_evidence_it_is(of, against, said):
    assert what_it_speaks_for(cams_of(np.zeros((1, 2, 2)), of=of, against=against)) == said


def test_exact_maps_and_others_are_told_apart():
    exact = cams_of(np.zeros((3, 4, 5)))
    assert how_it_was_seen(exact).startswith("3 maps of 4 x 5 cells from layer features by cam: exact")
    assert "not exact" in how_it_was_seen(replace(exact, exact=False))


@pytest.mark.parametrize(
    ("place", "said"), [(0.15, "more than by chance"), (0.8, "less than by chance"), (None, "no different from chance")]
)
def test_chance_is_what_the_area_gives(place, said):
    draws = np.random.default_rng(0)
    maps = draws.random((40, 4, 4)) if place is None else blobs(np.full((40, 2), place), 4, noise=0.02)
    text = where_it_looks(cams_of(maps), measured(maps))
    assert said in text
    assert "which is 25.0% of what it sees" in text
    assert text.count("n = 40") == 3


def test_what_can_t_be_measured_is_said():
    maps = np.zeros((2, 4, 4))
    assert where_it_looks(cams_of(maps), measured(maps)).startswith("None of 2 maps has evidence for its answer")
    assert "can't be told" in what_comes_from_outside(cams_of(maps), measured(maps))
    some = np.concatenate([maps, blobs(np.full((3, 2), 0.3), 4)])
    assert where_it_looks(cams_of(some), measured(some)).endswith("2 more maps have no such evidence.")
    assert what_comes_from_outside(cams_of(some), measured(some)).endswith(
        "not counting 2 where evidence for and against cancel."
    )
    whole = where_it_looks(cams_of(some), measured(some, np.zeros((1, 4, 4))))
    assert "nothing is forbidden there, so that says nothing" in whole


def test_the_share_from_outside_is_of_the_score_or_to_first_order():
    maps = np.zeros((5, 4, 4))
    maps[:, 0, 0], maps[:, 3, 3] = 1, 3
    exact = what_comes_from_outside(cams_of(maps, against=""), measured(maps))
    assert (
        exact == "75.0% (75.0% to 75.0%, n = 5) of the score without the head's bias comes from where it may not look."
    )
    assert "to first order, comes from" in what_comes_from_outside(cams_of(maps, exact=False), measured(maps))


def hidden(hot: float, elsewhere: float, count: int = 200) -> Hiding:
    """Accuracies 1 before, and these shares of right answers after, at two sizes of which the first costs nothing."""
    draws = np.random.default_rng(1)
    names = np.array([f"image {number}" for number in range(count)])
    after = np.stack([np.ones(count, bool), draws.random(count) < hot], axis=1)
    away = np.stack([np.ones((count, 3), bool), draws.random((count, 3)) < elsewhere], axis=1)
    return Hiding(names, names, np.array([0.1, 0.4]), np.ones(count, bool), after, away)


def test_what_hiding_costs_more_than_chance_is_told_from_what_does_not():
    faithful = what_hiding_showed(hiding_figures(hidden(0.3, 0.9)))
    assert faithful.startswith(
        "Hiding what the maps point at costs more accuracy than hiding random places in 1 of 2 sizes"
    )
    assert "With 40% of each image hidden, accuracy is" in faithful
    assert "n = 200); with nothing hidden 100.0%." in faithful
    chance = what_hiding_showed(hiding_figures(hidden(0.8, 0.8)))
    assert "no difference beyond chance in any of 2 sizes" in chance
    opposite = what_hiding_showed(hiding_figures(hidden(0.9, 0.3)))
    assert "in 0 of 2 sizes of hidden area and less in 1" in opposite
    nothing = what_hiding_showed(hiding_figures(hidden(1.0, 1.0)))
    assert nothing.startswith("Accuracy stays 100.0% (n = 200) with up to 40% of each image hidden")
    assert "says nothing of the maps" in nothing


def test_groups_are_counted_with_their_accuracy():
    maps = blobs(np.repeat([[0.2, 0.2], [0.8, 0.8]], [30, 10], axis=0), 8, noise=0.05)
    labels = np.repeat([0, 1], [30, 10])
    cams = cams_of(maps, labels=labels)
    first, large, small = what_groups_there_are(groups(cams, GroupSettings(), Progress()), cams, UNITS)
    assert first == "The 40 maps fall into 2 groups."
    assert large.startswith("Group 1: 30 maps (75%), accuracy 100.0% (")
    assert small.startswith("Group 2: 10 maps (25%), accuracy 0.0% (")
    unlabelled = cams_of(maps, labels=np.full(40, -1))
    assert what_groups_there_are(groups(unlabelled, GroupSettings(), Progress()), unlabelled, UNITS)[1].endswith(
        "no labels."
    )


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (blobs(np.full((40, 2), 0.5), 8, noise=0.1), "The 40 maps are of one kind"),
        (blobs(np.full((3, 2), 0.5), 8), "3 maps: too few to look for groups, which takes 8."),
        (np.zeros((9, 4, 4)), "None of the maps has evidence that could be grouped."),
    ],
)
def test_no_groups_are_made_up(maps, said):
    cams = cams_of(maps)
    (found,) = what_groups_there_are(groups(cams, GroupSettings(), Progress()), cams, np.arange(len(maps)))
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("said", "of_what"),
    [
        ({"classes": ("cat", "dog")}, "the score without the head's bias comes"),
        ({"against": "1"}, "the score without the head's bias comes"),
        ({}, "its answer's logit less the others' mean by softmax share, without the head's bias, comes"),
        ({"of": "label"}, "the label's logit less the others' mean by softmax share, without the head's bias, comes"),
        ({"of": "1"}, "the logit of the class dog less the others' mean by softmax share, without the head's bias,"),
    ],
)
def test_against_several_others_the_map_adds_up_to_no_score(said, of_what):
    maps = np.ones((5, 4, 4))
    maps[:, 0, 0] = 2
    assert f" of {of_what}" in what_comes_from_outside(cams_of(maps, **said), measured(maps))


def test_what_the_sentence_names_is_what_the_mean_over_the_cells_is():
    """With three classes the score takes the log-sum-exp of the others, which is not what the map adds up to."""
    logits, label = torch.tensor([[2.0, 0.5, -1.0]]), torch.tensor([0])
    activations = logits.view(1, 3, 1, 1).expand(1, 3, 4, 4)
    mean = float(contrast(activations, logits, label, torch.eye(3)).mean())
    shares = logits[0, 1:].softmax(dim=0)
    assert mean == pytest.approx(float(2 - (shares * logits[0, 1:]).sum()), abs=1e-6)
    entropy = float(-(shares * shares.log()).sum())
    assert mean - entropy == pytest.approx(float(score_against_rest(logits, label)), abs=1e-5)


@pytest.mark.parametrize("method", ["gradcampp", "layercam", "eigencam", "scorecam", "ablationcam"])
def test_by_a_rule_that_adds_up_to_nothing_no_share_from_outside_is_told(method):
    maps = np.ones((5, 4, 4))
    maps[:, 0, 0] = 2
    cams = cams_of(maps, method=method, exact=False)
    assert what_comes_from_outside(cams, measured(maps)) == ""
    said = how_it_was_seen(cams)
    assert f"by {method}, in {unit_of(cams)}: by this rule a map doesn't add up to the score" in said
    assert "no average" not in said  # which may well follow that layer


def test_where_nothing_was_right_hiding_can_cost_nothing():
    found = replace(hidden(0.0, 0.0), right=np.zeros(200, bool))
    found = replace(found, hot=np.zeros((200, 2), bool), elsewhere=np.zeros((200, 2, 3), bool))
    said = what_hiding_showed(hiding_figures(found))
    assert said.startswith("None of the answers was right with nothing hidden (n = 200)")
    assert "more than once" not in said
