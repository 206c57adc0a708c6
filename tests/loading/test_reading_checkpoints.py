import argparse
import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from engine.loading.checkpoints import SAVE_LINE, read_checkpoint, reading, sniffing
from engine.loading.checkpoints.contents import class_names

WEIGHTS = {"conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "fc.bias": torch.tensor([1.0, -2.0])}


@pytest.fixture
def saved(tmp_path):
    def save(content, name="net.pth", legacy=False):
        torch.save(content, tmp_path / name, _use_new_zipfile_serialization=not legacy)
        return tmp_path / name

    return save


@pytest.fixture
def written(tmp_path):
    def write(content, name="net.pt"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def assert_weights(checkpoint, expected=WEIGHTS):
    assert list(checkpoint.tensors) == list(expected)
    for name, tensor in expected.items():
        assert torch.equal(checkpoint.tensors[name], tensor)


def refused(path, cause):
    with pytest.raises(ValueError, match=cause) as error:
        read_checkpoint(path)
    message = str(error.value)
    assert message.startswith(path.name)
    assert SAVE_LINE in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.ckpt", "net.bin", "net", "net.safetensors"])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_state_dict_is_read_whatever_the_file_is_called(saved, name, legacy):
    assert_weights(read_checkpoint(saved(WEIGHTS, name, legacy)))


@pytest.mark.parametrize("name", ["net.safetensors", "net.bin"])
def test_safetensors_are_read_whatever_the_file_is_called(tmp_path, name):
    save_file(WEIGHTS, tmp_path / name)
    assert_weights(read_checkpoint(tmp_path / name))


def test_the_name_that_is_given_is_the_one_in_messages(written):
    with pytest.raises(ValueError, match=r"^mine\.pt is empty"):
        read_checkpoint(written(b""), name="mine.pt")


@pytest.mark.parametrize(
    "key", ["state_dict", "model", "model_state_dict", "net", "network", "ema", "model_ema", "whatever"]
)
def test_containers_are_unwrapped_and_it_is_said(saved, key):
    checkpoint = read_checkpoint(saved({"epoch": 3, key: OrderedDict(WEIGHTS), "loss": torch.tensor(1.0)}))
    if key == "whatever":  # an unknown word can't outweigh a tensor that lies beside it
        assert list(checkpoint.tensors) == ["loss"]
    else:
        assert_weights(checkpoint)
        assert f"the weights are those under {key}" in checkpoint.remarks


def test_containers_in_containers_are_unwrapped(saved):
    checkpoint = read_checkpoint(saved({"ema": {"state_dict": WEIGHTS}, "epoch": 1}))
    assert_weights(checkpoint)
    assert "the weights are those under ema.state_dict" in checkpoint.remarks


def test_a_container_of_another_name_is_unwrapped_beside_an_optimizer(saved):
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), momentum=0.9).state_dict()
    assert_weights(read_checkpoint(saved({"weights": WEIGHTS, "optimizer": optimizer})))


def test_the_model_goes_before_its_average_and_the_average_is_mentioned(saved):
    checkpoint = read_checkpoint(saved({"ema": {"other": torch.ones(1)}, "model": WEIGHTS}))
    assert_weights(checkpoint)
    assert "passed over the weights under ema" in checkpoint.remarks


def test_two_networks_in_one_file_are_not_guessed_between(saved):
    refused(saved({"teacher": WEIGHTS, "student": WEIGHTS}), r"holds 2 sets of weights \(teacher, student\)")


@given(st.lists(st.sampled_from(["module.", "_orig_mod.", "model.", "net.", "_module.", "backbone."]), max_size=4))
def test_prefixes_are_stripped_to_a_fixed_point(prefixes):
    from engine.loading.checkpoints.contents import current_names, without_wrappers

    prefix = "".join(prefixes)
    tensors, remarks = without_wrappers(current_names({prefix + key: tensor for key, tensor in WEIGHTS.items()}))
    assert list(tensors) == list(WEIGHTS)
    assert bool(remarks) == bool(prefix)


def test_layers_compiled_by_themselves_get_their_names_back(saved):
    names = {"layer1._orig_mod.conv.weight": torch.ones(1), "fc.weight": torch.ones(2)}
    assert list(read_checkpoint(saved(names)).tensors) == ["layer1.conv.weight", "fc.weight"]


