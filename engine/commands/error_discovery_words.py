"""What `error-discovery` says when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from engine.commands.error_discovery_story import Story
from engine.methods.error_discovery.comparison import compare
from engine.methods.error_discovery.correction_sentences import (
    what_correction_came_to,
    what_each_did,
    which_classes,
)
from engine.methods.error_discovery.gate import how_far_to_trust
from engine.methods.error_discovery.region_sentences import (
    both_sides,
    what_is_not_searched,
    what_was_grouped,
    what_was_left,
    what_was_tried,
)

UNLABELLED = (
    "Nobody has labelled the regions. Fill in status and assigned_label of regions.csv by looking at the images, and "
    "give it back with --labels; or name an oracle."
)
NOTHING = "No region was given a class on which the classifier is wrong, so there is nothing to correct."


def sentences(stories: Sequence[Story], anew: bool) -> list[str]:
    """What was found, in words, for each subject and then of the corrections of all."""
    said = [sentence for story in stories for sentence in of_story(story, len(stories) > 1)]
    if all(story.labels is None for story in stories):
        return [*said, UNLABELLED]
    runs = [run for story in stories for run in story.runs]
    if not runs:
        return [*said, NOTHING]
    found = compare(runs)
    seeds = "Each seed drew data and classifier anew." if anew else "Seeds differ in the order of training alone."
    notes = dict.fromkeys(f"Seed {run.order}: {note}" if anew else note for run in runs for note in run.notes)
    own = found.chosen()["regions"]
    classes = which_classes(own, stories[0].subject.blueprint.classes)
    return [*said, seeds, *what_correction_came_to(found), *filter(None, [classes]), *notes, *what_each_did(found)]


def of_story(story: Story, several: bool) -> list[str]:
    """What was found with one subject."""
    from engine.methods.error_discovery.identification import few_seeds

    errors, regions, tests = (story.value(name) for name in ("errors", "regions", "tests"))
    classes, search = story.subject.blueprint.classes, story.value("search")
    unsearched = what_is_not_searched(few_seeds(story.value("generator"), search), search, classes)
    said = [
        how_far_to_trust(story.value("generator")),
        what_was_left(errors),
        *errors.notes,
        *filter(None, [unsearched]),
        what_was_grouped(errors, regions),
        *what_was_tried(regions, tests),
        both_sides(regions, story.real["regions"].value, classes),
    ]
    if story.singles is not None and not isnan(story.precision.value):
        said.append(
            f"The oracle can read {story.readable} of the errors; the classifier is wrong on {story.precision} of them."
        )
    return [f"Seed {story.seed}: {sentence}" for sentence in said] if several else said
