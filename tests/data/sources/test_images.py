"""Folders of images: a class for each folder, parts, one size and one number of channels; errors name the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from regzoo.config import from_keywords
from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import files, load_dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.images import load_images


def save(path: Path, value: int = 0, size: tuple[int, int] = (4, 4), mode: str = "L") -> None:
    """Save a PNG of one brightness; ``size`` is (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size[::-1], (value,) * len(Image.new(mode, (1, 1)).getbands())).save(path, "PNG")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder with two cats, brightness 10 and 20, and two dogs, 30 and 40."""
    for number, value in enumerate((10, 20, 30, 40)):
        save(tmp_path / "pets" / ("cat", "dog")[number // 2] / f"{number}.png", value)
    return tmp_path / "pets"


def means(data: Dataset) -> list[float]:
    """Return the mean brightness of each image."""
    assert isinstance(data.x, np.ndarray)
    return data.x.mean(axis=(1, 2, 3)).tolist()


def test_folders_are_classes_and_pixels_are_raw(folder: Path) -> None:
    data = load_images(folder)
    assert isinstance(data.x, np.ndarray)
    assert data.x.dtype == np.uint8
    assert (data.x.shape, data.kind, data.task) == ((4, 4, 4, 1), "images", "classification")
    assert data.y is not None
    assert data.y.tolist() == ["cat", "cat", "dog", "dog"]
    assert means(data) == [10, 20, 30, 40]
    assert (data.name, data.columns, data.part, data.notes) == (str(folder), None, None, ())


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save scikit-learn's digits as PNG files, with their values from 0 to 16."""
    folder, source = tmp_path_factory.mktemp("digits"), load_digits()
    for number, (image, label) in enumerate(zip(source.images, source.target, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image.astype(np.uint8)).save(folder / str(label) / f"{number}.png")
    return folder


def test_digits_as_files_are_the_digits_as_arrays(digits: Path) -> None:
    """Digests are equal, so splits, runs and accuracies are; only rows are ordered by class, and labels are text."""
    source = load_digits()
    order = np.argsort(source.target, kind="stable")
    arrays = from_arrays(source.images[order], source.target[order].astype(str))
    assert load_images(digits).digest == arrays.digest


def test_the_scale_of_the_pixels_does_not_matter_after_standardization(digits: Path) -> None:
    """The same images with 0 to 240 in place of 0 to 16 give equal training arrays, up to float32 rounding."""
    experiment = from_keywords(data={"images": digits}, backbone="mlp", recipes=["l2"])
    data = load_dataset(experiment.data)
    assert isinstance(data.x, np.ndarray)
    brighter = from_arrays(15 * data.x, data.y)
    one, other = (prepare_fold(one, experiment.split, 0) for one in (data, brighter))
    np.testing.assert_allclose(one.train[0], other.train[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(one.train[1], other.train[1])


def test_rows_are_in_natural_order(tmp_path: Path) -> None:
    for value, name in enumerate(["1.png", "2.png", "10.png", "a1.png", "a2b.png", "a10.png"]):
        save(tmp_path / "a 9" / name, value)
        save(tmp_path / "a 10" / name, 100 + value)
    data = load_images(tmp_path)
    assert isinstance(data.x, np.ndarray)
    assert means(data) == [0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105]
    assert data.y is not None
    assert data.y.tolist() == ["a 9"] * 6 + ["a 10"] * 6


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train", "validation", "test"), ["train", "train", "validation", "validation", "test", "test"]),
        (("train", "val", "test"), ["train", "train", "validation", "validation", "test", "test"]),
        (("Training", "Valid", "Testing"), ["train", "train", "validation", "validation", "test", "test"]),
        (("train", "test"), ["", "", "test", "test"]),
        (("train", "val"), ["", "", "validation", "validation"]),
    ],
)
def test_parts_stay_parts(names: tuple[str, ...], parts: list[str], tmp_path: Path) -> None:
    """If only one part is held out, the other is drawn from the training images, so these have no part."""
    for name in names:
        for label in ("cat", "dog"):
            save(tmp_path / name / label / "1.png")
    data = load_images(tmp_path)
    assert data.part is not None
    assert data.y is not None
    assert sorted(zip(data.part.tolist(), data.y.tolist(), strict=True)) == sorted(
        zip(parts, ["cat", "dog"] * len(names), strict=True)
    )


def test_classes_called_train_and_test_are_classes(tmp_path: Path) -> None:
    save(tmp_path / "train" / "1.png")
    save(tmp_path / "test" / "1.png")
    data = load_images(tmp_path)
    assert data.y is not None
    assert (data.y.tolist(), data.part) == (["test", "train"], None)


def test_images_are_resized_to_the_median_size(folder: Path) -> None:
    save(folder / "cat" / "9.png", 50, size=(12, 6))
    data = load_images(folder)
    assert data.x.shape == (5, 4, 4, 1)
    assert data.notes == ("1 of 5 images (4 x 4 to 12 x 6) were resized to 4 x 4, the median height and width",)
    assert isinstance(data.x, np.ndarray)
    assert means(data) == [10, 20, 50, 30, 40]


def test_images_are_resized_to_the_size_of_the_config(folder: Path) -> None:
    data = load_dataset(from_keywords(data={"images": folder, "size": [2, 3]}, backbone="mlp", recipes=["l2"]).data)
    assert data.x.shape == (4, 2, 3, 1)
    assert data.notes == ("4 of 4 images (4 x 4) were resized to 2 x 3, as data.size says",)
    assert load_images(folder, (4, 4)).notes == ()


def test_one_color_image_gives_all_images_three_channels(folder: Path) -> None:
    save(folder / "dog" / "9.png", 60, mode="RGBA")
    data = load_images(folder)
    assert data.x.shape == (5, 4, 4, 3)
    assert data.notes == (
        "gray was copied to all three channels, in 4 of 5 images",
        "transparent pixels were blended with white, in 1 of 5 images",
    )


def test_sixteen_bits_among_eight_share_the_scale(folder: Path) -> None:
    Image.fromarray(np.full((4, 4), 257 * 80 + 128, dtype=np.uint16)).save(folder / "dog" / "9.png")
    wanted = np.array([10, 20, 30, 40, 80 + 128 / 257])
    np.testing.assert_allclose(np.array(means(load_images(folder))), wanted, rtol=1e-6)


def test_files_of_file_managers_are_ignored(folder: Path) -> None:
    for name in ("Thumbs.db", "cat/.DS_Store", "cat/desktop.ini", "dog/._1.png", ".git/config", "__MACOSX/cat/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"whatever")
    data = load_images(folder)
    assert data.y is not None
    assert (len(data.y), data.notes) == (4, ())


def test_texts_next_to_the_classes_are_left_out_and_named(folder: Path) -> None:
    for name in ("README.md", "labels.csv", "license\x1b[31m.txt", "notes.txt"):
        (folder / name).write_text("about these pets")
    left_out = r"left out, since it is no image and in no class: README.md, labels.csv, license\x1b[31m.txt and 1 more"
    assert load_images(folder).notes == (left_out,)


@pytest.mark.parametrize("name", ["<b>cat", "=1+1", "a, b", "größe 😀", "'; drop table", "%s {x} $HOME"])
def test_names_of_classes_are_kept_as_they_are(name: str, folder: Path) -> None:
    (folder / "cat").rename(folder / name)
    data = load_images(folder)
    assert data.y is not None
    assert set(data.y.tolist()) == {name, "dog"}


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "dog" / "9.png").symlink_to(folder / "cat" / "0.png")
    assert means(load_images(folder)) == [10, 20, 30, 40, 10]


def put(name: str, content: bytes = b"hello") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return change


def truncate(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "cat" / "9.png")
    content = (folder / "cat" / "9.png").read_bytes()
    (folder / "cat" / "9.png").write_bytes(content[:900])


def link(name: str, target: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(target)


def without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for path in (folder / name).iterdir():
            path.unlink()
        (folder / name).rmdir()

    return change


def into_parts(folder: Path) -> None:
    """train/cat, train/dog and test/cat, test/bird."""
    for path in [*folder.glob("*/*.png")]:
        save(folder / "train" / path.parent.name / path.name)
        path.unlink()
    for name in ("cat", "dog"):
        (folder / name).rmdir()
    for name in ("cat", "bird"):
        save(folder / "test" / name / "1.png")


def one_more(folder: Path) -> None:
    into_parts(folder)
    save(folder / "extra" / "cat" / "1.png")


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (put("cat/9.png", b""), "cat/9.png", "the file is empty; replace or remove it"),
        (put("cat/9.png"), "cat/9.png", "is no PNG, JPEG, BMP or GIF image; replace or remove it"),
        (put("cat/notes.txt"), "cat/notes.txt", "is no PNG, JPEG, BMP or GIF image; replace or remove it"),
        (put("cat/a\x1b[31m\n.png"), r"cat/a\x1b[31m\n.png", "is no PNG, JPEG, BMP or GIF image; replace or remove it"),
        (truncate, "cat/9.png", "cannot be read: "),
        (put("9.PNG"), "9.PNG", "lies next to the folders of the classes; move it into one of them"),
        (put("cat/more/1.png"), "cat/more", "is a folder in the folder of a class; move its images one up"),
        (lambda folder: (folder / "bird").mkdir(), "bird", "holds no images; add some or remove the folder"),
        (link("cat/9.png", "/etc/passwd"), "cat/9.png", "is a link that leads out of the folder; copy what it points"),
        (link("bird", "/etc"), "bird", "is a link that leads out of the folder; copy what it points at"),
        (link("cat/9.png", "9.png"), "cat/9.png", "is neither a file nor a folder; remove it"),
        (link("cat/9.png", "lost.png"), "cat/9.png", "is neither a file nor a folder; remove it"),
        (lambda folder: os.mkfifo(folder / "cat/9.png"), "cat/9.png", "is neither a file nor a folder; remove it"),
        (put("a\nb/1.png"), r"a\nb", "its name is a label, and holds a control character or what is no text; rename"),
        (
            put(os.fsdecode(b"caf\xe9/1.png")),
            r"caf\udce9",
            "its name is a label, and holds a control character or what",
        ),
        (without("cat"), "", "needs a folder for each class, at least two, with its images inside, received one"),
        (into_parts, "test/bird", "train has no class 'bird', so nothing can learn it; add images there or remove it"),
        (one_more, "extra", "lies next to train, where only validation (or val) and test may lie"),
    ],
)
def test_errors_name_the_file(change: Callable[[Path], None], place: str, message: str, folder: Path) -> None:
    change(folder)
    with pytest.raises(InputError) as caught:
        load_images(folder)
    lines = str(caught.value).split("\n")
    assert any(line.startswith(f"{folder / place}: {message}") for line in lines), lines
    assert all(line.isprintable() for line in lines)