def test_names_that_torchvision_has_since_changed_are_todays(saved):
    old = ["features.denseblock1.denselayer2.norm.1.weight", "encoder.layers.encoder_layer_0.mlp.linear_2.bias"]
    new = ["features.denseblock1.denselayer2.norm1.weight", "encoder.layers.encoder_layer_0.mlp.3.bias"]
    assert list(read_checkpoint(saved({name: torch.ones(1) for name in old})).tensors) == new


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("classes", ["cat", "dog"]),
        ("class_names", ("cat", "dog")),
        ("class_to_idx", {"dog": 1, "cat": 0}),
        ("idx_to_class", {1: "dog", 0: "cat"}),
        ("names", {"0": "cat", "1": "dog"}),
    ],
)
def test_class_names_ride_along(saved, key, said):
    checkpoint = read_checkpoint(saved({"state_dict": WEIGHTS, key: said}))
    assert checkpoint.classes == ("cat", "dog")
    assert f"the class names are those under {key}" in checkpoint.remarks


@pytest.mark.parametrize(
    "said", [["cat", "cat"], {"cat": 0, "dog": 2}, {0: "a", "0": "b"}, [["cat"]], 7, {"a": None}, None]
)
def test_class_names_that_make_no_sense_are_passed_over(saved, said):
    checkpoint = read_checkpoint(saved({"state_dict": WEIGHTS, "classes": said}))
    assert checkpoint.classes == ()
    assert "classes holds no usable class names" in checkpoint.remarks


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_every_way_to_write_class_names_gives_the_same(names):
    ways = [names, {name: index for index, name in enumerate(names)}, dict(enumerate(names))]
    assert {class_names(way) for way in ways} == {tuple(names)}


def test_arguments_and_numpy_numbers_beside_the_weights_do_no_harm(saved):
    beside = {"args": argparse.Namespace(lr=0.1), "best": np.float64(0.9), "epoch": np.int64(3), "loss": np.float32(1)}
    assert_weights(read_checkpoint(saved({"state_dict": WEIGHTS, **beside})))


def test_what_is_harmless_here_is_not_allowed_elsewhere(saved):
    before = torch.serialization.get_safe_globals()
    read_checkpoint(saved({"state_dict": WEIGHTS, "args": argparse.Namespace()}))
    assert torch.serialization.get_safe_globals() == before
    assert argparse.Namespace not in before


def test_an_empty_file_is_refused(written):
    refused(written(b""), r"net\.pt is empty")


def test_a_file_that_isnt_there_or_is_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "gone.pth", tmp_path):
        with pytest.raises(ValueError, match=f"there is no file {path}; a checkpoint is one file"):
            read_checkpoint(path)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
@pytest.mark.parametrize("kind", ["archive", "legacy", "safetensors"])
def test_a_truncated_file_is_refused(tmp_path, kind, share):
    path, weights = tmp_path / "net.pt", {"a": torch.rand(100, 10), "b": torch.rand(500)}
    if kind == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path, _use_new_zipfile_serialization=kind == "archive")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, "breaks off before its end|is damaged")


