from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.methods.cam_training.principal import first_component


def by_the_book(activations: torch.Tensor) -> np.ndarray:
    """Each image's cells on the first right singular vector of its centred activations."""
    found = []
    for maps in activations.double().numpy():
        cells = maps.reshape(len(maps), -1).T
        centred = cells - cells.mean(axis=0)
        place = centred @ np.linalg.svd(centred)[2][0]
        agrees = np.dot(place, centred.mean(axis=1)) >= 0
        found.append((place if agrees else -place).reshape(maps.shape[1:]))
    return np.array(found)


@pytest.mark.parametrize("shape", [(3, 8, 3, 4), (3, 4, 5, 6), (2, 9, 3, 3)])
def test_it_agrees_with_the_book(shape):
    activations = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(first_component(activations).numpy(), by_the_book(activations), atol=1e-5)


def test_a_blob_in_all_channels_is_found_the_right_way_up():
    blob = torch.zeros(1, 1, 6, 6)
    blob[..., 1:3, 2:4] = 1
    strengths = torch.tensor([3.0, 2.0, -0.5, 1.0]).view(1, 4, 1, 1)
    found = first_component(blob * strengths + 0.01 * torch.rand(1, 4, 6, 6, generator=torch.Generator()))[0]
    assert found[1:3, 2:4].min() > 1
    assert found.masked_fill(blob[0, 0] > 0, -1).max() < 0


def test_a_flat_map_has_no_component():
    assert not first_component(torch.ones(2, 3, 4, 4)).any()
    assert not first_component(torch.ones(2, 30, 2, 2)).any()
