"""TensorBoard: every run as a session of its HParams plugin, with its learning curves.

Needs ``regzoo[tensorboard]`` and no TensorFlow. The only file that imports tensorboard.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regzoo.comparison.chosen_strengths import read_strengths
from regzoo.core import EnvironmentFailure
from regzoo.core.formatting import float_or_nan
from regzoo.search.space import LEARNING_RATE
from regzoo.system.replace import OutputKind, replace_output, require_replaceable
from regzoo.training.records import Record

FILE = "events.out.tfevents.0.regzoo"
"""One in the folder of each run; the number is a time, fixed so that equal records give equal files."""


def write_tensorboard(folder: Path, records: Sequence[Record], metric: str) -> int:
    """Write all runs among ``records`` but members for ``tensorboard --logdir folder``; return how many.

    A session has the recipe, its stage, its strengths, the learning rate and the seed as hyperparameters, and the
    curves of every metric, whose last point is the finished model's.

    Args:
        folder: created if it does not exist.
        records: of one comparison.
        metric: the ranking metric, by which TensorBoard then sorts.

    Raises:
        InputError: if there are other files under the names of those that are written.
        EnvironmentFailure: if tensorboard is not installed, or the folder cannot be written.
    """
    if find_spec("tensorboard") is None:
        raise EnvironmentFailure("--tensorboard needs the package tensorboard: pip install 'regzoo[tensorboard]'")
    from tensorboard.plugins.hparams import summary_v2 as hp

    runs = [record for record in records if record.run.stage != "member"]
    several = any(record.run.search for record in runs)
    metrics = [hp.Metric(f"{part}/{metric}", display_name=f"{part} {metric}") for part in ("validation", "test")]
    names = dict.fromkeys(name for record in runs for name in list_hyperparameters(record, several))
    config = hp.hparams_config_pb([hp.HParam(name) for name in names], metrics, time_created_secs=0)
    kind = OutputKind("TensorBoard run", lambda content: content.startswith(_format_events([])), alias="run")
    for path in (folder / FILE, *(folder / name_run(record) / FILE for record in runs)):
        require_replaceable(path, kind)
    replace_output(folder / FILE, _format_events([(0, config)]), kind)
    for record in runs:
        name = name_run(record)
        session = hp.hparams_pb(list_hyperparameters(record, several), trial_id=name, start_time_secs=0)
        events = _format_events([(0, session), *_list_scalars(record), (0, _make_end(record))])
        replace_output(folder / name / FILE, events, kind)
    return len(runs)


def name_run(record: Record) -> str:
    """Return the folder of a run: ``dropout+l2/replicate-0``; no name leads out of LOGDIR.

    Trials and confirmations are numbered within their search, so those of a later search name it.
    """
    run = record.run
    search = f"search-{run.search}-" if run.search and run.stage != "replicate" else ""
    name = re.sub(r"[^A-Za-z0-9_.+=-]+", "", run.name).lstrip(".")[:200]
    return f"{name or 'recipe'}/{search}{run.stage}-{run.number}"


def list_hyperparameters(record: Record, several: bool = False) -> dict[str, str | float]:
    """Return what distinguishes a run from the others, its search included if there are ``several``."""
    run = record.run
    return {
        "recipe": run.name,
        "stage": run.stage,
        **({"search": float(run.search)} if several else {}),
        **read_strengths(run.recipe_text),
        LEARNING_RATE: run.learning_rate,
        "seed": float(run.seed),
    }


def _list_scalars(record: Record) -> Iterator[tuple[int, Any]]:
    """Yield the learning curves, then the finished model's metrics one step later."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    last = max(record.epochs, 0) + 1
    points = [
        (epoch, f"{part}/{name}", value)
        for part, curves in record.history.items()
        for name, curve in curves.items()
        for epoch, value in enumerate(curve, start=1)
    ]
    points += [
        (last, f"{part}/{name}", value) for part, metrics in record.metrics.items() for name, value in metrics.items()
    ]
    for step, tag, value in points:
        if not math.isnan(float_or_nan(value)):
            yield step, Summary(value=[Summary.Value(tag=tag, simple_value=value)])


def _make_end(record: Record) -> Any:
    """Return the event that ends a session."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_SUCCESS if record.status == "ok" else api_pb2.STATUS_FAILURE
    ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=record.fit_seconds)
    data = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
    value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=data, tensor=metadata.NULL_TENSOR)
    return Summary(value=[value])


def _format_events(summaries: Sequence[tuple[int, Any]]) -> bytes:
    """Return an events file; all begin with the same event, which names no time and no TensorFlow, unlike any other."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.write(Event(file_version="brain.Event:2").SerializeToString())
    for step, summary in summaries:
        writer.write(Event(step=step, summary=summary).SerializeToString())
    return file.getvalue()
