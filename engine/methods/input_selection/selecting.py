"""Choosing images of the pool: a share by a strategy for the labels that need help, the rest by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.methods.input_selection.candidates import Candidates, Choice, candidates
from engine.methods.input_selection.drawing import left_out
from engine.methods.input_selection.result import LabelIssues, Picks, Probes, Taps
from engine.methods.input_selection.settings import WHOLE_POOL, SelectionSettings
from engine.methods.input_selection.strategies import Asked, Ranking, by_chance, ranked
from engine.methods.input_selection.verdicts import label_verdicts
from engine.runs.progress import Progress
from engine.subject.image_set import Role
from engine.subject.subject import Subject

Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of the pool with their scores, and ranks from 1


def selected(
    subject: Subject,
    settings: SelectionSettings,
    taps: Taps,
    probes: Probes | None,
    issues: LabelIssues,
    progress: Progress,
    before: Sequence[str] = (),
) -> Picks:
    """The chosen images: first those for the target labels, best first and label by label in turn, then the rest.

    The same seed draws the same number for each image of the pool, so that what chance decides is the same in all
    strategies. `probes` may be None where the strategy reads no layer; `before` are the ids that earlier rounds chose.
    ValueError in one sentence where there is nothing to choose from (Exhausted where nothing is left), or no label to
    choose for.
    """
    progress.report(0.0, "choosing")
    found = candidates(taps, issues, settings, before)
    check_targets(settings, taps)
    verdicts = {each.label: each for each in label_verdicts(taps, settings.rule)}
    chance = np.random.default_rng([settings.seed, 2]).random(len(found.role.ids))
    asked = Asked(settings, taps, probes, found.role, subject.images, verdicts, chance)
    choice = Choice(found.role, settings.diverse, before)
    not_scored = left_out(subject.images, Role.POOL, len(found.role.ids))
    notes = [not_scored] if not_scored else []
    if settings.strategy in WHOLE_POOL:
        ranking = ranked(asked, np.flatnonzero(found.open), -1, settings.budget)
        parts = [taken(choice, ranking, settings.budget)]
    else:
        parts = by_label(asked, found, choice, notes)
    if len(choice.taken) < settings.budget:
        others = "no others that are no near copies" if settings.diverse else "no more"
        notes.append(
            f"Only {len(choice.taken):,} of {settings.budget:,} images could be chosen: the pool has {others}."
        )
    progress.report(1.0, "choosing")
    return picks_of(found, parts, tuple(notes))


def check_targets(settings: SelectionSettings, taps: Taps) -> None:
    """ValueError where a strategy needs labels to choose for and has none, or one that isn't there."""
    if not settings.targets and settings.strategy not in WHOLE_POOL:
        raise ValueError("name at least one label to choose for; only random and pool_gini need none")
    if strangers := [label for label in settings.targets if not 0 <= label < len(taps.classes)]:
        raise ValueError(f"there is no label number {strangers[0]}; there are {len(taps.classes)}")


def by_label(asked: Asked, found: Candidates, choice: Choice, notes: list[str]) -> list[Part]:
    """What is chosen for each target, then of the others by chance, then of the targets again where others lack."""
    settings, classes = asked.settings, asked.taps.classes
    rows = {label: found.rows((label,)) for label in dict.fromkeys(settings.targets)}
    others = by_chance(asked, found.other_rows(settings.targets))
    notes += rarity(rows, settings, classes)
    rows = {label: own for label, own in rows.items() if len(own)}
    share = max(1, round(settings.scored * settings.budget))
    given = dealt(max(share, settings.budget - len(others.rows)), [len(own) for own in rows.values()])
    rankings = {
        label: ranked(asked, own, label, count) for (label, own), count in zip(rows.items(), given, strict=True)
    }
    parts = [taken(choice, ranking, count) for ranking, count in zip(rankings.values(), given, strict=True)]
    parts.append(taken(choice, others, settings.budget - len(choice.taken)))
    for label, ranking in rankings.items():
        # what copies or rarity left of the budget, so that all arms spend the same
        parts.append(taken(choice, ranking, settings.budget - len(choice.taken)))
        if np.isin(ranking.rows[ranking.alike :], choice.taken).any():
            notes.append(
                f"Of {classes[label]} only the first {ranking.alike:,} are scored exactly; the ranks behind them go by "
                "the sliced distance."
            )
    return parts


def rarity(rows: dict[int, np.ndarray], settings: SelectionSettings, classes: Sequence[str]) -> list[str]:
    """Which targets have no candidates (`rows` by label), or so few that nothing is left to choose."""
    notes = []
    for label, own in rows.items():
        if not len(own):
            notes.append(f"The pool has no candidate with the label {classes[label]}.")
        elif len(own) * len(rows) < settings.scored * settings.budget:
            name = classes[label]
            notes.append(
                f"The pool has only {len(own):,} candidates of {name}, so all are taken whatever the strategy."
            )
    return notes


def dealt(total: int, room: list[int]) -> list[int]:
    """So many dealt out evenly to places with limited room, as far as there is room."""
    given = [0] * len(room)
    for _ in range(min(total, sum(room))):
        place = min((each for each in range(len(room)) if given[each] < room[each]), key=lambda each: given[each])
        given[place] += 1
    return given


def taken(choice: Choice, ranking: Ranking, wanted: int) -> Part:
    """What the choice takes of a ranking."""
    places = np.array(choice.take(ranking.rows, wanted), dtype=np.int64)
    return ranking.rows[places], ranking.score[places], places + 1


def picks_of(found: Candidates, parts: list[Part], notes: tuple[str, ...]) -> Picks:
    """The picks of all parts, the scored ones by rank before those that chance chose."""
    rows, score, rank = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    scored = ~np.isnan(score)
    order = np.argsort(np.where(scored, rank, np.iinfo(np.int64).max), kind="stable")
    rows, score, rank, scored = rows[order], score[order], rank[order], scored[order]
    role = found.role
    return Picks(
        ids=role.ids[rows],
        labels=role.labels[rows],
        predictions=role.predictions[rows],
        score=score,
        rank=np.where(scored, rank, 0),
        scored=scored,
        issue=found.issue[rows],
        notes=notes,
    )
