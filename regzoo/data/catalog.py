"""Names of data sets, sources, parts and roles; imports nothing, so that a config can be read without NumPy."""

from __future__ import annotations

BUNDLED = {
    "digits": "1,797 handwritten digits, 8 x 8 pixels of 0 to 16, ten classes",
    "iris": "150 flowers, 4 measurements, three species",
    "wine": "178 wines, 13 chemical measurements, three growers",
    "breast_cancer": "569 biopsies, 30 measurements, malignant or benign",
    "diabetes": "442 patients, 10 measurements, disease progression after a year (a number)",
}
"""Name and description of each data set of scikit-learn."""

KERAS = {
    "mnist": "60,000 + 10,000 handwritten digits, 28 x 28 pixels, ten classes",
    "fashion_mnist": "60,000 + 10,000 pictures of clothes, 28 x 28 pixels, ten classes",
    "cifar10": "50,000 + 10,000 photographs, 32 x 32 pixels in color, ten classes",
    "cifar100": "50,000 + 10,000 photographs, 32 x 32 pixels in color, a hundred classes",
}
"""Name and description of each data set that is read from the cache of Keras."""

READ_BY_KERAS = ("cifar10", "cifar100")
"""Data sets stored as pickles: Keras reads them, which imports TensorFlow."""

SOURCES = {
    **{f"{{source: {name}}}": description for name, description in BUNDLED.items()},
    "{csv: path, target: column}": "a CSV file, also .csv.gz, with a header: columns of numbers, words, "
    "booleans or dates, with missing cells, and one to predict; separator and encoding may be added",
    "{csv: path, target: column, drop: [another]}": "without columns that are no inputs, such as an identifier; also "
    "with parquet",
    "{parquet: path, target: column}": "the same as a Parquet file; needs the extra parquet",
    "{npz: path}": "a NumPy archive with the arrays x (rows or images) and y; for a model of your own, with an array "
    "for each of its inputs by name",
    "{csv: path, target: column, kind: text}": "a column of text, read word by word: the vocabulary is fitted on the "
    "training part and kept in the exported model; also with parquet and npz",
    "{npz: path, kind: sequences}": "arrays of another kind than their shape shows: rows, images, sequences (n, steps, "
    "channels), or tokens (n, steps), whole numbers with 0 for padding; also with csv",
    "{csv: path, target: [column, another]}": "with several labels a row: columns of 0 and 1, or true and false; "
    "also with parquet, and with an archive whose y is (rows, labels)",
    "{csv: path, target: column, rare: {below: 5, do: merge}}": "with classes of fewer than 5 rows merged into one, or "
    "dropped; also with any other source",
    "{csv: path, target: column, group: another}": "with a column of groups, each kept in one part; also with time, "
    "part (train, validation, test) and weight, and with the arrays of an archive",
    "{csv: path, test: path, target: column}": "with a separate file for the test part; also for validation, and "
    "with npz",
    "{images: folder}": "a folder with a subfolder of PNG, JPEG, BMP or GIF files for each class, or with train, "
    "validation and test and these inside",
    "{images: folder, size: [32, 32]}": "the same, resized to this height and width",
    "{idx: folder}": "MNIST's format: images-idx3-ubyte and labels-idx1-ubyte, also .gz; a t10k pair is the test part",
    **{f"{{keras: {name}}}": f"{text}; from Keras's cache, download: true fetches it" for name, text in KERAS.items()},
}
"""Forms of the ``data`` section of a config, with the meaning of each."""

PARTS = ("train", "validation", "test")
"""The parts of a split."""

ROLES = ("group", "time", "part", "weight")
"""Values that a row may have besides inputs and target; in a config, each is the name of a column or an array."""

SEPARATORS = (",", ";", "\t", "|")
"""Separators of the cells of a CSV file; the one that divides the header into the most columns is taken."""

ARRAYS = "arrays"
"""Name of the source of data that was passed in Python."""

Target = str | tuple[str, ...] | None
"""The column to predict, or one column for each of several labels; None if there are only inputs."""


def list_columns(target: Target) -> tuple[str, ...]:
    """Return the columns that ``target`` names, as a tuple.

    >>> list_columns("kind"), list_columns(("red", "blue")), list_columns(None)
    (('kind',), ('red', 'blue'), ())
    """
    return target if isinstance(target, tuple) else () if target is None else (target,)


def fold_key(name: str, number: int) -> str:
    """Return the key of ``name`` in one of several folds: unchanged in the first.

    >>> fold_key("train", 0), fold_key("train", 2)
    ('train', '2/train')
    """
    return f"{number}/{name}" if number else name
