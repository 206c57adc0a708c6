"""Choosing images of the pool: a share by a strategy for the labels that need help, the rest by chance."""

from __future__ import annotations

import numpy as np

from engine.methods.input_selection.candidates import Candidates, Choice, candidates
from engine.methods.input_selection.result import LabelIssues, Picks, Probes, Taps
from engine.methods.input_selection.settings import SelectionSettings, VerdictSettings
from engine.methods.input_selection.strategies import WHOLE_POOL, Asked, Ranking, ranked
from engine.methods.input_selection.verdicts import label_verdicts
from engine.runs.progress import Progress
from engine.subject.subject import Subject


def selected(
    subject: Subject,
    settings: SelectionSettings,
    taps: Taps,
    probes: Probes | None,
    issues: LabelIssues,
    progress: Progress,
) -> Picks:
    """The chosen images: first those for the target labels, best first and label by label in turn, then the rest.

    The same seed draws the same number for each image of the pool, so that what chance decides is the same in all
    strategies. `probes` may be None where the strategy reads no layer. ValueError in one sentence where there is
    nothing to choose from, or no label to choose for.
    """
    progress.report(0.0, "choosing")
    found = candidates(taps, issues, settings)
    check_targets(settings, taps)
    verdicts = {each.label: each for each in label_verdicts(taps, VerdictSettings())}
    chance = np.random.default_rng([settings.seed, 2]).random(len(found.role.ids))
    asked = Asked(settings, taps, probes, found.role, subject.images, verdicts, chance)
    choice = Choice(found.role, settings.diverse)
    notes: list[str] = []
    if settings.strategy in WHOLE_POOL:
        parts = [taken(choice, ranked(asked, np.flatnonzero(found.open), -1), settings.budget)]
    else:
        parts = for_targets(asked, found, choice, notes)
        others = found.other_rows(settings.targets)
        by_chance = Ranking(others[np.argsort(chance[others], kind="stable")], np.full(len(others), np.nan))
        parts.append(taken(choice, by_chance, settings.budget - len(choice.taken)))
        if len(choice.taken) < settings.budget:  # no others are left, so that all arms spend the same budget
            parts += more_for_targets(asked, found, choice)
    if len(choice.taken) < settings.budget:
        notes.append(f"Only {len(choice.taken):,} of {settings.budget:,} images could be chosen: the pool has no more.")
    progress.report(1.0, "choosing")
    return picks_of(found, parts, tuple(notes))


def check_targets(settings: SelectionSettings, taps: Taps) -> None:
    """ValueError where a strategy needs labels to choose for and has none, or one that isn't there."""
    if not settings.targets and settings.strategy not in WHOLE_POOL:
        raise ValueError("name at least one label to choose for; only random and pool_gini need none")
    if strangers := [label for label in settings.targets if not 0 <= label < len(taps.classes)]:
        raise ValueError(f"there is no label number {strangers[0]}; there are {len(taps.classes)}")


def for_targets(
    asked: Asked, found: Candidates, choice: Choice, notes: list[str]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What is chosen for each target: an equal part of the share, or what there is; what is missing goes to others."""
    settings = asked.settings
    rows = {label: found.rows((label,)) for label in dict.fromkeys(settings.targets)}
    for label, own in rows.items():
        if not len(own):
            notes.append(f"The pool has no candidate with the label {asked.taps.classes[label]}.")
        elif len(own) * len(rows) < settings.scored * settings.budget:
            name = asked.taps.classes[label]
            notes.append(
                f"The pool has only {len(own):,} candidates of {name}, so all are taken whatever the strategy."
            )
    wanted = dealt(max(1, round(settings.scored * settings.budget)), [len(own) for own in rows.values()])
    return [
        taken(choice, ranked(asked, own, label), count)
        for (label, own), count in zip(rows.items(), wanted, strict=True)
        if len(own)
    ]


def more_for_targets(
    asked: Asked, found: Candidates, choice: Choice
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What is still missing of the budget, from what is left of the targets."""
    parts = []
    for label in dict.fromkeys(asked.settings.targets):
        own = found.rows((label,))
        own = own[~np.isin(own, choice.taken)]
        if len(own) and (wanted := asked.settings.budget - len(choice.taken)) > 0:
            parts.append(taken(choice, ranked(asked, own, label), wanted))
    return parts


def dealt(total: int, room: list[int]) -> list[int]:
    """So many dealt out evenly to places with limited room, as far as there is room."""
    given = [0] * len(room)
    for _ in range(min(total, sum(room))):
        place = min((each for each in range(len(room)) if given[each] < room[each]), key=lambda each: given[each])
        given[place] += 1
    return given


def taken(choice: Choice, ranking: Ranking, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, scores and ranks from 1 of what the choice takes of a ranking."""
    places = np.array(choice.take(ranking.rows, wanted), dtype=np.int64)
    return ranking.rows[places], ranking.score[places], places + 1


def picks_of(
    found: Candidates, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], notes: tuple[str, ...]
) -> Picks:
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
