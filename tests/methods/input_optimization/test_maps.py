from __future__ import annotations

import subprocess
import sys
from dataclasses import astuple, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.loading.data_options import DataOptions
from engine.loading.open_checkpoint import CheckpointOptions
from engine.methods.input_optimization import BREAKPOINTS, DIFFERENCES, MAP, OPTIMISATION, SWEEP
from engine.methods.input_optimization.maps import by_image, make_map, ranked_measures, ranks
from engine.methods.input_optimization.result import (
    NOT_REACHED,
    REACHED,
    Answers,
    Between,
    Differences,
    Optimisation,
    Outcomes,
    Sweep,
)
from engine.methods.input_optimization.settings import (
    BreakpointSettings,
    DifferenceSettings,
    MapSettings,
    OptimisationSettings,
    SweepSettings,
    alone,
)
from engine.runs.run import Input, Outcome
from engine.workbench import Opened, Workbench
from tests.made import colour_folder, colour_weights

ROOT = Path(__file__).parents[3]
IMAGES, WAYS = 40, {2: 20, 0: 12}  # combinations of the grids 2 and 0, in this order


def planted(harm: np.ndarray) -> tuple[Sweep, Optimisation, Differences]:
    """Every measure of a pair grows with its harm (images, combinations) in [0, 1]; above 0.9 it is not reached."""
    image, grid, combination, pairs = [], [], [], []
    start = 0
    for number, ways in WAYS.items():
        image.append(np.repeat(np.arange(IMAGES), ways))
        grid.append(np.full(IMAGES * ways, number))
        combination.append(np.tile(np.arange(ways), IMAGES))
        pairs.append(harm[:, start : start + ways].ravel())
        start += ways
    harms = np.concatenate(pairs).astype(np.float32)
    missed = harms > 0.9
    labels = np.arange(IMAGES) % 2
    wrong = harms > 0.5
    way = Between(
        *(
            np.where(missed, np.nan, each).astype(np.float32)
            for each in (harms * 5, harms**2, 1 - harms, 1 - harms / 2, harms * 1000, harms * 3, wrong)
        )
    )
    answers = Answers(
        np.where(wrong, 1 - labels[np.concatenate(image)], labels[np.concatenate(image)]), harms, harms * 9
    )
    nothing = np.zeros((IMAGES, 1), np.float32)
    return (
        Sweep(
            ("a", "b"),
            np.arange(IMAGES).astype(str),
            labels,
            np.arange(IMAGES).astype(str),
            Outcomes(labels[:, None], nothing, nothing, nothing, nothing),
            (),
            0,
            0,
        ),
        Optimisation(
            "",
            np.concatenate(image),
            np.concatenate(grid),
            np.concatenate(combination),
            np.where(missed, NOT_REACHED, REACHED).astype(np.int8),
            way.l2,
            answers.loss,
            answers.loss,
            np.zeros(len(harms), np.int64),
            np.zeros((len(harms), 1, 1, 1), np.float16),
            0,
        ),
        Differences(
            "",
            replace(way, class_changed=wrong.astype(np.float32)),
            way,
            way,
            answers,
            answers,
            answers,
            np.where(missed, np.nan, 0.5 - harms).astype(np.float32),
        ),
    )


