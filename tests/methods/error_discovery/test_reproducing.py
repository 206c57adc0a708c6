from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact

from engine.methods.error_discovery.reproducing import (
    agreement_within,
    discoveries,
    found_again,
    inside,
    more_inside,
    worth,
)
from tests.methods.error_discovery.made_errors import made_errors, made_regions

PLACES = [(0, 1, -2.0), (0, 2, 2.0), (1, 0, 0.0)]
REGIONS_OF = made_errors(PLACES)
REGIONS = made_regions(REGIONS_OF, PLACES)


def with_trials(wrong_at, share=0.8, units=40, a_unit=4, seed=0):
    """Trials around the three places, their answers right but for a share of the units at `wrong_at`."""
    random = np.random.default_rng(seed)
    codes, labels, predictions, names = [], [], [], []
    for label, prediction, place in PLACES:
        for unit in range(units):
            wrong = place == wrong_at and random.random() < share
            codes.append(random.normal(place, 0.2, (a_unit, 8)))
            labels += [label] * a_unit
            predictions += [prediction if wrong else label] * a_unit
            names += [f"{place} {unit}"] * a_unit
    return replace(
        REGIONS_OF,
        trial_codes=np.concatenate(codes).astype(np.float32),
        trial_units=np.array(names),
        trial_labels=np.array(labels),
        trial_predictions=np.array(predictions),
    )


def test_a_planted_region_is_found_again_and_no_other():
    found = found_again(with_trials(-2.0), REGIONS)
    planted = int(np.flatnonzero(REGIONS.prediction == 1)[0])
    others = np.arange(3) != planted
    assert found.p[planted] < 1e-6
    assert found.inside[planted].value == pytest.approx(0.8, abs=0.15)
    assert found.elsewhere[planted].value < 0.05  # the edge of the planted place
    assert found.inside[planted].groups <= 40
    assert np.nanmin(found.p[others]) == 1
    assert found.wrong[planted].value == found.inside[planted].value


def test_trials_of_other_labels_do_not_count():
    errors = with_trials(0.0)
    found = found_again(errors, REGIONS)
    own = int(np.flatnonzero(REGIONS.label == 1)[0])
    zero = np.flatnonzero(REGIONS.label == 0)
    assert found.inside[own].n > 100
    # no trial of label 1 lies anywhere else
    assert found.elsewhere[own].n < 30
    assert all(found.inside[region].value == 0 for region in zero)


def test_a_dead_region_and_one_without_trials_have_no_p():
    dead = replace(REGIONS, alive=np.array([False, True, True]))
    far = with_trials(-2.0)
    far = replace(far, trial_codes=far.trial_codes + 50)
    found = found_again(far, dead)
    assert np.isnan(found.p).all()
    assert all(each.n == 0 for each in found.inside)
    assert found.elsewhere[0].n == 0 < found.elsewhere[1].n


def test_inside_is_as_near_as_nearly_all_of_its_errors():
    for region in range(3):
        own = REGIONS_OF.codes[REGIONS.member == region]
        assert 0.94 <= inside(REGIONS_OF, REGIONS, region, own).mean() <= 1
        assert not inside(REGIONS_OF, REGIONS, region, own + 2).any()


@pytest.mark.parametrize(("hits", "n", "others", "m"), [(5, 6, 3, 200), (1, 30, 1, 900), (0, 10, 40, 90), (9, 9, 9, 9)])
def test_p_of_independent_trials_is_fishers(hits, n, others, m):
    outcome = np.concatenate([np.arange(n) < hits, np.arange(m) < others])
    twin = fisher_exact([[hits, n - hits], [others, m - others]], "greater").pvalue
    assert more_inside(outcome, np.arange(n + m) < n, np.arange(n + m)) == pytest.approx(twin, rel=1e-9)


def test_trials_of_a_seed_that_agree_are_worth_one():
    """Six seeds inside are always wrong, of 40 others 4: however many trials each has."""
    wrong = np.array([True] * 6 + [True] * 4 + [False] * 36)
    once = more_inside(wrong, np.arange(46) < 6, np.arange(46))
    units = np.repeat(np.arange(46), 25)
    assert more_inside(wrong[units], units < 6, units) == pytest.approx(once, rel=1e-9)
    assert once == pytest.approx(fisher_exact([[6, 0], [4, 36]], "greater").pvalue)
    one = np.repeat(np.arange(41), 25)
    assert more_inside((one == 0) | (one > 36), one == 0, one) == pytest.approx(
        5 / 41
    )  # one seed, wrong as four others
    assert np.isnan(more_inside(np.ones(3, bool), np.zeros(3, bool), np.arange(3)))


def test_the_agreement_within_units_is_that_of_a_slow_loop():
    random = np.random.default_rng(0)
    units = np.repeat(np.arange(40), random.integers(1, 6, 40))
    hits = np.where(random.random(len(units)) < 0.6, (random.random(40) < 0.4)[units], random.random(len(units)) < 0.4)
    apart = hits - hits.mean()
    pairs = [
        apart[a] * apart[b] for a in range(len(units)) for b in range(len(units)) if a != b and units[a] == units[b]
    ]
    assert agreement_within(hits, units) == pytest.approx(np.mean(pairs) / np.mean(apart**2))
    assert 0.2 < agreement_within(hits, units) < 0.6
    assert agreement_within(units == 3, units) == 1  # one unit alone tells nothing
    assert agreement_within(hits, np.arange(len(hits))) == 0


def test_trials_are_worth_their_number_or_their_units():
    units = np.repeat(np.arange(10), 5)
    assert worth(units, 0.0) == 50
    assert worth(units, 1.0) == 10
    assert worth(units, 0.5) == pytest.approx(50 / 3)


def test_q_is_benjamini_hochbergs_over_what_is_known():
    p = np.random.default_rng(0).random(30) ** 2
    assert discoveries(p) == pytest.approx(false_discovery_control(p))
    holes = np.where(np.arange(30) % 3 == 0, np.nan, p)
    found = discoveries(holes)
    assert np.isnan(found[::3]).all()
    assert found[~np.isnan(holes)] == pytest.approx(false_discovery_control(holes[~np.isnan(holes)]))
    assert discoveries(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(("base", "alike"), [(0.02, 1.0), (0.3, 0.8), (0.85, 0.8), (0.3, 0.0)])
def test_without_an_effect_hardly_anything_is_found_again(base, alike):
    """Seeds go wrong by chance, wherever they lie, and a share of their trials with them: 300 sets of 8 regions."""
    random = np.random.default_rng(1)
    false = []
    for _ in range(300):
        p = []
        for _region in range(8):
            units = np.repeat(np.arange(90), random.integers(1, 12, 90))
            together, alone = random.random(90) < base, random.random(len(units)) < base
            hits = np.where(random.random(len(units)) < alike, together[units], alone)
            near = units < 12
            p.append(more_inside(hits, near, units))
        false.append((discoveries(np.array(p)) <= 0.05).any())
    assert np.mean(false) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_with_an_effect_it_is_found():
    random = np.random.default_rng(2)
    p = []
    for _ in range(60):
        units = np.repeat(np.arange(90), 5)
        wrong = random.random(90) < np.where(np.arange(90) < 12, 0.7, 0.05)
        hits, near = wrong[units], units < 12
        p.append(more_inside(hits, near, units))
    assert np.mean(np.array(p) < 0.01) > 0.9
