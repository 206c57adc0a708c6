"""What kind of file it is, told by its content; what can't be opened is refused before anything reads it."""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path, PurePosixPath

from engine.loading.checkpoints.checkpoint import refusal
from engine.subject.subject import listed

MOST_ENTRIES = 20_000
MOST_PICKLE_BYTES = 64 * 2**20
MOST_HEADER_BYTES = 64 * 2**20
TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # what torch.save wrote first before it wrote zip archives
STRANGERS = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the file it points to (`git lfs pull` fetches it)"),
    (b"\x89HDF", "is an HDF5 file, as Keras writes it, not a PyTorch checkpoint"),
    (b"\x93NUMPY", "is a NumPy array, not a checkpoint"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it first"),
    (b"GGUF", "is a GGUF language model, not an image classifier's checkpoint"),
    (b"<", "is a web page or XML, not a checkpoint (a download link often gives one)"),
)


class Kind(StrEnum):
    """The three formats that are read."""

    ARCHIVE = "archive"
    LEGACY = "legacy"
    SAFETENSORS = "safetensors"


def kind_of(path: Path, name: str) -> Kind:
    """The format of the file; raises ValueError, naming the cause, where it is none that can be read."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}; a checkpoint is one file of weights")
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise refusal(name, "is empty")
    if head.startswith(b"PK\x03\x04"):
        check_archive(path, name)
        return Kind.ARCHIVE
    if head.startswith(TORCH_MAGIC):
        return Kind.LEGACY
    if len(head) > 8 and head[8:9] == b"{" and head[7] == 0:
        check_header(int.from_bytes(head[:8], "little"), path.stat().st_size, name)
        return Kind.SAFETENSORS
    raise refusal(name, stranger(head))


def check_archive(path: Path, name: str) -> None:
    """Raise ValueError where a zip archive isn't one that torch.save wrote of plain objects, or claims too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise refusal(name, "breaks off before its end: an incomplete download or copy") from error
    files = [PurePosixPath(entry.filename) for entry in entries]
    if any("code" in file.parts or file.name == "constants.pkl" for file in files):
        raise refusal(name, "is a TorchScript program, which can neither be looked into nor trained on")
    if any(file.name == "archive_format" or file.parts[-2:] == ("models", "model.json") for file in files):
        raise refusal(name, "is an exported program (.pt2), which can neither be looked into nor trained on")
    if not any(file.name == "data.pkl" for file in files):
        inside = listed([str(file) for file in files], most=3) or "nothing"
        raise refusal(name, f"is a zip archive of something else ({inside}), not a checkpoint")
    if len(entries) > MOST_ENTRIES:
        raise refusal(name, f"holds {len(entries)} tensors, more than the {MOST_ENTRIES} that are opened")
    # torch.save never compresses, so what the entries claim is what the file holds
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise refusal(name, "is compressed inside, which torch.save never does")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise refusal(name, "claims to hold more bytes than the file has")
    if any(
        file.name == "data.pkl" and entry.file_size > MOST_PICKLE_BYTES
        for file, entry in zip(files, entries, strict=True)
    ):
        raise refusal(name, f"holds more than {MOST_PICKLE_BYTES // 2**20} MB beside its weights")


def check_header(header_bytes: int, file_bytes: int, name: str) -> None:
    """Raise ValueError where a safetensors file announces a header that it can't have."""
    if header_bytes > MOST_HEADER_BYTES:
        raise refusal(
            name, f"announces a header of {header_bytes} bytes, more than the {MOST_HEADER_BYTES} that are read"
        )
    if header_bytes + 8 > file_bytes:
        raise refusal(name, "breaks off before its end: an incomplete download or copy")


def stranger(head: bytes) -> str:
    """What a file is that begins like this and is no checkpoint."""
    for start, what in STRANGERS:
        if head.startswith(start):
            return what
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "is a Python pickle that torch.save didn't write; opening it could run code, so it stays closed"
    if head[:1] == b"\x08" and len(head) > 2 and head[1] < 32 and head[2] in (0x12, 0x1A, 0x22, 0x3A, 0x42):
        return "looks like an ONNX model, which holds a program and no PyTorch weights"
    if is_text(head):
        return "is a text file, not a checkpoint"
    return "is not a checkpoint: it begins like no file of PyTorch or safetensors"


def is_text(head: bytes) -> bool:
    """Whether the bytes are plain text in UTF-8; a character cut in two at the end doesn't matter."""
    text = head.decode("utf-8", errors="ignore")
    return len(head) - len(text.encode()) <= 3 and all(char.isprintable() or char.isspace() for char in text)
