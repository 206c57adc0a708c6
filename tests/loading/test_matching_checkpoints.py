import pytest
import torch
from torch import nn
from torchvision import models

from engine.loading import checkpoints
from engine.loading.architectures import build, of_timm
from engine.loading.architectures.weightless import skeleton
from engine.loading.checkpoints import Checkpoint, fitting_architectures, match, nearest_architecture, suggesting

SOME = (
    *("resnet18", "mobilenet_v3_small", "vgg11", "densenet121", "vit_b_16", "squeezenet1_0", "googlenet"),
    *("inception_v3", "regnet_y_400mf", "swin_t", "timm/resnet18", "timm/vit_tiny_patch16_224"),
    *("timm/deit_tiny_distilled_patch16_224", "spinal_vgg", "small_cnn", "lenet5", "mlp"),
)


def checkpoint_of(network, prefix="", **others):
    tensors = {prefix + key: tensor.detach() for key, tensor in network.state_dict().items()}
    return Checkpoint("net.pth", {**tensors, **others})


@pytest.mark.parametrize(("outputs", "channels"), [(1, 1), (7, 3)])
@pytest.mark.parametrize("name", SOME)
def test_outputs_and_channels_are_read_off_the_weights(name, outputs, channels):
    matched = match(checkpoint_of(skeleton(name, outputs, channels)), name)
    assert (matched.outputs, matched.channels, matched.fits) == (outputs, channels, True)


def test_missing_surplus_and_misshapen_keys_are_named():
    network = build("lenet5", 10, 1)
    checkpoint = checkpoint_of(network, extra=torch.ones(1))
    del checkpoint.tensors["fc1.bias"]
    checkpoint.tensors["fc2.weight"] = torch.ones(80, 120)
    matched = match(checkpoint, "lenet5")
    assert not matched.fits
    assert matched.missing == ("fc1.bias",)
    assert matched.surplus == ("extra",)
    assert [str(weight) for weight in matched.misshapen] == ["fc2.weight is (80, 120) instead of (84, 120)"]
    assert matched.agreeing == len(network.state_dict()) - 2


def test_the_network_inside_a_larger_module_is_found():
    network = build("lenet5", 10, 3)
    matched = match(checkpoint_of(network, "lit.classifier.", **{"loss.weight": torch.ones(10)}), "lenet5")
    assert matched.fits
    assert list(matched.tensors) == list(network.state_dict())
    assert matched.remarks == (
        "stripped lit.classifier. from the names",
        "left out what isn't part of the network: loss.weight",
    )


def test_an_averaged_models_counter_is_left_out():
    averaged = torch.optim.swa_utils.AveragedModel(build("mlp", 4, 1))
    assert match(checkpoint_of(averaged), "mlp").fits


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads_are_left_out(name):
    with torch.device("meta"):
        network = models.get_model(name, num_classes=6, aux_logits=True, init_weights=False)
    matched = match(checkpoint_of(network), name)
    assert (matched.fits, matched.outputs) == (True, 6)
    assert "weights of auxiliary heads, which only training uses" in matched.remarks[0]


def test_weights_from_before_batches_were_counted_fit():
    checkpoint = checkpoint_of(build("small_cnn", 5, 3))
    for key in [key for key in checkpoint.tensors if key.endswith("num_batches_tracked")]:
        del checkpoint.tensors[key]
    matched = match(checkpoint, "small_cnn")
    assert matched.fits
    assert matched.tensors["features.1.num_batches_tracked"] == 0
    assert "features.1.num_batches_tracked" not in checkpoint.tensors


def test_an_unknown_architecture_is_said_so():
    with pytest.raises(ValueError, match="there is no architecture called 'resnet8'"):
        match(checkpoint_of(build("mlp", 2, 1)), "resnet8")


@pytest.mark.parametrize("name", ["resnet18", "vit_b_16", "spinal_vgg", "small_cnn", "lenet5", "mlp"])
def test_the_architectures_that_fit_are_found(name):
    assert fitting_architectures(checkpoint_of(skeleton(name, 7, 1))) == [name]


def test_timms_common_ones_are_found_by_their_layers(monkeypatch):
    families = [
        (layer, members[:2]) for layer, members in of_timm.FAMILIES if layer.startswith(("blocks.", "stages.", "conv_"))
    ]
    monkeypatch.setattr(of_timm, "FAMILIES", families)
    tensors = dict(skeleton("timm/convnext_atto", 7, 3).state_dict())
    assert of_timm.likely(tensors) == ["timm/convnext_atto", "timm/convnext_femto"]
    assert fitting_architectures(Checkpoint("net.pth", tensors)) == ["timm/convnext_atto"]


def test_timm_is_left_alone_where_torchvision_fits(monkeypatch):
    monkeypatch.setattr(suggesting, "timm_candidates", lambda _checkpoint: pytest.fail("asked timm"))
    assert fitting_architectures(checkpoint_of(skeleton("resnet18", 7, 3))) == ["resnet18"]


def test_a_rare_timm_network_is_found_by_the_files_name_or_by_what_the_file_says():
    tensors = dict(skeleton("timm/levit_128s", 7, 3).state_dict())
    assert "levit_128s" not in [name for _, members in of_timm.FAMILIES for name in members]
    assert fitting_architectures(Checkpoint("net.pth", tensors)) == []
    assert fitting_architectures(Checkpoint("levit_128s.fb_dist_in1k.safetensors", tensors)) == ["timm/levit_128s"]
    assert fitting_architectures(Checkpoint("net.pth", tensors, architecture="levit_128s")) == ["timm/levit_128s"]


def test_what_the_file_says_it_is_comes_first():
    tensors = dict(skeleton("resnet18", 7, 3).state_dict())
    assert fitting_architectures(Checkpoint("net.pth", tensors, architecture="timm/resnet18"))[0] == "timm/resnet18"


def test_the_nearest_architecture_is_the_one_that_was_changed(monkeypatch):
    monkeypatch.setattr(of_timm, "FAMILIES", ())
    network = build("resnet18", 10, 3)
    network.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 10))
    assert nearest_architecture(checkpoint_of(network)) == "resnet18"
    assert nearest_architecture(Checkpoint("net.pth", {"nothing.like.it": torch.ones(3)})) == ""


def test_the_package_gives_what_it_names():
    assert all(hasattr(checkpoints, name) for name in checkpoints.__all__)
