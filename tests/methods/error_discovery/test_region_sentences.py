from dataclasses import replace

import numpy as np
import pytest

from engine.methods.error_discovery.labelling import Event, replayed
from engine.methods.error_discovery.region_sentences import (
    both_sides,
    how_far_labelled,
    how_novel,
    what_a_region_is,
    what_is_not_searched,
    what_was_grouped,
    what_was_left,
    what_was_tried,
)
from engine.methods.error_discovery.result import Novelty
from engine.methods.error_discovery.settings import IdentificationSettings
from tests.methods.error_discovery.made_discovery import CLASSES, PLACES, made_discovery
from tests.methods.error_discovery.made_errors import made_errors, made_regions


def test_what_was_grouped_counts_living_regions_and_their_errors():
    found = made_discovery()
    assert what_was_grouped(found.errors, found.regions) == (
        "3 regions of 3 mistakes (label and prediction) hold 180 of 180 errors; 0 more were kept aside to try them on."
    )
    one = replace(found.regions, alive=np.array([True, False, False]))
    assert what_was_grouped(found.errors, one).startswith("1 region of 1 mistake (label and prediction) holds 60 of")
    none = replace(made_regions(made_errors([]), []), notes=("No region, for there is no error to group.",))
    assert what_was_grouped(made_errors([]), none) == "No region, for there is no error to group."


def test_what_was_tried_tells_sure_errors_and_what_was_found_again():
    found = made_discovery()
    first, second, *rest = what_was_tried(found.regions, found.tests)
    assert first == "In 2 of 3 regions most fresh draws are surely errors (95 %)."
    assert second.startswith("1 of 2 that could be tried was found again")
    assert rest == ["A note."]
    nothing = made_regions(made_errors([]), [])
    assert what_was_tried(nothing, found.tests) == []


def test_a_region_is_told_with_its_tests():
    found = made_discovery()
    said = [what_a_region_is(found.regions, found.tests, CLASSES, number) for number in range(3)]
    assert said[0] == (
        "cat taken for =dog: 60 errors around 20 images; 100.0% (83.9% to 100.0%, n = 20) of fresh draws are not taken "
        "for cat; found again on the seeds kept aside (q = 0.001)."
    )
    assert "could not be tried on the seeds kept aside." in said[2]
    assert "not found again on the seeds kept aside (q = 0.9)" in said[1]
    real = replace(found.regions, source="real")
    none = replace(found.tests, error=(replace(found.tests.error[0], n=0),) * 3)
    assert "no images kept aside to try it on" in what_a_region_is(real, none, CLASSES, 0)


@pytest.mark.parametrize(
    ("share", "said"),
    [(99, "farther than 99 % of unseen real images are"), (60, "as far as usual"), (3, "nearer than usual")],
)
def test_novelty_is_told_beside_what_is_usual(share, said):
    found = Novelty(
        "features", np.array([np.nan]), np.array([0.25]), np.ones(3), np.array([np.nan]), np.array([float(share)]),
        np.full((1, 6), ""), np.full((1, 6), ""),
    )  # fmt: skip
    text = how_novel(found, 0)
    assert text.startswith(
        "There is no misclassified image of train to compare with; the nearest image of train is 0.25"
    )
    assert said in text


def test_progress_counts_what_is_decided_of_what_is_alive():
    regions = made_discovery().regions
    state = replayed([Event("class", 0, 1), Event("unreadable", 2), Event("skipped", 99)])
    assert how_far_labelled(regions, state) == "2 of 3 labelled: 1 given a class, 1 not recognisable."
    assert how_far_labelled(regions, replayed([])) == "0 of 3 labelled."


def test_the_funnel_is_told_in_order():
    assert what_was_left(made_errors(PLACES)) == "draws 1,800, wrong 180."


def test_labels_that_are_hardly_searched_are_told():
    usual = IdentificationSettings()
    assert what_is_not_searched({}, usual, CLASSES) == ""
    assert what_is_not_searched({0: 0, 2: 4}, usual, CLASSES) == (
        "The search starts from at most 6,000 images of train that are classified correctly together with their "
        f"reconstructions: none of {CLASSES[0]} and hardly any independent ones of {CLASSES[2]} (4). "
        "What goes wrong with these labels "
        "it can hardly find; the real errors have to show it."
    )
    bare = what_is_not_searched({1: 9}, IdentificationSettings(role="pool", reconstruction=False), CLASSES)
    assert f"images of pool that are classified correctly: hardly any independent ones of {CLASSES[1]} (9). " in bare
    assert "What goes wrong with this label it" in bare
    many = what_is_not_searched(dict.fromkeys(range(1000), 0), usual, [f"c{label}" for label in range(1000)])
    assert "none of c0, c1, c2, c3, c4, c5 and 994 more." in many


def test_generated_and_seen_mistakes_are_told_apart():
    generated = made_discovery().regions
    seen = made_regions(made_errors([(0, 1, 0.0), (2, 1, 3.0)]), [(0, 1, 0.0), (2, 1, 3.0)])
    assert both_sides(generated, seen, CLASSES) == (
        "Of the kinds of mistakes that have a region: 1 both generated and seen (cat as =dog); 2 only generated "
        "(=dog as cat, cat as fox); 1 only seen (fox as =dog)."
    )
    nothing = made_regions(made_errors([]), [])
    assert both_sides(nothing, nothing, CLASSES) == "No mistake has a region."