def harm_by(image: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(images, combinations) from a number an image and one a combination, with a little chance."""
    draws = np.random.default_rng(0)
    return np.clip(np.outer(image, way) + draws.normal(0, 0.01, (IMAGES, sum(WAYS.values()))), 0, 1)


SEVERITY = np.concatenate([np.linspace(0.1, 1, ways) for ways in WAYS.values()])


def separation(places: np.ndarray, member: np.ndarray) -> float:
    """How far the middles of two groups lie apart, in widths of a group."""
    first, second = places[member], places[~member]
    width = max(first.std(axis=0).max(), second.std(axis=0).max())
    return float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) / width)


# the mathematics


def test_images_that_react_differently_are_drawn_apart():
    """One half suffers from the first grid, the other from the second."""
    member, first = np.arange(IMAGES) % 2 == 0, np.arange(len(SEVERITY)) < 20
    harm = np.where(member[:, None] == first[None], 0.8 * SEVERITY, 0.1 * SEVERITY)
    harm += np.random.default_rng(0).uniform(0, 0.02, harm.shape)
    found = make_map(MapSettings("image"), *planted(harm))
    assert separation(found.place, member) > 5
    assert found.image.tolist() == list(range(IMAGES))
    assert len(found.grid) == len(found.combination) == 0
    transforms = make_map(MapSettings("transform"), *planted(harm))
    assert separation(transforms.place[SEVERITY > 0.6], first[SEVERITY > 0.6]) > 3


def test_the_severities_of_a_family_lie_in_their_order():
    found = make_map(MapSettings("transform"), *planted(harm_by(np.linspace(0.6, 1, IMAGES), SEVERITY)))
    assert (found.points, found.method, len(found.image)) == ("transform", "pca", 0)
    assert list(zip(found.grid.tolist(), found.combination.tolist(), strict=True)) == [
        (grid, way) for grid, ways in WAYS.items() for way in range(ways)
    ]
    for grid in WAYS:
        along = found.place[found.grid == grid, 0]
        assert (np.diff(along) > 0).all() or (np.diff(along) < 0).all()
    assert 0.9 < found.trustworthiness <= 1


def test_each_kind_of_measure_weighs_the_same_whatever_its_unit():
    sweep, optimisation, differences = planted(harm_by(np.linspace(0.6, 1, IMAGES), SEVERITY))
    draws, pairs = np.random.default_rng(0), len(optimisation.image)
    mixed = replace(
        differences,
        margin_distance=draws.normal(size=pairs).astype(np.float32),
        transformed_optimised=Between(*draws.normal(size=(7, pairs)).astype(np.float32)),
    )
    found = ranked_measures(sweep, optimisation, mixed)
    spread = {name: values.var() for name, values in found.items()}
    kinds = (("L2", "SSIM"), ("cosine", "L2 of features"), ("margin distance",))
    for kind in kinds:
        assert sum(spread[name] for name in kind) == pytest.approx(1 / 12, rel=0.01)
    answers = [name for name in found if name not in sum(kinds, ())]
    assert answers == ["KL", "loss", "right", "class changed", "not reached"]
    assert spread["loss"] == pytest.approx(1 / 12 / 5, rel=0.01)
    way = mixed.transformed_optimised
    scaled = replace(mixed, transformed_optimised=replace(way, l2=way.l2 * 1e6, kl=np.exp(way.kl)))
    for name, values in ranked_measures(sweep, optimisation, scaled).items():
        np.testing.assert_array_equal(values, found[name])


def test_ranks_are_shares_of_the_pairs_and_ties_share_theirs():
    assert ranks(np.array([5.0, -1.0, 7.0, 5.0])).tolist() == [0, -0.375, 0.375, 0]
    assert ranks(np.full(3, 2.0)).tolist() == [0, 0, 0]
    assert ranks(np.array([np.inf, 1.0, -np.inf])).tolist() == pytest.approx([1 / 3, 0, -1 / 3])


def test_what_was_not_reached_ranks_behind_all_that_was_and_by_the_side_it_is_on():
    sweep, optimisation, differences = planted(harm_by(np.linspace(0.6, 1, IMAGES), SEVERITY))
    missed = optimisation.state == NOT_REACHED
    assert 5 < missed.sum() < len(missed) / 2
    found = ranked_measures(sweep, optimisation, differences)
    for name in ("L2", "SSIM", "cosine", "L2 of features", "KL", "not reached"):
        assert found[name][missed].min() > found[name][~missed].max(), name
        assert np.ptp(found[name][missed]) == 0
    assert found["margin distance"][missed].max() < found["margin distance"][~missed].min()  # they are wrong
    right = replace(
        differences, transformed=replace(differences.transformed, prediction=sweep.labels[optimisation.image])
    )
    robust = ranked_measures(sweep, optimisation, right)["margin distance"]
    assert robust[missed].min() > robust[~missed].max()


def test_every_pair_stands_in_the_row_of_its_image_and_the_column_of_its_combination():
    _, optimisation, _ = planted(harm_by(np.linspace(0.6, 1, IMAGES), SEVERITY))
    number = optimisation.image * 10_000 + optimisation.grid * 100 + optimisation.combination
    ways = [(grid, way) for grid, count in WAYS.items() for way in range(count)]
    expected = [[image * 10_000 + grid * 100 + way for grid, way in ways] for image in range(IMAGES)]
    np.testing.assert_array_equal(by_image(optimisation, number, IMAGES), expected)


def test_more_than_a_few_points_take_the_method_asked_for_and_the_seed_is_fixed():
    made = planted(harm_by(np.linspace(0.6, 1, IMAGES), SEVERITY))
    found, again = (make_map(MapSettings("transform", "tsne"), *made) for _ in range(2))
    assert found.method == "tsne"
    np.testing.assert_array_equal(found.place, again.place)
    few = made[1].grid == 2
    short = replace(
        made[1], **{name: getattr(made[1], name)[few] for name in ("image", "grid", "combination", "state")}
    )
    less = replace(
        made[2],
        margin_distance=made[2].margin_distance[few],
        **{
            field.name: type(value)(*(column[few] for column in astuple(value)))
            for field in fields(Differences)
            if isinstance(value := getattr(made[2], field.name), (Between, Answers))
        },
    )
    assert make_map(MapSettings("transform", "tsne"), made[0], short, less).method == "pca"  # 20 points


def test_umap_is_loaded_only_where_it_is_asked_for():
    program = (
        "import sys, numpy as np\n"
        "from engine.toolkit.projection import projected\n"
        "from engine.methods.input_optimization import maps\n"
        "projected(np.random.default_rng(0).normal(size=(40, 5)), 'pca')\n"
        "print('umap' in sys.modules, 'numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# all steps, one after the other


@pytest.fixture
def bench(home):
    bench = Workbench(home)
    yield bench
    bench.worker.close()


def asked(bench, subject, step, settings, inputs):
    """What a step finds, with the fingerprint it goes by from here on."""
    job = bench.ask(step, subject, settings, inputs)
    job.future.result(60)
    assert job.outcome == Outcome.FINISHED, job.message
    return Input(job.fingerprint, bench.answer(step, subject, settings, inputs))


def assert_equal(ours, theirs) -> None:
    for one, other in zip(flat(ours), flat(theirs), strict=True):
        np.testing.assert_array_equal(one, other)
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


def flat(value) -> list:
    return (
        [part for each in value for part in flat(each)]
        if isinstance(value, tuple)
        else (
            [value]
            if not hasattr(value, "__dataclass_fields__")
            else flat(tuple(getattr(value, f.name) for f in fields(value)))
        )
    )


def test_all_five_results_are_found_again_and_other_inputs_are_another_question(bench, tmp_path, home):
    torch.save(colour_weights(), tmp_path / "colours.pth")
    dataset = bench.add_images(colour_folder(tmp_path / "photos", each=4), DataOptions())
    options = CheckpointOptions(architecture="mlp", classes=("red", "green", "blue"))
    opened = Opened(bench.add_checkpoint(tmp_path / "colours.pth", options, bench.images(dataset)), dataset)
    subject = bench.subject(opened)
    grids = (alone("saturation", 2), alone("inversion", 2), alone("gaussian_noise", 1))
    chain = {}

    def ask(name, step, settings, *inputs):
        given = {each: chain[each][2] for each in inputs}
        chain[name] = (step, settings, asked(bench, subject, step, settings, given), given)

    ask("sweep", SWEEP, SweepSettings(grids, role="train"))
    ask("breakpoints", BREAKPOINTS, BreakpointSettings(resamples=100), "sweep")
    ask("optimisation", OPTIMISATION, OptimisationSettings(), "sweep")
    ask("differences", DIFFERENCES, DifferenceSettings(), "sweep", "optimisation")
    ask("map", MAP, MapSettings(), "sweep", "optimisation", "differences")
    again = Workbench(home)
    for step, settings, found, given in chain.values():
        assert type(found.value) is step.result
        assert_equal(again.answer(step, again.subject(opened), settings, given), found.value)
    assert chain["map"][2].value.place.shape == (4 + 2 + 1, 2)
    other = {"sweep": replace(chain["sweep"][2], fingerprint="another sweep")}
    assert bench.answer(OPTIMISATION, subject, OptimisationSettings(), other) is None
    assert (
        asked(bench, subject, OPTIMISATION, OptimisationSettings(), other).fingerprint
        != chain["optimisation"][2].fingerprint
    )
    chosen = subject.images.ids[subject.images.roles == "train"][:5].tolist()
    selection = {"selection": Input("my selection", chosen)}
    assert bench.answer(SWEEP, subject, chain["sweep"][1], selection) is None
    few = asked(bench, subject, SWEEP, chain["sweep"][1], selection).value
    assert sorted(few.ids.tolist()) == sorted(chosen)