def test_a_damaged_description_is_refused(saved, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}q\x00(X\x01")
        archive.writestr("net/version", "3\n")
    refused(tmp_path / "bad.pt", "is damaged")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"accuracy: 0.9\nloss: 0.1\n", "is a text file"),
        ("Gewichte für später".encode() * 40, "is a text file"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "is a Git LFS pointer"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\xff\x01", "looks like an ONNX model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(30), "is an HDF5 file"),
        (pickle.dumps(WEIGHTS["fc.bias"].tolist()), "is a Python pickle that torch.save didn't write"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "is not a checkpoint"),
        (bytes(range(128, 200)), "is not a checkpoint"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_named(written, content, cause):
    refused(written(content), cause)


class Planted:
    """Runs a command when it is unpickled the ordinary way."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_pickle_is_refused_with_its_type_and_nothing_is_run(saved, tmp_path, legacy):
    marker = tmp_path / "executed"
    path = saved({"state_dict": WEIGHTS, "epoch": Planted(marker)}, legacy=legacy)
    message = refused(path, "nothing of it was run")
    assert f"{os.system.__module__}.system" in message
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists(), "the plant itself must work, or the test shows nothing"


def test_a_hostile_plain_pickle_is_refused_unread(written, tmp_path):
    marker = tmp_path / "executed"
    refused(written(pickle.dumps(Planted(marker))), "is a Python pickle")
    assert not marker.exists()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_a_whole_pickled_model_is_refused_with_its_types(saved, legacy):
    message = refused(saved(nn.Sequential(nn.Linear(2, 2)), legacy=legacy), "holds a whole pickled model")
    assert "torch.nn.modules.container.Sequential" in message


@pytest.mark.filterwarnings("ignore")
def test_torchscript_is_refused(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "net.pt")
    refused(tmp_path / "net.pt", "is a TorchScript program")


@pytest.mark.parametrize(
    ("entries", "cause"),
    [
        (["net/archive_format", "net/data/weights/model.json"], r"is an exported program \(\.pt2\)"),
        (["cat/1.png", "cat/2.png"], r"is a zip archive of something else \(cat/1\.png, cat/2\.png\)"),
    ],
)
def test_an_archive_of_another_kind_is_refused(tmp_path, entries, cause):
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        for entry in entries:
            archive.writestr(entry, "x")
    refused(tmp_path / "net.pt", cause)


@pytest.mark.parametrize("content", [{"epoch": 3}, [torch.ones(2)], torch.ones(2), {"model": {}}, {3: torch.ones(1)}])
def test_a_file_without_named_weights_is_refused(saved, content):
    refused(saved(content), "holds no weights by name")


def test_a_file_that_holds_itself_is_refused(saved):
    content: dict = {}
    content["model"] = content
    refused(saved(content), "holds no weights by name")


def test_too_many_tensors_are_refused(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_ENTRIES", 5)
    monkeypatch.setattr(sniffing, "MOST_ENTRIES", 5)
    many = {str(index): torch.ones(1) for index in range(20)}
    refused(saved(many), "tensors, more than the 5")
    refused(saved(many, legacy=True), "holds 20 tensors, more than the 5")
    save_file(many, tmp_path / "net.safetensors")
    refused(tmp_path / "net.safetensors", "holds 20 tensors, more than the 5")


def test_tensors_that_share_one_small_storage_but_claim_much_are_refused(saved):
    huge = torch.zeros(1).expand(2**20, 2**20)
    refused(saved({"a": huge}), "claims 4096 GiB of weights, more than the 32")
    refused(saved({"a": huge}, legacy=True), "claims 4096 GiB of weights, more than the 32")
    refused(saved({"a": torch.zeros(1).expand(1000)}), "claims more numbers than the file has")


def test_weights_that_claim_more_than_the_file_has_get_no_memory(saved, tmp_path, monkeypatch):
    number, claimed = b"M" + struct.pack("<H", 0x4241), b"J" + struct.pack("<i", 2**30)
    weights = {"a": torch.zeros(0x4241)}
    archive, patched = zipfile.ZipFile(saved(weights)), tmp_path / "patched.pt"
    with archive, zipfile.ZipFile(patched, "w") as copy:
        for entry in archive.namelist():
            copy.writestr(entry, archive.read(entry).replace(number, claimed))
    legacy = saved(weights, "legacy.pt", legacy=True)
    assert legacy.read_bytes().count(number) >= 2  # the storage's and the tensor's
    legacy.write_bytes(legacy.read_bytes().replace(number, claimed))

    places, load = [], torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **how: places.append(how["map_location"]) or load(*args, **how))
    refused(patched, "claims more bytes of weights than the file has")
    refused(legacy, "is damaged or breaks off")
    assert places == ["meta", "meta"]


def test_an_archive_that_claims_more_than_it_holds_is_refused(tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/data/0", bytes(10**6))
    (tmp_path / "net.pt").write_bytes(bomb.getvalue())
    refused(tmp_path / "net.pt", "is compressed inside")


def test_a_safetensors_header_that_claims_too_much_is_refused(written, monkeypatch):
    refused(written(struct.pack("<Q", 10**6) + b"{}"), "breaks off before its end")
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    refused(written(struct.pack("<Q", len(header)) + header), "is a safetensors file that is damaged")
    monkeypatch.setattr(sniffing, "MOST_HEADER_BYTES", 10)
    refused(written(struct.pack("<Q", len(header)) + header), "announces a header of")


@pytest.mark.filterwarnings("ignore:Validating sparse")
def test_sparse_and_quantised_weights_are_refused(saved):
    refused(saved({"a": torch.eye(3).to_sparse()}), "holds sparse or quantised tensors")
    refused(saved({"a": torch.empty(3, device="meta")}), "holds sparse, quantised or empty tensors")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_no_content_makes_it_fail_in_another_way(content):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        for start in (b"", b"PK\x03\x04", sniffing.TORCH_MAGIC, struct.pack("<Q", 40) + b"{"):
            path = Path(folder) / "net.pt"
            path.write_bytes(start + content)
            with pytest.raises(ValueError, match=r"weights\.pth"):
                read_checkpoint(path)
