"""IDX files, the format of MNIST: both parts are read, and other files are rejected."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources import files
from regzoo.data.sources.idx import load_idx, read_idx

TRAIN, TEST = np.arange(24).reshape(4, 2, 3), 100 + np.arange(12).reshape(2, 2, 3)
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """Return an IDX file of unsigned bytes: two zeros, the type, the number of axes, their lengths, the content."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder with four training and two test images, uncompressed."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(TRAIN))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.array([3, 5, 3, 5])))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(TEST))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.array([5, 3])))
    return tmp_path


def test_both_parts_are_read_and_the_test_part_stays_one(folder: Path) -> None:
    data = load_idx(folder)
    np.testing.assert_array_equal(data.x[..., 0], np.concatenate([TRAIN, TEST]))
    assert data.y is not None
    assert isinstance(data.x, np.ndarray)
    assert data.x.dtype == np.uint8
    assert (data.x.shape, data.y.tolist()) == ((6, 2, 3, 1), [3, 5, 3, 5, 5, 3])
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "", "test", "test"]


def test_compressed_files_give_the_same(folder: Path) -> None:
    plain = load_idx(folder)
    for path in list(folder.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load_idx(folder).digest == plain.digest


def test_the_uncompressed_file_is_read_if_both_exist(folder: Path) -> None:
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    assert load_idx(folder).x.shape == (6, 2, 3, 1)


@pytest.mark.parametrize("names", ["{}-idx{}-ubyte", "{}.idx{}-ubyte", "mine_{}-idx{}-ubyte", "train-{}.idx{}-ubyte"])
def test_a_single_pair_has_no_parts(names: str, tmp_path: Path) -> None:
    (tmp_path / names.format("images", 3)).write_bytes(idx(TRAIN))
    (tmp_path / names.format("labels", 1)).write_bytes(idx(np.array([1, 2, 1, 2])))
    (tmp_path / "README.txt").write_text("what this is")
    data = load_idx(tmp_path)
    assert (data.x.shape, data.part) == ((4, 2, 3, 1), None)


def test_emnist_calls_its_parts_train_and_test(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_name(f"emnist-letters-{path.name.replace('t10k', 'test')}"))
    data = load_idx(folder)
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "", "test", "test"]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_is_what_was_published() -> None:
    """Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747: 6,000 + 1,000 of each of ten classes."""
    data = load_idx(DEBIAN)
    assert data.x.shape == (70_000, 28, 28, 1)
    assert isinstance(data.x, np.ndarray)
    assert (data.x.min(), data.x.max()) == (0, 255)
    assert data.part is not None
    assert data.y is not None
    assert np.bincount(data.y[data.part == ""]).tolist() == [6_000] * 10
    assert np.bincount(data.y[data.part == "test"]).tolist() == [1_000] * 10


def put(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (put(IMAGES, b""), IMAGES, "the file is empty"),
        (put(IMAGES, b"<!DOCTYPE html>"), IMAGES, "is no IDX file, it begins with b'<!DO'; fetch it again"),
        (put(IMAGES, b"\0\0"), IMAGES, r"is no IDX file, it begins with b'\x00\x00'; fetch it again"),
        (put(IMAGES, idx(TRAIN, kind=13)), IMAGES, "holds floats; unsigned bytes (type 8) are read"),
        (put(IMAGES, idx(np.arange(4))), IMAGES, "has 1 axes, and images have 3; are images and labels exchanged?"),
        (put(LABELS, idx(TRAIN)), LABELS, "has 3 axes, and labels have 1; are images and labels exchanged?"),
        (put(IMAGES, idx(TRAIN)[:10]), IMAGES, "is truncated within its header; fetch it again"),
        (put(IMAGES, idx(TRAIN)[:-1]), IMAGES, "its header promises 24 bytes, it has 23; fetch it again"),
        (put(IMAGES, idx(TRAIN) + b"x"), IMAGES, "its header promises 24 bytes, it has more; fetch it again"),
        (put(IMAGES, idx(TRAIN[:0])), IMAGES, "is empty, its header says 0 x 2 x 3"),
        (put(LABELS, idx(np.arange(3))), IMAGES, f"has 4 images, and {LABELS} has 3 labels; each image needs one"),
        (remove(LABELS), IMAGES, f"has no labels next to it; needs {LABELS} (or the same with .gz) in"),
        (remove(IMAGES), LABELS, f"has no images next to it; needs {IMAGES} (or the same with .gz) in"),
        (put("t10k-images-idx3-ubyte", idx(TEST[:, :1])), "", "train has images of 2 x 3 and t10k has images of 1 x 3"),
    ],
)
def test_errors_name_the_file(change: Callable[[Path], object], place: str, message: str, folder: Path) -> None:
    change(folder)
    with pytest.raises(InputError) as caught:
        load_idx(folder)
    assert str(caught.value).startswith(f"{folder / place}: {message}")
    assert "\n" not in str(caught.value)


ARCHIVE = gzip.compress(idx(TRAIN), mtime=0)


@pytest.mark.parametrize(
    "content",
    [b"no archive", ARCHIVE[:-12], ARCHIVE[:10] + b"\xff" * 30, ARCHIVE[:-8] + bytes(8)],
    ids=["no archive", "truncated", "no such code", "wrong checksum"],
)
def test_a_damaged_archive_is_reported(content: bytes, folder: Path) -> None:
    (folder / IMAGES).unlink()
    (folder / f"{IMAGES}.gz").write_bytes(content)
    with pytest.raises(InputError, match=rf"{IMAGES}\.gz: is damaged: .*; fetch it again"):
        load_idx(folder)


def test_all_wrong_files_are_reported_at_once(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        load_idx(folder)
    assert len(str(caught.value).split("\n")) == 4


def test_a_folder_without_idx_files_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"x")
    with pytest.raises(InputError, match="holds no IDX files; needs train-images-idx3-ubyte and train-labels-idx1"):
        load_idx(tmp_path)
    with pytest.raises(InputError, match=r"cat\.png: is a file, not a folder"):
        load_idx(tmp_path / "cat.png")
    with pytest.raises(InputError, match="there is no such folder; relative paths start at the config's folder"):
        load_idx(tmp_path / "nowhere")


def test_several_sets_in_one_folder_are_rejected(folder: Path) -> None:
    for name in (IMAGES, LABELS):
        (folder / f"more-{name}").write_bytes((folder / name).read_bytes())
    with pytest.raises(InputError, match=r"holds 3 pairs \(.*\), and one train and one t10k or test are a data set"):
        load_idx(folder)


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory is reserved and no archive is unpacked for it."""
    monkeypatch.setattr(files, "get_available_memory", lambda: 16 * 10**9)
    path = tmp_path / "bomb-images-idx3-ubyte"
    path.write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, 10**9, 1000, 1000))
    with pytest.raises(InputError, match=r"1,000,000,000 inputs of 1000 x 1000 numbers need about 20,000,000\.0 GB"):
        read_idx(path, 3)
