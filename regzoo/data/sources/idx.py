"""Read IDX files, the format of MNIST: images and labels as unsigned bytes, plain or compressed with gzip.

Reference: LeCun, Cortes and Burges 1998, http://yann.lecun.com/exdb/mnist/ (the format is at the end of the page).
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import IMAGES
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import list_folder, printable_path, raise_problems, require_file, require_memory
from regzoo.data.sources.roles import mark_parts

_NAME = re.compile(r"(?P<stem>.*?)[-_.]?(?P<what>images|labels)[-_.]idx(?P<axes>\d)[-_.]ubyte(\.gz)?", re.IGNORECASE)
_TEST = re.compile(r"(.*[-_.])?(t10k|test)", re.IGNORECASE)
_TRAIN = re.compile(r"(.*[-_.])?train", re.IGNORECASE)
_AXES = {"images": 3, "labels": 1}
_UNSIGNED_BYTES = 8
_TYPES = {9: "signed bytes", 11: "short integers", 12: "integers", 13: "floats", 14: "doubles"}

_Pair = dict[str, Path]
"""Paths of the ``images`` and of the ``labels``."""


def load_idx(path: Path) -> Dataset:
    """Read the folder ``path``: a pair ``*images-idx3-ubyte`` and ``*labels-idx1-ubyte``, or two of them.

    Each file may end in ``.gz``; if both exist, the uncompressed one is read. Of two pairs one is called ``train-...``
    and one ``t10k-...`` or ``test-...``, whose rows are the test part. Labels are integers, pixels run from 0 to 255.

    Raises:
        InputError: with every file that is missing, damaged, truncated, or has other content.
    """
    pairs = _find_pairs(path)
    problems: list[str] = []
    read = {stem: _read_pair(pair, problems) for stem, pair in pairs.items()}
    raise_problems(problems, path)
    shapes = {stem: images.shape[1:] for stem, (images, _) in read.items()}
    if len(set(shapes.values())) > 1:
        found = " and ".join(f"{stem} has images of {height} x {width}" for stem, (height, width) in shapes.items())
        raise InputError(f"{printable_path(path)}: {found}; both parts need one size")
    images, labels = (np.concatenate(parts) for parts in zip(*read.values(), strict=True))
    part = mark_parts(["test"], [len(one) for _, one in read.values()]) if len(read) == 2 else None
    return from_arrays(images, labels, str(path), part=part, form=IMAGES)


def _find_pairs(path: Path) -> dict[str, _Pair]:
    """Return the pairs in the folder by the beginning of their names, the training pair first."""
    pairs: dict[str, _Pair] = {}
    for entry in sorted(list_folder(path), key=lambda entry: entry.suffix.lower() != ".gz"):  # so that plain files win
        name = _NAME.fullmatch(entry.name)
        if name and int(name["axes"]) == _AXES[name["what"].lower()]:
            pairs.setdefault(name["stem"], {})[name["what"].lower()] = entry
    if not pairs:
        wanted = "train-images-idx3-ubyte and train-labels-idx1-ubyte"
        raise InputError(f"{printable_path(path)}: holds no IDX files; needs {wanted}, or these with .gz")
    raise_problems([_describe_single(path, stem, pair) for stem, pair in pairs.items() if len(pair) == 1], path)
    tests = [stem for stem in pairs if _TEST.fullmatch(stem)]
    trains = [stem for stem in pairs if _TRAIN.fullmatch(stem)]
    if len(pairs) > 1 and (len(pairs), len(trains), len(tests)) != (2, 1, 1):
        names = ", ".join(printable_path(stem) or "images" for stem in pairs)
        what = f"holds {len(pairs)} pairs ({names}), and one train and one t10k or test are a data set"
        raise InputError(f"{printable_path(path)}: {what}; put each set into a folder of its own")
    return {stem: pairs[stem] for stem in [*trains, *tests] or pairs}


def _describe_single(path: Path, stem: str, pair: _Pair) -> str:
    (what, there), other = next(iter(pair.items())), "labels" if "images" in pair else "images"
    wanted = re.sub(rf"{what}(.)idx\d", rf"{other}\1idx{_AXES[other]}", there.name, flags=re.IGNORECASE)
    needed = f"{printable_path(wanted)} (or the same with .gz) in {printable_path(path)}"
    return f"{printable_path(there)}: has no {other} next to it; needs {needed}"


def _read_pair(pair: Mapping[str, Path], problems: list[str]) -> tuple[Array, Array]:
    """Return images (n, height, width) and labels (n,), uint8; append what is wrong to ``problems``."""
    read = {"images": np.zeros((0, 0, 0), np.uint8), "labels": np.zeros(0, np.uint8)}
    readable = True
    for what, axes in _AXES.items():
        try:
            read[what] = read_idx(pair[what], axes)
        except InputError as error:
            problems.append(str(error))
            readable = False
    images, labels = read["images"], read["labels"]
    if readable and len(images) != len(labels):
        what = f"has {len(images):,} images, and {printable_path(pair['labels'].name)} has {len(labels):,} labels"
        problems.append(f"{printable_path(pair['images'])}: {what}; each image needs one, so these are no pair")
    return images, labels


def read_idx(path: Path, axes: int) -> Array:
    """Return the unsigned bytes of an IDX file as an array of ``axes`` axes.

    Raises:
        InputError: if it is not such a file, is shorter or longer than its header says, or would not fit into memory.
    """
    require_file(path)
    opened: Callable[..., Any] = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return _read_array(file, path, axes)
    except (OSError, EOFError, zlib.error) as error:  # of gzip, if the file is truncated or no such archive
        raise InputError(f"{printable_path(path)}: is damaged: {error}; fetch it again") from None


def _read_array(file: IO[bytes], path: Path, axes: int) -> Array:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise InputError(f"{printable_path(path)}: is no IDX file, it begins with {magic!r}; fetch it again")
    if magic[2] != _UNSIGNED_BYTES:
        what = _TYPES.get(magic[2], f"type {magic[2]}")
        raise InputError(f"{printable_path(path)}: holds {what}; unsigned bytes (type {_UNSIGNED_BYTES}) are read")
    if magic[3] != axes:
        what = f"has {magic[3]} axes, and {'images have' if axes > 1 else 'labels have'} {axes}"
        raise InputError(f"{printable_path(path)}: {what}; are images and labels exchanged?")
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise InputError(f"{printable_path(path)}: is truncated within its header; fetch it again")
    shape = struct.unpack(f">{axes}I", lengths)
    if 0 in shape:
        raise InputError(f"{printable_path(path)}: is empty, its header says {' x '.join(map(str, shape))}")
    require_memory(shape[0], shape[1:], printable_path(path), "take fewer images")
    values, more = file.read(math.prod(shape)), file.read(1)
    if len(values) < math.prod(shape) or more:
        has = "more" if more else f"{len(values):,}"
        what = f"its header promises {math.prod(shape):,} bytes, it has {has}"
        raise InputError(f"{printable_path(path)}: {what}; fetch it again")
    return np.frombuffer(values, np.uint8).reshape(shape)
