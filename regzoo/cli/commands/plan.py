"""``regzoo plan``: show what would be trained."""

from __future__ import annotations

import json

from regzoo.cli.options import AsJson, Config
from regzoo.cli.terminal import print_json, print_table


def plan(config: Config, as_json: AsJson = False) -> None:
    """Show what would be trained: runs per recipe, search space, estimated time."""
    from regzoo.cli.tables.plan import make_plan_table
    from regzoo.comparison.check import check_copies, check_models
    from regzoo.comparison.plan import estimate_seconds, make_plan
    from regzoo.comparison.runner import read_setup
    from regzoo.execution.resources import count_cores, divide_memory
    from regzoo.storage.config_file import load_experiment

    experiment = load_experiment(config)
    prepared, setup = read_setup(experiment)
    check_copies(experiment, prepared, divide_memory(1))  # one worker may hold the most
    checked = check_models(experiment, setup)
    planned = make_plan(experiment, prepared, setup)
    seconds = round(estimate_seconds(planned, prepared, count_cores()), 1)
    described = planned.to_dict(checked.places) | {"notes": list(checked.notes), "seconds": seconds}
    if as_json:
        print_json(json.dumps(described, indent=2))
    else:
        print_table(make_plan_table(described))
