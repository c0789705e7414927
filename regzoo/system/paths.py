"""Paths that everything downstream can hold: a ledger, a report, TensorFlow."""

from __future__ import annotations

import contextlib
from pathlib import Path

from regzoo.core.errors import InputError


def require_utf8(path: str | Path) -> None:
    """Raise InputError if ``path`` holds bytes that are no UTF-8 text, which no ledger and no SavedModel can name.

    A relative path counts with the working directory.
    """
    texts = [str(path)]
    with contextlib.suppress(OSError):  # the working directory is gone
        texts.append(str(Path(path).absolute()))
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise InputError(
                f"{text}: the path holds bytes that are not UTF-8 text, which neither a ledger nor a model can name; "
                "rename that file or folder"
            ) from None
