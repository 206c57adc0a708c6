from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.methods.input_selection import selecting
from engine.methods.input_selection.selecting import dealt, selected
from engine.methods.input_selection.settings import STRATEGIES, SelectionSettings, VerdictSettings, reads_layers
from engine.runs.progress import Progress
from engine.subject.subject import joined
from tests.conftest import colour_images, rgb_blueprint
from tests.methods.input_selection.made_taps import made_probes
from tests.methods.input_selection.test_candidates import issues_of
from tests.methods.input_selection.test_strategies import made


def chosen(asked, taps=None, issues=None, before=()):
    taps = taps or with_images(made(n=240))[0]
    _, subject = with_images(taps)
    return selected(subject, asked, taps, made_probes(taps), issues or issues_of(), Progress(), before)


def with_images(taps):
    """The taps with ids of real images, and the subject that has them."""
    count = sum(len(role.ids) for role in taps.roles)
    colours = np.random.default_rng(0).integers(0, 256, (count, 3)).tolist()
    images = colour_images([tuple(each) for each in colours], np.concatenate([r.labels for r in taps.roles]).tolist())
    subject = joined(rgb_blueprint(), images, lambda _: None)
    ends = np.cumsum([0, *(len(role.ids) for role in taps.roles)])
    roles = tuple(
        replace(role, ids=images.ids[start:end]) for role, start, end in zip(taps.roles, ends, ends[1:], strict=False)
    )
    return replace(taps, roles=roles), subject


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_spends_the_budget_once_and_the_same_way_twice(strategy):
    asked = SelectionSettings(strategy, targets=(0, 2), budget=40, seed=3)
    found, again = chosen(asked), chosen(asked)
    assert len(found.ids) == len(set(found.ids.tolist())) == 40
    assert found.ids.tolist() == again.ids.tolist()
    assert found.notes == ()
    if strategy not in ("random", "pool_gini"):
        assert np.isin(found.labels, (0, 2)).sum() == 10
        assert [(found.labels == label).sum() for label in (0, 2)] == [5, 5]
    assert found.scored.sum() == {"random": 0, "class_random": 0, "pool_gini": 40}.get(strategy, 10)
    assert (np.isnan(found.score) == ~found.scored).all()
    assert ((found.rank == 0) == ~found.scored).all()


def test_what_is_scored_comes_first_label_by_label_in_turn():
    found = chosen(SelectionSettings("highest_loss", targets=(0, 2), budget=40))
    assert found.labels[:10].tolist() == [0, 2] * 5
    assert found.rank[:10].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert (found.labels[10:] == 1).all()


def test_chance_draws_the_same_others_in_every_strategy():
    rest = [
        set(chosen(SelectionSettings(name, targets=(0,), budget=40)).ids[10:].tolist())
        for name in ("class_random", "highest_loss", "gini")
    ]
    assert rest[0] == rest[1] == rest[2]
    other = chosen(SelectionSettings("class_random", targets=(0,), budget=40, seed=1))
    assert set(other.ids[10:].tolist()) != rest[0]


def test_doubtful_and_excluded_images_are_never_taken():
    asked = SelectionSettings("highest_loss", targets=(1,), budget=30)
    taps, _ = with_images(made(n=240))
    first = chosen(asked, taps)
    worst, second = first.ids[:2].tolist()
    without = chosen(replace(asked, excluded=(worst,)), taps, issues_of(second))
    assert not np.isin([worst, second], without.ids).any()
    marked = chosen(replace(asked, filtered=False), taps, issues_of(second))
    assert marked.issue.tolist() == (marked.ids == second).tolist()
    assert marked.issue.any()


def test_the_pool_is_left_as_it_was():
    taps, _ = with_images(made(n=240))
    before = [np.copy(each) for role in taps.roles for each in (role.ids, role.labels, role.logits, *role.features)]
    for strategy in STRATEGIES:
        chosen(SelectionSettings(strategy, targets=(0,), budget=40, diverse=True), taps)
    after = [each for role in taps.roles for each in (role.ids, role.labels, role.logits, *role.features)]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_what_could_not_be_done_is_said():
    taps, _ = with_images(made(n=60))
    pool = taps.role("pool")
    one_missing = replace(pool, labels=np.where(pool.labels == 2, 1, pool.labels))
    taps = replace(taps, roles=(taps.roles[0], one_missing))
    found = chosen(SelectionSettings("gini", targets=(0, 2), budget=20), taps)
    assert found.notes == ("The pool has no candidate with the label c.",)
    assert (found.labels[:5] == 0).all()
    found = chosen(SelectionSettings("random", budget=500), taps)
    assert found.notes == ("Only 60 of 500 images could be chosen: the pool has no more.",)
    assert len(found.ids) == 60
    with pytest.raises(ValueError, match="name at least one label"):
        chosen(SelectionSettings("gini"), taps)
    with pytest.raises(ValueError, match="no label number 7"):
        chosen(SelectionSettings("gini", targets=(7,)), taps)


