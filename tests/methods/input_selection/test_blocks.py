import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from engine.loading.architectures import build
from engine.methods.input_selection.blocks import MOST_BLOCKS, Block, blocks
from tests.methods.cam_training.nets import classifier_of, hooks, noise


def found(network, side=8, values=64, outputs=3):
    return blocks(classifier_of(network, side, outputs), noise(3, side), values)


def names(network, **changed):
    return [block.name for block in found(network, **changed)]


def conv(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first, self.second = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 1)

    def forward(self, maps):
        return maps + self.second(self.first(maps).relu())


class Head(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.features, self.fc = features, nn.LazyLinear(3)

    def forward(self, images):
        return self.fc(self.features(images).flatten(1))


def test_norm_activation_and_pooling_belong_to_the_layer_before():
    layers = (*conv(3, 4), nn.MaxPool2d(2), *conv(4, 8), nn.Flatten(), nn.Dropout(), nn.Linear(128, 5), nn.ReLU())
    assert found(nn.Sequential(*layers, nn.Identity(), nn.Linear(5, 3))) == (
        Block("3", "nchw", 4, 4),
        Block("6", "nchw", 8, 2),
        Block("10", "flat", 5, 1),
    )


def test_the_image_is_no_block_and_neither_are_the_logits():
    network = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(48, 6), nn.Tanh(), nn.Linear(6, 3), nn.Softmax(1))
    assert names(network) == ["3"]


def test_a_map_that_averages_to_the_logits_is_no_block():
    assert names(nn.Sequential(*conv(3, 6), nn.Conv2d(6, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())) == ["2"]


def test_one_cell_of_a_map_is_a_block_of_its_own():
    network = nn.Sequential(*conv(3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    assert [(block.name, block.grid) for block in found(network)] == [("2", 4), ("3", 1)]


def test_residual_blocks_are_taken_whole_within_rows_and_stages():
    stage = nn.Module()
    stage.rows = nn.Sequential(Residual(4), Residual(4))
    stage.forward = lambda maps: stage.rows(maps)
    network = Head(nn.Sequential(*conv(3, 4), nn.Sequential(Residual(4), Residual(4)), stage))
    classifier_of(network)(noise(1))  # gives the lazy layer its width
    expected = ["features.2", "features.3.0", "features.3.1", "features.4.rows.0", "features.4.rows.1"]
    assert names(network) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits_cnn", ["features.3", "features.7", "features.10", "features.13"]),
        ("lenet5", ["conv1", "pool", "fc1", "fc2"]),
        ("mlp", ["fc1", "fc2"]),
        ("resnet18", ["maxpool", *(f"layer{stage}.{each}" for stage in range(1, 5) for each in (0, 1))]),
        ("squeezenet1_1", ["features.2", *(f"features.{at}" for at in (3, 5, 6, 8, 9, 10, 11, 12))]),
    ],
)
def test_blocks_of_known_networks(name, expected):
    torch.manual_seed(0)
    assert names(build(name, 10, 3), side=96 if name == "squeezenet1_1" else 32, values=512, outputs=10) == expected


def test_where_there_are_no_two_blocks_single_layers_are_taken():
    inner = nn.Module()
    inner.first, inner.second = nn.Linear(192, 7), nn.Linear(7, 3)
    inner.forward = lambda images: inner.second(inner.first(images.flatten(1)).relu())
    outer = nn.Module()
    outer.inner = inner
    outer.forward = lambda images: inner(images)
    assert names(outer) == ["inner.first"]


def test_a_module_that_runs_twice_counts_the_last_time():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.act, self.second, self.last = (
                nn.Linear(192, 5), nn.Sigmoid(), nn.Linear(5, 4), nn.Linear(4, 3),
            )  # fmt: skip

        def forward(self, images):
            return self.last(self.act(self.second(self.act(self.first(images.flatten(1))))))

    assert names(Twice()) == ["first", "act"]


def test_many_blocks_are_thinned_evenly_the_ends_kept():
    torch.manual_seed(0)
    layers = [each for _ in range(40) for each in (nn.Linear(6, 6), nn.Tanh())]
    taken = names(nn.Sequential(nn.Flatten(), nn.Linear(192, 6), nn.Tanh(), *layers, nn.Linear(6, 3)))
    places = np.array([(int(name) - 2) // 2 for name in taken])
    assert len(taken) == MOST_BLOCKS
    assert (places[0], places[-1]) == (0, 40)
    assert set(np.diff(places)) <= {1, 2}


def test_a_network_without_hidden_layers_is_said_plainly():
    with pytest.raises(ValueError, match="no layer of this network puts out features before its logits"):
        found(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))


def test_no_hook_and_no_mode_is_left_behind():
    network = nn.Sequential(*conv(3, 4), nn.Flatten(), nn.Linear(256, 3)).train()
    classifier = classifier_of(network).train()
    blocks(classifier, noise(2), 64)
    assert hooks(network) == 0
    assert all(module.training for module in classifier.modules())


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.integers(1, 300))
def test_a_map_becomes_as_fine_as_fits(channels, height, width, values):
    from engine.methods.input_selection.blocks import sized

    grid = sized("a", torch.zeros(1, channels, height, width), "nchw", values).grid
    assert grid == 1 or (channels * grid**2 <= values and grid <= min(height, width))
    finer = grid + 1
    assert finer > min(height, width) or channels * finer**2 > values


def test_a_map_is_averaged_cell_by_cell_whichever_way_it_lies():
    maps = torch.rand(2, 3, 4, 6)
    expected = np.zeros((2, 3, 2, 2))
    for down in range(2):
        for right in range(2):
            expected[:, :, down, right] = maps[:, :, 2 * down : 2 * down + 2, 3 * right : 3 * right + 3].mean(
                dim=(2, 3)
            )
    for block, output in ((Block("a", "nchw", 3, 2), maps), (Block("a", "nhwc", 3, 2), maps.permute(0, 2, 3, 1))):
        np.testing.assert_allclose(block.reduced(output).numpy(), expected.reshape(2, -1), rtol=1e-6)
    tokens = maps.flatten(2).transpose(1, 2)
    np.testing.assert_allclose(Block("a", "tokens", 3, 1).reduced(tokens), maps.mean(dim=(2, 3)), rtol=1e-6)


def test_channels_last_maps_are_known_by_their_grid():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.mix, self.fc = (
                nn.Conv2d(3, 12, 2, stride=2), nn.LayerNorm(12), nn.Linear(12, 10), nn.Linear(10, 3),
            )  # fmt: skip

        def forward(self, images):
            return self.fc(self.mix(self.norm(self.conv(images).permute(0, 2, 3, 1))).mean(dim=(1, 2)))

    assert found(Last()) == (Block("norm", "nhwc", 12, 2), Block("mix", "nhwc", 10, 2))
