from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.methods.cam_training.recording import Reading

OTHER = nn.Identity()


def read(*outputs, height: int = 32, width: int = 32):
    """Layout and shape of each output (channels first where it is a map), None where it is none."""
    reading = Reading(height, width)
    found = []
    for output in outputs:
        module, shape = output if isinstance(output[0], nn.Module) else (OTHER, output)
        layer = reading.layer("layer", module, torch.zeros(2, *shape))
        found.append(layer and (layer.layout, layer.channels, layer.height, layer.width, layer.leading))
    return found


def test_the_sides_ratio_tells_where_the_channels_are():
    assert read((64, 8, 8), (8, 8, 64), (8, 4, 4)) == [
        ("nchw", 64, 8, 8, 0),
        ("nhwc", 64, 8, 8, 0),
        ("nchw", 8, 4, 4, 0),
    ]
    assert read((24, 4, 16), (4, 16, 24), height=32, width=128) == [("nchw", 24, 4, 16, 0), ("nhwc", 24, 4, 16, 0)]


def test_where_it_can_not_tell_the_map_before_does():
    assert read((8, 8, 8))[0][0] == "nchw"
    assert read((8, 8, 64), (8, 8, 8))[1][0] == "nhwc"
    assert read((8, 8, 64), (64, 8, 8), (8, 8, 8))[2][0] == "nchw"
    assert read((64, 5, 16))[0][0] == "nchw"  # the ratio of no map: it was pooled on one side


@pytest.mark.parametrize(
    ("module", "layout"), [(nn.Conv2d(3, 8, 1), "nchw"), (nn.BatchNorm2d(8), "nchw"), (nn.Linear(3, 8), "nhwc")]
)
def test_some_modules_leave_no_doubt(module, layout):
    assert read((module, (8, 8, 8)))[0][0] == layout
    assert read((8, 8, 64), (module, (8, 8, 8)))[1][0] == layout


def test_one_cell_is_no_map_and_not_the_grid_of_tokens():
    assert read((64, 1, 1), (1, 1, 64), (16, 4, 4), (16, 1, 1), (17, 24)) == [
        None,
        None,
        ("nchw", 16, 4, 4, 0),
        None,
        ("tokens", 24, 4, 4, 1),
    ]


@pytest.mark.parametrize("leading", [0, 1, 2, 5, 16])
def test_tokens_are_as_many_as_the_patches_and_a_few_in_front(leading):
    assert read((24, 4, 8), (32 + leading, 24), width=64)[1] == ("tokens", 24, 4, 8, leading)


def test_tokens_that_are_too_few_or_too_many_have_no_places():
    assert read((24, 4, 4), (15, 24), (33, 24), (16, 24))[1:] == [None, None, ("tokens", 24, 4, 4, 0)]
    assert read((17, 24)) == [None]


def test_what_is_between_tokens_and_tokens_is_no_map():
    assert read((24, 4, 4), (17, 24), (3, 17, 17), (3, 17, 8))[2:] == [None, None]
    assert read((24, 4, 4), (3, 17, 17))[1] is not None  # without tokens that many it could be a map


def test_of_tokens_every_other_row_and_column_may_be_left():
    assert read((24, 7, 7), (49, 24), (16, 24), (16, 48), (4, 48), (1, 48)) == [
        ("nchw", 24, 7, 7, 0),
        ("tokens", 24, 7, 7, 0),
        ("tokens", 24, 4, 4, 0),
        ("tokens", 48, 4, 4, 0),
        ("tokens", 48, 2, 2, 0),
        None,
    ]
    assert read((24, 4, 8), (32, 24), (8, 24), width=64)[2] == ("tokens", 24, 2, 4, 0)
