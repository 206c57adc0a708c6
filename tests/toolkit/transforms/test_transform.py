from __future__ import annotations

import pytest
import torch

from engine.toolkit.transforms import transform as module
from engine.toolkit.transforms.draws import NEEDED, drawn
from engine.toolkit.transforms.families import BY_NAME, FAMILIES, GEOMETRY, family_named
from engine.toolkit.transforms.transform import CHANGES, transform
from tests.toolkit.transforms.made import COLOUR_32, GREY_28, NAMES, SHAPES, SIDES, applied, chance, fits, made_images

GEOMETRIC = [family.name for family in FAMILIES if family.group == GEOMETRY]
SMOOTH = [(name, sign) for name, sign in SIDES if family_named(name).differentiable]
IN_STEPS = [family.name for family in FAMILIES if not family.differentiable]


def test_every_family_is_carried_out():
    assert [*GEOMETRIC, *CHANGES] == NAMES


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_identity_gives_the_image_back_bit_for_bit(name, shape):
    if not fits(name, shape):
        return
    images, family = made_images(4, shape), family_named(name)
    out = applied(name, images, [family.identity, family.value(1), family.identity, family.value(0.3)])
    assert torch.equal(out[[0, 2]], images[[0, 2]])
    assert not torch.equal(out[1], images[1])
    assert not torch.equal(out[3], images[3])


def test_an_image_at_the_identity_of_all_geometric_families_is_not_resampled():
    images = made_images(2, COLOUR_32)
    values = torch.tensor([[family_named(name).identity for name in GEOMETRIC]] * 2)
    values[1, 0] = 10
    out = transform(images, GEOMETRIC, values, drawn(GEOMETRIC, ["a", "b"], COLOUR_32, seed=0))
    assert torch.equal(out[0], images[0])
    assert not torch.equal(out[1], images[1])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "sign"), SIDES)
def test_shape_and_range_stay(name, sign, shape):
    if not fits(name, shape):
        return
    family = family_named(name)
    images = torch.cat([made_images(1, shape), torch.zeros(1, *shape), torch.ones(1, *shape)])
    for severity in (1e-6 * sign, 0.5 * sign, sign):
        out = applied(name, images, [family.value(severity)] * 3)
        assert out.shape == images.shape
        assert out.dtype == images.dtype
        assert out.isfinite().all()
        assert 0 <= out.min() <= out.max() <= 1


@pytest.mark.parametrize(("name", "sign"), [(name, sign) for name, sign in SIDES if name not in IN_STEPS])
def test_a_small_severity_changes_little(name, sign):
    images = made_images(2, COLOUR_32)
    out = applied(name, images, [family_named(name).value(1e-4 * sign)] * 2)
    torch.testing.assert_close(out, images, rtol=0, atol=0.005)


@pytest.mark.parametrize(("name", "sign"), SIDES)
def test_neither_the_other_images_nor_their_order_change_anything(name, sign):
    images, family = made_images(5, COLOUR_32), family_named(name)
    values = torch.tensor([[family.value(sign * size)] for size in (1, 0, 0.1, 0.7, 0.4)])
    draws = {} if (rows := chance(name, images)) is None else {name: rows}
    together = transform(images, [name], values, draws)
    order = [3, 0, 4, 1, 2]
    again = transform(images[order], [name], values[order], {key: rows[order] for key, rows in draws.items()})
    torch.testing.assert_close(again, together[order], rtol=0, atol=1e-5)
    for row in range(5):
        only = slice(row, row + 1)
        alone = transform(images[only], [name], values[only], {key: rows[only] for key, rows in draws.items()})
        torch.testing.assert_close(alone, together[only], rtol=0, atol=1e-5)


def test_families_are_applied_in_their_own_order_whatever_the_order_given():
    names = [name for name in NAMES if name not in {"quantise", "jpeg"}]  # that round what differs by rounding
    images = made_images(3, COLOUR_32)
    values = torch.tensor([[family_named(name).value(size) for name in names] for size in (0.1, 0.3, 0.2)])
    draws = drawn(names, ["a", "b", "c"], COLOUR_32, seed=0)
    one_by_one = transform(images, GEOMETRIC, values[:, : len(GEOMETRIC)], draws)
    for place, name in enumerate(names[len(GEOMETRIC) :], start=len(GEOMETRIC)):
        one_by_one = transform(one_by_one, [name], values[:, place : place + 1], draws)
    together = transform(images, names, values, draws)
    torch.testing.assert_close(together, one_by_one, rtol=0, atol=1e-5)
    assert torch.equal(transform(images, names[::-1], values.flip(1), draws), together)


