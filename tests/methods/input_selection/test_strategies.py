import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from engine.methods.input_selection.heat_maps import heat_maps
from engine.methods.input_selection.metrics import scores
from engine.methods.input_selection.settings import SelectionSettings, VerdictSettings
from engine.methods.input_selection.strategies import BENEFITS, Asked, layer_of, layers_of, ranked
from engine.methods.input_selection.verdicts import label_verdicts
from tests.conftest import BLUE, GREEN, RED, colour_images
from tests.methods.input_selection.made_taps import made_probes, made_role, made_taps


def made(seed=0, n=120, grid=1):
    random = np.random.default_rng(seed)
    roles = []
    for name in ("diagnosis", "pool"):
        labels = random.integers(0, 3, n)
        logits = 2 * np.eye(3)[labels] + 1.5 * random.standard_normal((n, 3))
        roles.append(made_role(name, labels, features=random.standard_normal((n, 4 * grid**2)), logits=logits))
    return made_taps(*roles, grid=grid)


def asked_of(taps, settings, images=None, chance=None):
    pool = taps.role("pool")
    verdicts = {each.label: each for each in label_verdicts(taps, VerdictSettings())}
    weights = np.random.default_rng(5).standard_normal((pool.features[0].shape[1], 3))
    chance = np.random.default_rng(6).random(len(pool.ids)) if chance is None else chance
    return Asked(settings, taps, made_probes(taps, weights), pool, images, verdicts, chance)


def by_hand(name, logits, label):
    probabilities = [math.exp(each) / sum(map(math.exp, logits)) for each in logits]
    first, second = sorted(probabilities)[::-1][:2]
    return {
        "highest_loss": -math.log(probabilities[label]),
        "misclassified": float(probabilities[label] < first),
        "gini": 1 - sum(each**2 for each in probabilities),
        "pool_gini": 1 - sum(each**2 for each in probabilities),
        "margin": 1 - (first - second),
    }[name]


@pytest.mark.parametrize("name", BENEFITS)
def test_benefits_are_the_formulas_and_the_largest_comes_first(name):
    taps = made()
    pool = taps.role("pool")
    rows = np.flatnonzero(pool.labels == 1)
    found = ranked(asked_of(taps, SelectionSettings(name, targets=(1,))), rows, 1, 20)
    expected = [by_hand(name, pool.logits[row].tolist(), 1) for row in found.rows]
    np.testing.assert_allclose(found.score, expected, atol=1e-6)
    assert sorted(found.rows.tolist()) == rows.tolist()
    assert (np.diff(found.score) <= 1e-12).all()


def test_equal_scores_and_chance_follow_the_drawn_numbers():
    taps = made()
    pool = taps.role("pool")
    rows = np.flatnonzero(pool.labels == 1)
    asked = asked_of(taps, SelectionSettings("misclassified", targets=(1,)))
    found = ranked(asked, rows, 1, 20)
    wrong = found.rows[found.score == 1]
    assert 1 < len(wrong) < len(rows)
    assert (np.diff(asked.chance[wrong]) > 0).all()
    by_chance = ranked(replace(asked, settings=SelectionSettings("class_random", targets=(1,))), rows, 1, 20)
    assert (np.diff(asked.chance[by_chance.rows]) > 0).all()
    assert np.isnan(by_chance.score).all()


@pytest.mark.parametrize("metric", ["dot", "euclidean", "canberra"])
@pytest.mark.parametrize("end", ["best", "worst"])
def test_a_map_takes_its_nearest_or_its_farthest(metric, end):
    taps = made()
    settings = SelectionSettings("mode", targets=(2,), map="hwi", metric=metric, end=end)
    asked = asked_of(taps, settings)
    rows = np.flatnonzero(asked.role.labels == 2)
    found = ranked(asked, rows, 2, 20)
    wanted = heat_maps(taps, asked.probes, 0, 2)[2].values
    values = asked.role.features[0][found.rows] * asked.probes.weights[0][:, 2]
    np.testing.assert_allclose(found.score, scores(values, wanted[None], metric)[:, 0], atol=1e-9)
    assert ((np.diff(found.score) >= 0) if end == "best" else (np.diff(found.score) <= 0)).all()


def test_the_exact_distance_reorders_only_the_top():
    taps = made(n=300, grid=3)
    settings = SelectionSettings("mode", targets=(0,), map="hci", metric="wasserstein", wasserstein="exact")
    asked = asked_of(taps, settings)
    rows = np.flatnonzero(asked.role.labels == 0)
    assert len(rows) > 60
    sliced = ranked(replace(asked, settings=replace(settings, wasserstein="sliced")), rows, 0, 20)
    for wanted, most in ((20, 50), (60, 60), (1000, len(rows))):
        found = ranked(asked, rows, 0, wanted)
        assert found.alike == most
        assert sorted(found.rows[:most]) == sorted(sliced.rows[:most])
        assert found.rows[:most].tolist() != sliced.rows[:most].tolist()
        assert found.rows[most:].tolist() == sliced.rows[most:].tolist()
        assert (np.diff(found.score[:most]) >= 0).all()
    assert sliced.alike == len(rows)