def test_all_problems_come_at_once_and_are_counted(folder: Path) -> None:
    for number in range(10, 22):
        put(f"dog/{number}.png", b"")(folder)
    truncate(folder)
    with pytest.raises(InputError) as caught:
        load_images(folder)
    lines = str(caught.value).split("\n")
    assert lines[0] == f"{folder / 'dog' / '10.png'}: the file is empty; replace or remove it"
    assert lines[-1] == f"{folder}: and 3 more; 13 problems"
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no such folder; relative paths start at the config's folder"),
        ("pets/cat/0.png", "is a file, not a folder"),
        ("pets/cat", "needs a folder for each class, at least two, with its images inside, received none"),
        ("empty", "needs a folder for each class, at least two, with its images inside, received none"),
    ],
)
def test_folders_that_hold_no_classes(name: str, message: str, folder: Path) -> None:
    (folder.parent / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        load_images(folder.parent / name)
    assert f"{folder.parent / name}: {message}" in str(caught.value)


def test_more_than_fits_into_memory_is_rejected_before_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = 4 * 4 * 4 * 1
    monkeypatch.setattr(files, "get_available_memory", lambda: values * files.BYTES_PER_VALUE)
    assert load_images(folder).x.shape == (4, 4, 4, 1)
    monkeypatch.setattr(files, "get_available_memory", lambda: values * files.BYTES_PER_VALUE - 1)
    monkeypatch.setattr("regzoo.data.sources.images.read_pixels", None)
    with pytest.raises(InputError, match=r"pets: 4 inputs of 4 x 4 x 1 numbers need about 1280 bytes .*; make them sm"):
        load_images(folder)
