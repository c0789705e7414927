"""Data sets of Keras: read from its cache; nothing is fetched unasked, nothing unverified is read."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import os
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from regzoo.config import from_keywords
from regzoo.core.errors import EnvironmentFailure, InputError
from regzoo.data.catalog import KERAS, READ_BY_KERAS
from regzoo.data.sources import load_dataset
from regzoo.data.sources.keras_datasets import FILES, get_cache_folder, load_keras

X, Y = np.arange(24, dtype=np.uint8).reshape(6, 2, 2), np.array([1, 2, 1, 2, 1, 2], dtype=np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no network."""

    def unreachable(url: str, **_: object) -> None:
        raise urllib.error.URLError("no network in this test")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    return tmp_path / "datasets"


def archive() -> bytes:
    """Return six images in the archive format that Keras has for MNIST."""
    file = io.BytesIO()
    np.savez(file, x_train=X[:4], y_train=Y[:4], x_test=X[4:], y_test=Y[4:])
    return file.getvalue()


def expect(content: bytes, monkeypatch: pytest.MonkeyPatch, name: str = "mnist") -> str:
    """Make the hash of ``content`` the expected one for ``name``; return the path in the cache."""
    ((file, cached),) = FILES[name].items()
    sha256 = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(FILES, name, {file: dataclasses.replace(cached, sha256=sha256)})
    return file


def test_the_cache_is_where_keras_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert get_cache_folder() == tmp_path / "datasets"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert get_cache_folder() == tmp_path / "home" / ".keras" / "datasets"


def test_every_set_of_the_catalog_can_be_read() -> None:
    assert set(FILES) == set(KERAS) >= set(READ_BY_KERAS)


def test_keras_names_the_same_files_and_hashes() -> None:
    """A cache that Keras filled is found here, and Keras finds files that were fetched here."""
    import inspect

    import keras

    for name, files in FILES.items():
        source = inspect.getsource(getattr(keras.datasets, name).load_data)
        for file, cached in files.items():
            stem = Path(file).name.removesuffix("_archive")  # Keras adds this to what it unpacks
            assert stem in source
            assert cached.url.rsplit("/", 1)[1] in source
            assert (cached.sha256 or "") in source


def test_mnist_is_read_and_its_test_part_stays_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / expect(archive(), monkeypatch)).write_bytes(archive())
    data = load_dataset(from_keywords(data={"keras": "mnist"}, backbone="mlp", recipes=["l2"]).data)
    np.testing.assert_array_equal(data.x[..., 0], X)
    assert data.y is not None
    assert (data.name, data.y.tolist()) == ("mnist", Y.tolist())
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "", "test", "test"]


def test_fashion_mnist_is_read_from_its_idx_files(home: Path) -> None:
    (home / "fashion-mnist").mkdir(parents=True)
    for part, rows in (("train", slice(4)), ("t10k", slice(4, 6))):
        images = b"\0\0\x08\x03" + np.array(X[rows].shape, dtype=">u4").tobytes() + X[rows].tobytes()
        labels = b"\0\0\x08\x01" + np.array(Y[rows].shape, dtype=">u4").tobytes() + Y[rows].tobytes()
        (home / "fashion-mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (home / "fashion-mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    data = load_keras("fashion_mnist")
    assert (data.x.shape, data.name) == ((6, 2, 2, 1), "fashion_mnist")
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "", "test", "test"]


@pytest.mark.parametrize("name", READ_BY_KERAS)
def test_keras_itself_reads_its_pickles_once_the_hash_is_right(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    colors = np.stack([X] * 3, axis=-1)
    home.mkdir()
    (home / expect(b"a tar file", monkeypatch, name)).write_bytes(b"a tar file")
    loaded = (colors[:4], Y[:4, np.newaxis]), (colors[4:], Y[4:, np.newaxis])
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: loaded)
    data = load_keras(name)
    np.testing.assert_array_equal(data.x, colors)
    assert data.y is not None
    assert data.y.tolist() == Y.tolist()
    assert data.part is not None
    assert data.part.tolist() == ["", "", "", "", "test", "test"]


@pytest.mark.parametrize("name", KERAS)
def test_errors_for_missing_files_name_the_ways_out(name: str, home: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_keras(name)
    message = str(caught.value)
    assert message.startswith(f"data.keras: {name} is not in Keras's cache: {home} lacks {next(iter(FILES[name]))}")
    assert "Nothing is downloaded unasked: set download: true" in message
    assert f"keras.datasets.{name}.load_data()" in message
    assert ("dataset-fashion-mnist" in message) == (name == "fashion_mnist")
    assert not home.exists()


@pytest.mark.parametrize("name", KERAS)
def test_a_damaged_file_is_rejected_before_it_is_read(name: str, home: Path) -> None:
    for file in FILES[name]:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_bytes(b"something else")
    with pytest.raises(InputError, match=r"(SHA-256 differs\); delete it and fetch it again|is damaged: .*)$"):
        load_keras(name)


def test_an_unknown_name_is_rejected() -> None:
    with pytest.raises(InputError, match=r"data\.keras: there is no data set 'fashion'\. Did you mean 'fashion_mnist'"):
        load_keras("fashion")


class Response(io.BytesIO):
    """Response of a server."""

    def __init__(self, content: bytes, length: int | None = None) -> None:
        super().__init__(content)
        self.headers = {} if length is None else {"Content-Length": str(length)}


def test_it_is_fetched_if_the_config_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, requested = expect(archive(), monkeypatch), []

    def serve(url: str, timeout: float) -> Response:
        requested.append(url)
        return Response(archive(), len(archive()))

    monkeypatch.setattr("urllib.request.urlopen", serve)
    data = from_keywords(data={"keras": "mnist", "download": True}, backbone="mlp", recipes=["l2"]).data
    assert load_dataset(data).digest == load_dataset(data).digest
    assert requested == [FILES["mnist"][file].url]
    assert [path.name for path in home.iterdir()] == [file]


def test_a_failed_download_leaves_nothing_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentFailure, match=r"mnist\.npz could not be fetched: .*no network.*; put the file at"):
        load_keras("mnist", download=True)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Response(archive()[:100], len(archive())))
    with pytest.raises(EnvironmentFailure, match="could not be fetched: it broke off after 100 bytes"):
        load_keras("mnist", download=True)
    assert list(home.iterdir()) == []


def test_a_cache_that_keras_cannot_write_to_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else Keras would use another folder, find nothing there, and download."""
    home.mkdir()
    (home / expect(b"a tar file", monkeypatch, "cifar10")).write_bytes(b"a tar file")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match=r"Keras unpacks cifar10 there and may not write; set KERAS_HOME"):
        load_keras("cifar10")
