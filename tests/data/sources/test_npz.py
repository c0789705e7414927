"""NumPy archives: x and y are read, pickles never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources.npz import load_npz


@pytest.mark.parametrize("compressed", [False, True])
def test_x_and_y_are_read(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, x=np.arange(12).reshape(3, 2, 2), y=np.array(["a", "b", "a"]))
    data = load_npz(path)
    assert data.y is not None
    assert (data.x.shape, data.y.tolist(), data.columns) == ((3, 2, 2, 1), ["a", "b", "a"], None)


class Trap:
    """Object that creates a file if it is ever unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    path, mark = tmp_path / "a.npz", tmp_path / "executed"
    np.savez(path, x=np.array([[Trap(mark)], [Trap(mark)]], dtype=object), y=np.array([0, 1]))
    with pytest.raises(InputError, match="holds Python objects, which are not loaded; save numbers or text"):
        load_npz(path)
    assert not mark.exists()


def test_wrong_archives_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    cases: list[tuple[bytes | dict[str, Any], str]] = [
        (b"", "the file is empty"),
        (b"not a zip", r"is no .npz archive; write it with np.savez\(path, x=x, y=y\)"),
        ({"X": np.zeros((2, 2)), "y": [0, 1]}, "needs the arrays x and y, x is missing. Available: X, y."),
        ({"x": np.zeros((2, 2)), "labels": [0, 1]}, "y is missing. Available: labels, x."),
        ({"x": np.zeros((2, 2)), "y": [0, 1, 2]}, "x has 2 rows and y has 3"),
    ]
    for content, message in cases:
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.savez(path, **content)
        with pytest.raises(InputError, match=message) as caught:
            load_npz(path)
        assert str(caught.value).startswith(f"{path}: ")


def test_a_damaged_archive_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((50, 2)), y=np.arange(50))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60  # inside x
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        load_npz(path)


def test_roles_and_parts(tmp_path: Path) -> None:
    train, test = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez(train, x=np.ones((3, 2)), y=["a", "b", "a"], patient=[1, 1, 2])
    np.savez(test, x=np.zeros((2, 2), dtype=np.uint8), y=["b", "long"], patient=[3, 3])
    data = load_npz(train, {"group": "patient"}, {"test": test})
    assert data.x[:, 0].tolist() == [1, 1, 1, 0, 0]
    assert data.y is not None
    assert data.y.tolist() == ["a", "b", "a", "b", "long"]
    np.testing.assert_array_equal(data.group, [1, 1, 2, 3, 3])
    np.testing.assert_array_equal(data.part, ["", "", "", "test", "test"])


def test_archives_that_do_not_match_are_rejected(tmp_path: Path) -> None:
    train, test = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez(train, x=np.ones((2, 2)), y=["a", "b"])
    with pytest.raises(InputError, match=r"there is no array 'who' for data\.group\. Available: x, y\."):
        load_npz(train, {"group": "who"})
    for x, y, message in (
        (np.ones((2, 3)), ["a", "b"], r": x takes one shape and one kind .* float64 \(2, 2\) and float64 \(2, 3\)"),
        (
            np.ones((2, 2)),
            [0, 1],
            r": y takes one shape and one kind of values in all files, received <U1 .* and int64",
        ),
    ):
        np.savez(test, x=x, y=y)
        with pytest.raises(InputError, match=message):
            load_npz(train, parts={"test": test})
