"""Check that a Parquet file, which may be packed a thousandfold, fits into memory before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regzoo.data.sources.files import BYTES_PER_VALUE, require_bytes
from regzoo.system.memory import get_available_memory

SHARE = 0.8
"""Of the available memory, what a table may take while it is read."""

_WORDS = ("string", "binary", "large_string", "large_binary", "string_view", "binary_view")


def require_parquet_memory(path: Path) -> None:
    """Raise InputError if the table at ``path`` would not fit into memory; pyarrow's errors if it cannot be read.

    A column of words is read once as the file keeps it, each word once, to know their lengths: a few bytes of a file
    can stand for many gigabytes.
    """
    from pyarrow import compute, parquet

    available = get_available_memory() * SHARE

    def require(size: int) -> None:
        way_out = "take fewer rows or columns, or free some memory"
        require_bytes(size, available, str(path), "holds a table that takes", way_out)

    file = parquet.ParquetFile(path)
    leaves = [file.schema.column(index) for index in range(len(file.schema))]
    flat = {index: leaf.name for index, leaf in enumerate(leaves) if leaf.path == leaf.name}
    values = packed = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        values += group.num_rows * (len(leaves) - len(flat))
        packed += group.total_byte_size
        require(max(values * BYTES_PER_VALUE, packed))
        _require_readable(file, number, list(flat.values()))
        columns = [group.column(index) for index in flat]
        values += sum(column.num_values for column in columns)
        packed += max(0, sum(column.total_uncompressed_size for column in columns) - group.total_byte_size)
    require(max(values * BYTES_PER_VALUE, packed))
    size = values * BYTES_PER_VALUE
    for field in file.schema_arrow:
        if str(field.type) in _WORDS:
            column = parquet.read_table(path, columns=[field.name], read_dictionary=[field.name])[field.name]
            for chunk in column.chunks:
                size += compute.sum(compute.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
            require(size)


def _require_readable(file: Any, group: int, columns: Sequence[str]) -> None:
    """Raise pyarrow's error if the metadata of ``columns`` is damaged: asked for, it would end this process.

    Whoever reads a row gets an exception of Python's where `RowGroupMetaData.column` lets one of C++ escape.
    """
    next(file.iter_batches(batch_size=1, row_groups=[group], columns=list(columns), use_threads=False), None)