def test_the_published_rule_turns_round_for_an_over_fitted_label():
    colours = [RED, (120, 0, 0), (40, 0, 0)] * 20 + [GREEN] * 20 + [BLUE] * 20
    labels = [0] * 60 + [1] * 20 + [2] * 20
    images = colour_images(colours * 2, labels * 2)
    diagnosis, pool = (made_role(name, labels, labels) for name in ("diagnosis", "pool"))
    diagnosis, pool = replace(diagnosis, ids=images.ids[:100]), replace(pool, ids=images.ids[100:])
    taps = made_taps(diagnosis, pool)
    asked = asked_of(taps, SelectionSettings("mode_published", targets=(0,)), images)
    nearest = ranked(asked, np.arange(60), 0, 20)
    assert set(nearest.rows[:20] % 3) == {0}  # the brightest, as the dot product has it
    verdict = replace(asked.verdicts[0], verdict="over-fitted")
    farthest = ranked(replace(asked, verdicts={0: verdict}), np.arange(60), 0, 20)
    assert set(farthest.rows[:20] % 3) == {2}


def test_layers_by_name_and_what_reads_none():
    taps = made()
    taps = replace(
        taps, taps=(*taps.taps, replace(taps.taps[0], name="later")),
        roles=tuple(replace(role, features=role.features * 2) for role in taps.roles),
    )  # fmt: skip
    last = SelectionSettings("mode", targets=(1,))
    assert layer_of(last, taps, None, 1, "healthy") == 1
    assert layers_of(last, taps, None) == "later"
    assert layers_of(replace(last, layer="block"), taps, None) == "block"
    with pytest.raises(ValueError, match="no tap called 'nowhere'; there are block, later"):
        layer_of(replace(last, layer="nowhere"), taps, None, 1, "healthy")
    assert layers_of(SelectionSettings("gini", targets=(1,), layer="block"), taps, None) == ""


def test_the_layer_that_explains_a_label_is_asked_for_with_its_verdict(monkeypatch):
    asked_for = []

    def chosen(probes, taps, label, verdict, gap):
        asked_for.append((label, verdict, gap))
        return SimpleNamespace(tap=label % 2)

    monkeypatch.setattr("engine.methods.input_selection.strategies.chosen_layer", chosen)
    taps = made(n=400)
    taps = replace(
        taps, taps=(*taps.taps, replace(taps.taps[0], name="later")),
        roles=tuple(replace(role, features=role.features * 2) for role in taps.roles),
    )  # fmt: skip
    rule = VerdictSettings(recall=0.99, gap=0.3)
    settings = SelectionSettings("mode", targets=(0, 1, 2), layer="auto", rule=rule)
    assert layers_of(settings, taps, made_probes(taps)) == "block, later"
    verdicts = {each.label: each.verdict for each in label_verdicts(taps, rule)}
    assert asked_for == [(label, verdicts[label], 0.3) for label in (0, 1, 2)]
    assert verdicts != {each.label: each.verdict for each in label_verdicts(taps, VerdictSettings())}
    with pytest.raises(ValueError, match="needs the probes"):
        layers_of(settings, taps, None)


def test_towards_the_lost_weighs_likeness_and_loss_alike():
    taps = made(n=200)
    asked = asked_of(taps, SelectionSettings("mode_dhwi", targets=(1,)))
    diagnosis, pool = taps.roles
    rows = np.flatnonzero(pool.labels == 1)
    lost = diagnosis.features[0][(diagnosis.labels == 1) & (diagnosis.predictions != 1)]
    known = diagnosis.features[0][(diagnosis.labels == 1) & (diagnosis.predictions == 1)]
    assert len(lost) >= 10
    likeness = [float(pool.features[0][row] @ (lost.mean(axis=0) - known.mean(axis=0))) for row in rows]
    losses = [by_hand("highest_loss", pool.logits[row].tolist(), 1) for row in rows]
    expected = [
        (sum(other < one for other in likeness) + sum(other < two for other in losses)) / (2 * (len(rows) - 1))
        for one, two in zip(likeness, losses, strict=True)
    ]
    found = ranked(asked, rows, 1, 20)
    by_row = dict(zip(found.rows.tolist(), found.score.tolist(), strict=True))
    assert [by_row[row] for row in rows.tolist()] == pytest.approx(expected)
    assert (np.diff(found.score) <= 1e-12).all()


def test_where_nothing_is_lost_the_loss_alone_decides():
    taps = made(n=200)
    diagnosis = taps.roles[0]
    right = replace(diagnosis, logits=(9 * np.eye(3)[diagnosis.labels]).astype(np.float32))
    taps = replace(taps, roles=(right, taps.roles[1]))
    asked = asked_of(taps, SelectionSettings("mode_dhwi", targets=(1,)))
    rows = np.flatnonzero(asked.role.labels == 1)
    by_loss = ranked(replace(asked, settings=SelectionSettings("highest_loss", targets=(1,))), rows, 1, 20)
    assert ranked(asked, rows, 1, 20).rows.tolist() == by_loss.rows.tolist()
