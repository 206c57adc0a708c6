"""What a zip from a stranger may not do."""

import os
import stat
import struct
import zipfile

import pytest

from engine.loading.archives import Limits, unpack


def zipped(path, entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def test_files_and_folders_arrive(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("cat/1.png", b"one"), ("dog/", b""), ("dog/deep/2.png", b"two")])
    folder = unpack(archive, tmp_path / "out")
    assert folder == tmp_path / "out"
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert found == ["cat", "cat/1.png", "dog", "dog/deep", "dog/deep/2.png"]
    assert (folder / "dog/deep/2.png").read_bytes() == b"two"


def test_the_systems_own_files_stay_packed(tmp_path):
    entries = [("__MACOSX/cat/._1.png", b"x"), (".DS_Store", b"x"), ("cat/.hidden", b"x"), ("cat/1.png", b"y")]
    folder = unpack(zipped(tmp_path / "a.zip", entries), tmp_path / "out")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["1.png"]


@pytest.mark.parametrize(
    "name", ["../evil.png", "cat/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:\\evil.png", "c:evil.png"]
)
def test_nothing_lands_outside(tmp_path, name):
    archive = zipped(tmp_path / "a.zip", [("fine.png", b"x"), (name, b"evil")])
    with pytest.raises(ValueError, match=r"a\.zip was not unpacked: its entry .* would land outside the folder"):
        unpack(archive, tmp_path / "below" / "out")
    assert os.listdir(tmp_path / "below") == []
    assert not list(tmp_path.rglob("evil.png"))


def test_a_name_with_a_nul_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("a_b.png", b"x")])
    archive.write_bytes(archive.read_bytes().replace(b"a_b.png", b"a\0b.png"))
    with pytest.raises(ValueError, match="would land outside the folder"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    link = zipfile.ZipInfo("cat.png")
    link.external_attr = (kind | 0o777) << 16
    with pytest.raises(ValueError, match="is a link or a device, not a file"):
        unpack(zipped(tmp_path / "a.zip", [(link, b"/etc/passwd")]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_encryption_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("cat.png", b"x")])
    data = bytearray(archive.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    data[6] |= 1
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.zip is encrypted; give an archive without a password"):
        unpack(archive, tmp_path / "out")


def test_other_packing_methods_are_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("cat.png", b"x")], zipfile.ZIP_BZIP2)
    with pytest.raises(ValueError, match="pack it as an ordinary zip"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    "pair", [("Cat/1.png", "cat/1.png"), ("Cat/1.png", "cat/2.png"), ("e\u0301.png", "\u00e9.png")]
)
def test_paths_that_are_one_on_some_system_are_refused(tmp_path, pair):
    with pytest.raises(ValueError, match="which are the same on many systems; rename one"):
        unpack(zipped(tmp_path / "a.zip", [(name, b"x") for name in pair]), tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_path_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"two entries called 1\.png"):
        unpack(zipped(tmp_path / "a.zip", [("1.png", b"x"), ("1.png", b"y")]), tmp_path / "out")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has cat both as a file and as a folder"):
        unpack(zipped(tmp_path / "a.zip", [("cat", b"x"), ("cat/1.png", b"y")]), tmp_path / "out")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(entries=2), "has 3 entries; at most 2 are unpacked"),
        (Limits(bytes_total=2**20), r"unpacks to 3\.0 MiB; at most 1\.0 MiB are unpacked"),
        (Limits(bytes_each=2**19), r"0\.png unpacks to more than 0\.5 MiB"),
        (Limits(ratio_from=2**20), "unpacks to more than 200 times its size"),
    ],
)
def test_bombs_are_refused_and_leave_nothing(tmp_path, limits, said):
    archive = zipped(tmp_path / "a.zip", [(f"{index}.png", bytes(2**20)) for index in range(3)])
    with pytest.raises(ValueError, match=said):
        unpack(archive, tmp_path / "below" / "out", limits)
    assert os.listdir(tmp_path / "below") == []
    assert unpack(archive, tmp_path / "below" / "out").is_dir()  # within the ordinary limits it is no bomb


def test_a_bomb_whose_directory_lies_is_stopped_while_copying(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("big.png", bytes(4 * 2**20))])
    data = bytearray(archive.read_bytes())
    for magic, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(magic) + place, 10)  # says that ten bytes come out
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.zip isn't a readable zip archive"):
        unpack(archive, tmp_path / "below" / "out")
    assert os.listdir(tmp_path / "below") == []


def test_the_bytes_that_come_out_are_counted_not_those_announced(tmp_path, monkeypatch):
    archive = zipped(tmp_path / "a.zip", [("big.png", bytes(4 * 2**20))])
    monkeypatch.setattr("engine.loading.archives.chunks", lambda *_: iter([bytes(2**20)] * 100))
    with pytest.raises(ValueError, match=r"unpacks to more than 8\.0 MiB, all there is room for"):
        unpack(archive, tmp_path / "out", Limits(bytes_total=8 * 2**20))


def test_an_archive_in_the_archive_stays_one(tmp_path):
    inner = zipped(tmp_path / "inner.zip", [("1.png", b"x")])
    folder = unpack(zipped(tmp_path / "a.zip", [("inner.zip", inner.read_bytes())]), tmp_path / "out")
    assert [path.name for path in folder.iterdir()] == ["inner.zip"]


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_a_broken_archive_is_named(tmp_path, cut):
    archive = zipped(tmp_path / "a.zip", [("1.png", b"x" * 100)])
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"a\.zip isn't a readable zip archive .*make it again"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_in_it_is_noticed(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("1.png", b"abcdefgh" * 10)], zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(b"abcdefgh", b"abcdefgH", 1))
    with pytest.raises(ValueError, match=r"Bad CRC-32"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unpacking_twice_gives_the_same_folder(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("1.png", b"x")])
    assert unpack(archive, tmp_path / "out") == unpack(archive, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["a.zip", "out"]
