"""Information about a comparison for reports and cards, which are given away: it names no folder of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from regzoo.storage.info import ComparisonInfo, DataInfo

_JOINT = " + "
"""Between the files of one data source."""

_QUOTED = re.compile(r"""(?<=["'`])/[^"'`\n]*/(?=[^/"'`\n]+["'`])""")
_PLAIN = re.compile(r"""(?<![^\s"'`(\[{<=,;])/(?:[^/\s"'`]+/)+(?=[^/\s])""")
_CONFIG = re.compile(r"(?<= )/.*?(?<=/)(?=[^/]*\.ya?ml\b)")


def hide_folders(text: str) -> str:
    """Return ``text`` with every absolute path in it reduced to its last name.

    >>> hide_folders("No such file: '/home/my name/t.csv', see /tmp/a/b.log and https://keras.io/api/")
    "No such file: 't.csv', see b.log and https://keras.io/api/"
    """
    return _PLAIN.sub("", _QUOTED.sub("", text))


def make_public_data(data: DataInfo) -> DataInfo:
    """Return ``data`` with the names of its files and without their folders."""
    paths = [path for path in data.source.split(_JOINT) if Path(path).is_absolute()]
    return dataclasses.replace(
        data,
        source=_shorten(data.source, paths),
        repairs=tuple(hide_folders(_shorten(sentence, paths)) for sentence in data.repairs),
        warnings=tuple(hide_folders(_shorten(sentence, paths)) for sentence in data.warnings),
    )


def make_public_info(info: ComparisonInfo) -> ComparisonInfo:
    """Return ``info`` without the folders of its data, its config and its command."""
    return dataclasses.replace(
        info,
        data=make_public_data(info.data),
        config=_hide_folders_in_config(info.config),
        command=hide_folders(_shorten_command(info.command)),
    )


def _shorten(text: str, paths: Iterable[str]) -> str:
    """Return ``text`` with each of ``paths`` as its last name."""
    for path in sorted(paths, key=len, reverse=True):  # the longest first: it may begin with another one
        text = text.replace(path, Path(path).name or path)
    return text


def _shorten_command(command: str) -> str:
    """Return a command line with each absolute path in it as its last name."""
    if "'" not in command:  # older versions of regzoo did not quote blanks
        return _CONFIG.sub("", command)
    with contextlib.suppress(ValueError):  # a quote without an end
        return shlex.join(_shorten_paths(shlex.split(command)))
    return command


def _hide_folders_in_config(config: str) -> str:
    """Return a config in YAML with the names of its files and without their folders.

    A text that regzoo has not written, in somebody else's ledger, is returned as it is: one that is no YAML, or whose
    aliases could multiply.
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(config, Loader=yaml.SafeLoader)):
            return config
        values = yaml.safe_load(config)
        shown = _shorten_paths(values)
    except (yaml.YAMLError, RecursionError, ValueError):
        return config
    return config if shown == values else yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110)


def _shorten_paths(value: Any) -> Any:
    """Return JSON values in which each text that is an absolute path is its last name."""
    if isinstance(value, dict):
        return {key: _shorten_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten_paths(item) for item in value]
    return Path(value).name or value if isinstance(value, str) and Path(value).is_absolute() else value