@settings(max_examples=50, deadline=None)
@given(total=st.integers(0, 60), room=st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_dealing_is_even_and_wastes_nothing(total, room):
    given_out = dealt(total, room)
    assert sum(given_out) == min(total, sum(room))
    assert all(0 <= own <= most for own, most in zip(given_out, room, strict=True))
    free = [own for own, most in zip(given_out, room, strict=True) if own < most]
    assert not free or max(given_out) - min(free) <= 1


@pytest.mark.parametrize("strategy", ["class_random", "highest_loss", "mode_dhwi"])
def test_where_the_targets_are_all_labels_the_whole_budget_is_spent_all_the_same(strategy):
    found = chosen(SelectionSettings(strategy, targets=(0, 1, 2), budget=40))
    assert len(found.ids) == len(set(found.ids.tolist())) == 40
    assert found.notes == ()


def test_too_few_candidates_of_a_target_are_said_to_be_so():
    taps, _ = with_images(made(n=240))
    pool = taps.role("pool")
    few = np.flatnonzero(pool.labels == 0)[:3]
    labels = np.where((pool.labels == 0) & ~np.isin(np.arange(len(pool.labels)), few), 1, pool.labels)
    taps = replace(taps, roles=(taps.roles[0], replace(pool, labels=labels)))
    found = chosen(SelectionSettings("gini", targets=(0,), budget=80), taps)
    assert found.notes == ("The pool has only 3 candidates of a, so all are taken whatever the strategy.",)
    assert (found.labels == 0).sum() == 3


def test_images_of_the_pool_that_a_fix_was_trained_on_are_no_candidates():
    taps, _ = with_images(made(n=240))
    pool = taps.role("pool")
    seen = np.arange(len(pool.ids)) % 2 == 0
    taps = replace(taps, roles=(taps.roles[0], replace(pool, seen=seen.astype(np.int8))))
    found = chosen(SelectionSettings("highest_loss", targets=(0,), budget=40), taps)
    assert not np.isin(found.ids, pool.ids[seen]).any()


def test_what_earlier_rounds_chose_is_not_chosen_again_nor_are_its_copies():
    taps, _ = with_images(made(n=240))
    pool = taps.role("pool")
    pairs = replace(
        pool, features=(np.repeat(pool.features[0][::2], 2, axis=0),), labels=np.repeat(pool.labels[::2], 2)
    )
    taps = replace(taps, roles=(taps.roles[0], pairs))
    asked = SelectionSettings("highest_loss", targets=(0,), budget=20)
    first = chosen(replace(asked, diverse=True), taps)
    plain, diverse = (chosen(replace(asked, diverse=each), taps, before=first.ids.tolist()) for each in (False, True))
    twin = dict(zip(pool.ids.tolist(), pool.ids.reshape(-1, 2)[:, ::-1].ravel().tolist(), strict=True))
    copies = [twin[each] for each in first.ids.tolist()]
    for found in (plain, diverse):
        assert not np.isin(found.ids, first.ids).any()
        assert len(found.ids) == 20
    assert np.isin(plain.ids, copies).any()
    assert not np.isin(diverse.ids, copies).any()


def test_ranks_go_on_where_the_others_run_out():
    taps, _ = with_images(made(n=240))
    pool = taps.role("pool")
    labels = np.where(np.arange(240) < 5, 1, np.where(pool.labels == 1, 0, pool.labels))
    taps = replace(taps, roles=(taps.roles[0], replace(pool, labels=labels)))
    found = chosen(SelectionSettings("highest_loss", targets=(0, 2), budget=45, scored=0.5), taps)
    assert [(found.labels == label).sum() for label in (0, 1, 2)] == [20, 5, 20]
    assert found.rank[found.labels == 0].tolist() == list(range(1, 21))


def test_what_is_ranked_by_another_distance_is_said(monkeypatch):
    monkeypatch.setattr("engine.methods.input_selection.strategies.RERANKED", 4)
    taps, _ = with_images(made(n=240, grid=2))
    exact = SelectionSettings(
        "mode", targets=(0,), budget=40, scored=0.5, map="hci", metric="wasserstein", wasserstein="exact"
    )
    assert chosen(exact, taps).notes == ()  # as many as are taken
    pool = taps.role("pool")
    copies = replace(pool, units=np.where(pool.labels == 0, np.arange(240) % 9, np.arange(240)).astype(str))
    notes = chosen(replace(exact, diverse=True), replace(taps, roles=(taps.roles[0], copies))).notes
    assert notes == ("Of a only the first 20 are scored exactly; the ranks behind them go by the sliced distance.",)


def test_the_rule_is_the_persons(monkeypatch):
    rules = []
    own = selecting.label_verdicts
    monkeypatch.setattr(selecting, "label_verdicts", lambda taps, rule: rules.append(rule) or own(taps, rule))
    rule = VerdictSettings(recall=0.3)
    chosen(SelectionSettings("gini", targets=(0,), budget=20, rule=rule))
    assert rules == [rule]


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if not reads_layers(SelectionSettings(name))])
def test_a_strategy_that_looks_at_no_layer_needs_neither_train_nor_probes(strategy):
    taps, subject = with_images(made(n=240))
    assert taps.role("train") is None
    asked = SelectionSettings(strategy, targets=(0,), budget=20)
    assert len(selected(subject, asked, taps, None, issues_of(), Progress()).ids) == 20


def test_what_of_the_pool_was_not_looked_into_is_said():
    taps, subject = with_images(made(n=240))
    subject = replace(subject, images=replace(subject.images, roles=np.full(len(subject.images), "pool")))
    found = selected(subject, SelectionSettings("random", budget=20), taps, None, issues_of(), Progress())
    assert found.notes[0].startswith("Of the 480 images of pool only 240 are looked into")
