import json
import re
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.loading.architectures import build, default_preprocessing
from engine.loading.checkpoints import (
    Checkpoint,
    build_classifier,
    from_safetensors,
    read_checkpoint,
    rebuild,
    to_pt,
    to_safetensors,
)
from engine.subject.classifier import weights_hash
from engine.subject.preprocessing import Preprocessing

SMALL = ("small_cnn", "lenet5", "mlp", "spinal_vgg")


def checkpoint_of(network, **said):
    return Checkpoint("net.pth", {key: tensor.detach() for key, tensor in network.state_dict().items()}, **said)


def opened(name, outputs=4, channels=3, **given_too):
    torch.manual_seed(0)
    return build_classifier(checkpoint_of(build(name, outputs, channels)), name, "mine", **given_too)


@pytest.mark.parametrize(
    "name", [*SMALL, "resnet18", "mobilenet_v3_small", "squeezenet1_0", "mnasnet0_5", "timm/resnet18"]
)
def test_the_classifier_computes_what_the_network_does(name):
    torch.manual_seed(0)
    network = build(name, 4, 3).eval()
    classifier = build_classifier(checkpoint_of(network), name, "mine", ["a", "b", "c", "d"])
    images = torch.rand(2, 3, 40, 40)
    with torch.no_grad():
        assert torch.equal(classifier(images), network(classifier.preprocess(images)))
    assert not classifier.training
    blueprint = classifier.blueprint
    assert (blueprint.name, blueprint.architecture, blueprint.outputs, blueprint.channels) == ("mine", name, 4, 3)
    assert blueprint.weights == weights_hash(network)
    assert blueprint.preprocessing == default_preprocessing(name, 3)


def test_one_logit_tells_two_classes_apart():
    classifier = opened("lenet5", outputs=1, classes=["no", "yes"])
    assert classifier.blueprint.outputs == 1
    assert classifier(torch.rand(3, 3, 32, 32)).shape == (3, 2)


def test_half_precision_weights_are_computed_with_in_full():
    network = build("lenet5", 4, 1).half()
    classifier = build_classifier(checkpoint_of(network), "lenet5", "mine")
    assert classifier(torch.rand(1, 1, 28, 28)).dtype == torch.float32


def test_what_nobody_gave_is_the_files_then_the_architectures():
    network, own = build("lenet5", 2, 1), Preprocessing(1, 32, 32, (0.1,), (0.3,))
    told = build_classifier(checkpoint_of(network, classes=("cat", "dog"), preprocessing=own), "lenet5", "mine")
    assert (told.classes, told.blueprint.preprocessing) == (("cat", "dog"), own)
    untold = build_classifier(checkpoint_of(network), "lenet5", "mine")
    assert (untold.classes, untold.blueprint.preprocessing) == (("0", "1"), default_preprocessing("lenet5", 1))
    over = build_classifier(checkpoint_of(network, classes=("cat", "dog")), "lenet5", "mine", ["tom", "rex"])
    assert over.classes == ("tom", "rex")


def test_the_weights_are_copied():
    checkpoint = checkpoint_of(build("mlp", 2, 1))
    classifier = build_classifier(checkpoint, "mlp", "mine")
    checkpoint.tensors["fc1.weight"].zero_()
    assert classifier.network.fc1.weight.abs().sum() > 0


def test_a_wrong_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="tells 4 classes apart, but 3 names were given"):
        opened("mlp", classes=["a", "b", "c"])


def test_a_wrong_architecture_is_refused_with_what_differs_and_the_nearest():
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole text is compared below
        build_classifier(checkpoint_of(build("lenet5", 4, 1)), "mlp", "mine")
    assert str(error.value) == (
        "the weights of net.pth don't fit mlp: "
        "4 keys are surplus (conv1.weight, conv1.bias, conv2.weight, conv2.bias), 5 keys are of another shape "
        "(fc1.weight is (120, 400) instead of (256, 2352), fc1.bias is (120,) instead of (256,), "
        "fc2.weight is (84, 120) instead of (128, 256), fc2.bias is (84,) instead of (128,) and 1 more); "
        "the nearest architecture is lenet5"
    )


def test_a_changed_head_is_told_from_a_wrong_architecture():
    network = build("resnet18", 10, 3)
    network.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 10))
    said = (
        r"don't fit resnet18: 2 keys are missing \(fc\.weight, fc\.bias\), "
        r"2 keys are surplus \(fc\.1\.weight, fc\.1\.bias\); "
        "no other architecture is nearer, so layers of it must have been changed"
    )
    with pytest.raises(ValueError, match=said):
        build_classifier(checkpoint_of(network), "resnet18", "mine")


