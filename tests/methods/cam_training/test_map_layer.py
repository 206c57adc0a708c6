from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.methods.cam_training.map_layer import MapLayer, as_map, from_map

LAYERS = st.builds(
    MapLayer,
    st.just("layer"),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["nchw", "nhwc", "tokens"]),
    st.integers(0, 3),
)


def output_of(layer: MapLayer, count: int = 2) -> torch.Tensor:
    shape = {
        "nchw": (layer.channels, layer.height, layer.width),
        "nhwc": (layer.height, layer.width, layer.channels),
        "tokens": (layer.leading + layer.height * layer.width, layer.channels),
    }[layer.layout]
    return torch.arange(count * torch.Size(shape).numel(), dtype=torch.float32).view(count, *shape)


@given(LAYERS)
def test_a_map_goes_back_to_the_output_that_it_was_taken_from(layer):
    output = output_of(layer)
    maps = as_map(layer, output)
    assert maps.shape == (2, layer.channels, layer.height, layer.width)
    assert torch.equal(from_map(layer, maps, output), output)


def test_every_value_has_its_place():
    image, channel, row, column = 1, 2, 0, 1
    for layout, place in (("nchw", (image, channel, row, column)), ("nhwc", (image, row, column, channel))):
        layer = MapLayer("layer", 3, 2, 4, layout, 0)
        output = output_of(layer)
        assert as_map(layer, output)[image, channel, row, column] == output[place]
    tokens = MapLayer("layer", 3, 2, 4, "tokens", 2)
    output = output_of(tokens)
    assert as_map(tokens, output)[image, channel, row, column] == output[image, 2 + row * 4 + column, channel]


@pytest.mark.parametrize("layout", ["nchw", "nhwc", "tokens"])
def test_a_map_is_a_view_and_leading_tokens_are_the_output_s(layout):
    layer = MapLayer("layer", 3, 2, 2, layout, 1)
    output = output_of(layer)
    maps = as_map(layer, output)
    assert maps.untyped_storage().data_ptr() == output.untyped_storage().data_ptr()
    other = from_map(layer, torch.zeros_like(maps), output)
    assert not as_map(layer, other).any()
    if layout == "tokens":
        assert torch.equal(other[:, :1], output[:, :1])
