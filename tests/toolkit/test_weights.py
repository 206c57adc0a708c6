import numpy as np
import safetensors.torch
import torch

from engine.toolkit.weights import saved


def test_the_bytes_are_those_of_a_safetensors_file_with_every_weight(rgb_subject):
    network = rgb_subject.classifier.network
    found = saved(network)
    assert found.dtype == np.uint8
    read = safetensors.torch.load(found.tobytes())
    assert read.keys() == network.state_dict().keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in network.state_dict().items())