def test_weights_like_nothing_known_are_refused():
    with pytest.raises(
        ValueError, match=r"6 keys are missing .* and 2 more.* 1 key is surplus .*; no architecture is near"
    ):
        build_classifier(Checkpoint("net.pth", {"w": torch.ones(1)}), "mlp", "mine")


def test_channels_that_disagree_are_refused():
    with pytest.raises(ValueError, match="take images of 3 channels, but the preprocessing makes 1"):
        opened("mlp", preprocessing=Preprocessing(1, 28, 28, (0.0,), (1.0,)))


@pytest.mark.parametrize(("name", "usual"), [("timm/vit_tiny_patch16_224", 224), ("spinal_vgg", 28)])
def test_a_size_that_the_network_cant_take_is_refused(name, usual):
    with pytest.raises(
        ValueError, match=re.escape(f"{name} can't take images of 12 x 12 pixels; its usual size is {usual} x")
    ):
        opened(name, preprocessing=Preprocessing(3, 12, 12, (0.0,) * 3, (1.0,) * 3))


def test_the_global_seed_is_left_alone():
    classifier = opened("small_cnn")
    before = torch.random.get_rng_state()
    rebuild(classifier.blueprint, classifier.network.state_dict())
    build_classifier(checkpoint_of(classifier.network), "small_cnn", "again")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_rebuilt_classifier_is_the_same_and_its_own():
    first = opened("small_cnn")
    again = rebuild(first.blueprint, first.network.state_dict())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(first(images), again(images))
    assert again.blueprint == first.blueprint
    with torch.no_grad():
        first.network.fc.weight.zero_()
    assert again.network.fc.weight.abs().sum() > 0


def test_foreign_weights_build_no_classifier():
    classifier = opened("mlp")
    with pytest.raises(ValueError, match="the weights of mine are not those of a mlp"):
        rebuild(classifier.blueprint, opened("lenet5").network.state_dict())


@pytest.mark.parametrize("content", [b"", b"text", b"\x02\0\0\0\0\0\0\0{}", b"\xff" * 30])
def test_content_that_isnt_ours_is_refused(content):
    with pytest.raises(ValueError, match="no classifier that was saved here"):
        from_safetensors(content)


class_names = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=5, unique=True)
unit = st.floats(0.01, 1, allow_subnormal=False)


@st.composite
def classifiers(draw):
    name, channels, classes = draw(st.sampled_from(SMALL)), draw(st.sampled_from([1, 3])), draw(class_names)
    side, outputs = draw(st.integers(28, 40)), 1 if len(classes) == 2 and draw(st.booleans()) else len(classes)
    mean, std = (draw(st.tuples(*[unit] * channels)) for _ in range(2))
    way, share = draw(st.sampled_from(["nearest", "bilinear", "bicubic"])), draw(st.floats(0.5, 1))
    return opened(
        name,
        outputs,
        channels,
        classes=classes,
        preprocessing=Preprocessing(channels, side, side, mean, std, way, share),
    )


@settings(max_examples=15, deadline=None)
@given(classifiers())
def test_a_classifier_comes_back_as_it_was_saved(classifier):
    again = from_safetensors(to_safetensors(classifier))
    assert again.blueprint == classifier.blueprint
    assert weights_hash(again.network) == classifier.blueprint.weights


@settings(max_examples=15, deadline=None)
@given(classifiers(), st.sampled_from([to_pt, to_safetensors]))
def test_an_exported_model_opens_again_with_no_questions(classifier, exported):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(exported(classifier))
        checkpoint = read_checkpoint(path)
        again = build_classifier(checkpoint, checkpoint.architecture, classifier.blueprint.name)
    assert again.blueprint == classifier.blueprint
    assert weights_hash(again.network) == classifier.blueprint.weights


def test_an_exported_pt_opens_in_plain_torch(tmp_path):
    classifier = opened("resnet18", classes=["a", "b", "c", "d"])
    (tmp_path / "model.pt").write_bytes(to_pt(classifier))
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    assert set(content) == {"state_dict", "classes", "preprocessing", "architecture"}
    build("resnet18", 4, 3).load_state_dict(content["state_dict"])
    assert json.loads(json.dumps(content["preprocessing"]))["crop_share"] == 0.875