@pytest.mark.parametrize("name", NAMES)
def test_the_images_handed_in_are_left_alone(name):
    images = made_images(2, COLOUR_32)
    before = images.clone()
    applied(name, images, [family_named(name).value(0.5)] * 2)
    assert torch.equal(images, before)


@pytest.mark.parametrize(("name", "sign"), SMOOTH)
@pytest.mark.parametrize("size", [0.23, 0.81])
def test_gradients_by_the_value_and_by_the_images_are_those_of_finite_differences(name, sign, size):
    """In float64, along a random direction of the images; what is cut off at 0 and 1 has no gradient either way."""
    shape, step = (3, 10, 12), 1e-6
    images = 0.1 + 0.8 * made_images(1, shape).double()
    direction, weights = made_images(1, shape, seed=1).double() - 0.5, made_images(1, shape, seed=2).double() - 0.5
    value = torch.tensor([[family_named(name).value(sign * size)]], dtype=torch.float64)
    draws = drawn([name], ["a"], shape, seed=0)

    def score(by_value, along_images):
        return (transform(images + along_images * direction, [name], value + by_value, draws) * weights).sum()

    nowhere = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2)]
    by_value, along_images = torch.autograd.grad(score(*nowhere), nowhere)
    assert float(by_value) == pytest.approx(float(score(step, 0) - score(-step, 0)) / (2 * step), rel=1e-5, abs=1e-7)
    along = float(score(0, step) - score(0, -step)) / (2 * step)
    assert float(along_images) == pytest.approx(along, rel=1e-5, abs=1e-7)
    assert float(by_value) != 0
    assert float(along_images) != 0


@pytest.mark.parametrize("name", IN_STEPS)
def test_families_that_go_in_steps_say_so(name):
    images, family = made_images(1, COLOUR_32), family_named(name)
    value = torch.tensor([[family.value(0.6)]], requires_grad=True)
    out = transform(images.requires_grad_(), [name], value, drawn([name], ["0"], COLOUR_32, seed=0))
    gradient = torch.autograd.grad(out.square().sum(), value, allow_unused=True)[0] if out.requires_grad else None
    assert gradient is None or gradient.abs().max() == 0
    assert (applied(name, images.detach(), [family.value(1)]) - out).abs().mean() > 0.01


def test_gradients_stay_finite_on_black_and_white():
    names = [family.name for family in FAMILIES if family.differentiable]
    images = torch.cat([torch.zeros(1, *COLOUR_32), torch.ones(1, *COLOUR_32), made_images(1, COLOUR_32).round()])
    for sign in (1, -1):
        severities = [[sign * 0.4 if -1 in family_named(name).signs else 0.4 for name in names]] * 3
        values = torch.tensor(
            [[family_named(name).value(size) for name, size in zip(names, row, strict=True)] for row in severities],
            requires_grad=True,
        )
        out = transform(images.requires_grad_(), names, values, drawn(names, ["a", "b", "c"], COLOUR_32, seed=0))
        for gradient in torch.autograd.grad(out.square().sum(), [values, images]):
            assert gradient.isfinite().all()


def test_values_of_the_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"one number for each of 2 images and 1 families, got \(2,\)"):
        transform(made_images(2, GREY_28), ["rotation"], torch.zeros(2), {})


@pytest.mark.parametrize("name", ["saturation", "hue"])
def test_families_of_colour_refuse_grey_images(name):
    with pytest.raises(ValueError, match=f"{name} can't be applied: the images are grey"):
        transform(made_images(1, GREY_28), [name], torch.ones(1, 1), {})


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="there is no transform called 'fog'"):
        transform(made_images(1, GREY_28), ["fog"], torch.ones(1, 1), {})


def test_a_family_that_changes_the_shape_is_refused(monkeypatch):
    monkeypatch.setitem(module.CHANGES, "brightness", lambda images, factor: images[:, :, 1:])
    with pytest.raises(ValueError, match=r"brightness made images \(1, 1, 27, 28\) of \(1, 1, 28, 28\)"):
        applied("brightness", made_images(1, GREY_28), [2])


def test_all_that_needs_chance_is_a_family():
    assert set(NEEDED) < set(BY_NAME)
