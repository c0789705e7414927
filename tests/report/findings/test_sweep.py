"""What a sweep comes to, in words, in the terminal and on the page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from regzoo.cli.tables.sweep import make_response_table
from regzoo.report import render as page
from regzoo.report.findings.sweep import details, headline, response_of, verdict_of
from regzoo.report.findings.verdict import verdict

SCORE = {0.0: 2.0, 0.2: 1.0, 0.4: 1.0001, 0.6: 3.0, 0.8: 0.5}


def drawn(found: Any) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(make_response_table(found))
    return console.export_text()


def test_the_headline_names_the_best_and_the_flat_region(swept: Any) -> None:
    board, records, comparison = swept(["dropout.rate"], SCORE.__getitem__, values=[[0, 0.2, 0.4, 0.6]])
    found = response_of(records, comparison)
    assert found is not None
    assert headline(found).startswith("Best `dropout.rate`: 0.")
    assert headline(found).endswith("; 0.2 to 0.4 are within one standard error.")
    said = verdict_of(board, records, comparison)
    assert said.headline == headline(found)
    assert verdict(board, comparison).headline in said.details


def test_the_end_of_the_values_and_lost_replicates_are_said(swept: Any) -> None:
    found = response_of(*swept(["dropout.rate"], SCORE.__getitem__, values=[list(SCORE)], lost=(0.6,))[1:])
    assert found is not None
    assert headline(found).endswith("; no other value is within one standard error.")
    said = " ".join(details(found))
    assert "0.8 is the end of the values of `dropout.rate`: the best may lie beyond." in said
    assert "Replicates diverged or failed at 0.6 (2 of 5)" in said
    assert "2 of 5 lost" in drawn(found)


def test_the_table_has_a_line_for_each_value_and_the_baseline(swept: Any) -> None:
    found = response_of(*swept(["dropout.rate"], SCORE.__getitem__, values=[[0, 0.2, 0.4, 0.6]])[1:])
    assert found is not None
    lines = drawn(found).splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["0", "0.2", "0.4", "0.6", "none"]
    assert sum("best" in line for line in lines[1:6]) == 1
    assert lines[5].rstrip().endswith("baseline")


def test_gaps_in_the_flat_region_are_not_talked_over(swept: Any) -> None:
    score = {0.0: 1.0, 0.1: 1.0, 0.2: 5.0, 0.3: 1.0}
    found = response_of(*swept(["dropout.rate"], lambda rate: score[rate], values=[list(score)], seeds=40)[1:])
    assert found is not None
    assert [point.values[0] for point in found.flat] == [0.0, 0.1, 0.3]
    assert "0 to 0.1 and 0.3 are within" in headline(found)


def test_the_page_shows_the_curve_of_a_sweep_and_nothing_of_it_otherwise(
    swept: Any, quick: Any, comparison: Any, tmp_path: Path
) -> None:
    page.write(tmp_path / "one", *swept(["dropout.rate"], lambda rate: 1 + rate))
    page.write(tmp_path / "two", *swept(["dropout.rate", "l2.strength"], lambda r, s: 1 + r + s))
    page.write(tmp_path / "other", *quick, comparison())
    names = {path.name: {file.stem for file in (path / "figures").iterdir()} for path in tmp_path.iterdir()}
    assert {name: found & {"sweep", "sweep_grid"} for name, found in names.items()} == {
        "one": {"sweep"}, "two": {"sweep_grid"}, "other": set(),
    }  # fmt: skip
    html = {path.name: (path / "report.html").read_text() for path in tmp_path.iterdir()}
    assert "Score against strength" in html["one"]
    assert "Best <code>dropout.rate</code>: 0" in html["one"]
    assert "Score against two strengths" not in html["one"]
    assert "Score against" not in html["other"]
