"""Mutation tests of the zoo: ``python -m tests.mutation --help``."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.choose_tests import read_text
from tests.mutation.mutants import Mutant, list_modules, list_mutants
from tests.mutation.named import list_named
from tests.mutation.server import import_libraries
from tests.mutation.trial import Trial, Verdict, read_equivalents


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", help="only this file, such as sam or _augment; may be repeated")
    parser.add_argument("--named", action="store_true", help="only the faults in tests/mutation/named.py")
    parser.add_argument("--every", action="store_true", help="all mutants, not one of a kind on each line")
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--processes", type=int, default=1, help="how many mutants at once")
    parser.add_argument("--stages", type=int, help="1: only the tests in the module's own file; 2: its folder's too")
    parser.add_argument("--again", type=Path, help="only the survivors in this file of --json")
    parser.add_argument("--json", type=Path, help="write the score and the survivors into this file")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    return parser.parse_args(arguments)


def choose_mutants(options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants that the options name, without those that are known to be equivalent."""
    modules = list_modules()
    found = [
        mutant for module, path in modules.items() for mutant in list_mutants(module, read_text(path), options.every)
    ]
    found = list_named() if options.named else [*list_named(), *found]
    if options.module:
        found = [mutant for mutant in found if mutant.module.rpartition(".")[2] in options.module]
    if options.again:
        survivors = json.loads(options.again.read_text(encoding="utf-8"))["survivors"]
        names = {entry["name"] for entry in survivors}
        found = [mutant for mutant in found if mutant.name in names]
    known = read_equivalents()
    found = [mutant for mutant in found if mutant.name not in known]
    if options.sample is not None and options.sample < len(found):
        found = random.Random(options.seed).sample(found, options.sample)
    return found


def summarize(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the score, the counts and the survivors."""
    survivors = [verdict.mutant for verdict in verdicts if not verdict.killed]
    return {
        "score": round(1 - len(survivors) / max(len(verdicts), 1), 4),
        "mutants": len(verdicts),
        "killed": len(verdicts) - len(survivors),
        "survivors": [
            {key: getattr(mutant, key) for key in ("name", "module", "line", "kind", "before", "after")}
            for mutant in sorted(survivors, key=lambda mutant: (mutant.module, mutant.line))
        ],
    }


def main(arguments: Sequence[str]) -> int:
    """Run the command; return 0 if 95 % of the mutants or more are killed."""
    options = read_arguments(arguments)
    mutants = choose_mutants(options)
    if options.list:
        print(*mutants, sep="\n")
        return 0
    import_libraries()
    verdicts: list[Verdict] = []
    started = time.monotonic()

    def tell(verdict: Verdict) -> None:
        verdicts.append(verdict)
        minutes = (time.monotonic() - started) / 60
        text = f"killed by {verdict.by}" if verdict.killed else f"SURVIVED {verdict.by}".rstrip()
        print(
            f"[{len(verdicts)}/{len(mutants)}, {minutes:.1f} min] {verdict.mutant}\n  {text}, {verdict.seconds:.1f} s",
            flush=True,
        )
        if options.json:
            options.json.write_text(json.dumps(summarize(verdicts), indent=1), encoding="utf-8")

    Trial(options.processes, tell, options.stages).run(mutants)
    result = summarize(verdicts)
    print(f"{result['killed']} of {result['mutants']} mutants killed")
    return 0 if float(str(result["score"])) >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
