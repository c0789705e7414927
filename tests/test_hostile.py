"""Hostile names and cells of a table: nothing is printed or written that HTML, a spreadsheet or a terminal obeys."""

from __future__ import annotations

import csv
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from regzoo.cli import app as cli

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def call(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    """Run the command line; return exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
    capfd.readouterr()
    with pytest.raises(SystemExit) as done:
        cli.main()
    printed = capfd.readouterr()
    return int(done.value.code or 0), printed.out, printed.err


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


def test_the_page_shows_tags_as_text(mixed: Any) -> None:
    text = (mixed.folder / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not {"script", "b", "i"} & tags.found
    assert "&lt;b&gt;visits.csv" in text
    assert "&lt;b&gt;code&lt;/b&gt;" in text
    assert not CONTROL.search(text)


@pytest.mark.parametrize("file", ["report.md", "model/README.md"])
def test_markdown_shows_tags_as_text(file: str, mixed: Any) -> None:
    text = (mixed.folder / file).read_text(encoding="utf-8")
    assert r"\<b\>" in text
    prose = re.sub(r"(`+).*?\1", "", text, flags=re.S)  # code is shown as it is
    assert not re.search(r"(?<!\\)<(b|i|script)\b", prose)
    assert not CONTROL.search(text)


def test_no_cell_of_the_leaderboard_is_a_formula(mixed: Any) -> None:
    with (mixed.folder / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+@\t\r" and cell] == []
    negative = [cell for cell in cells if cell.startswith("-")]
    assert [float(cell) for cell in negative]


def test_predictions_on_the_screen_are_text(
    mixed: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source = mixed.config.parent / "<b>visits.csv"
    code, out, err = call(monkeypatch, capfd, "predict", mixed.folder / "model", source)
    assert code == 0
    assert len(list(csv.reader(out.splitlines()))) == 121
    assert "\n=" not in out
    assert "'=cmd" in out
    assert "ignored 'note', 'kind'" in err
    assert not CONTROL.search(out + err)


def test_check_shows_brackets_and_no_control_characters(
    mixed: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(monkeypatch, capfd, "check", mixed.config)
    assert code == 0
    assert "<b>visits.csv: 120 rows of 6 columns (18 features), classification" in out
    assert "repair: column '<b>code</b>': 3 words" in out
    assert not CONTROL.search(out)


NASTY = ("[bold]x[/bold]", "[/nothing]", "\x1b[31mred\x1b[0m", "\x07bell", "<img src=x onerror=alert(1)>", "=1+1")


@pytest.mark.parametrize("word", NASTY)
@pytest.mark.parametrize("place", ["class", "column", "cell", "file"])
def test_errors_show_hostile_words_as_they_are(
    place: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{n},{n / 7:.3f},{'ab'[n % 2]}\n" for n in range(30))
    tables = {
        "class": f"a,b,y\n{rows}1,1,{word}\n",  # it occurs once
        "column": f"{word},b,y\n{rows}x,1,a\n",  # no number in it
        "cell": f"a,b,y\n{rows}{word},1,a\n",  # no number
        "file": f"a,b,z\n{rows}",  # no target
    }
    name = f"{word.replace('/', ' ')}.csv" if place == "file" else "table.csv"
    (tmp_path / name).write_text(tables[place], encoding="utf-8")
    data = f'{{csv: {csv_path(name)}, target: "y"}}'
    config = f"name: mine\ndata: {data}\nbackbone: mlp([4])\nrecipes: [none]\n"
    (tmp_path / "mine.yaml").write_text(config, encoding="utf-8")
    code, out, err = call(monkeypatch, capfd, "compare", tmp_path / "mine.yaml", "--quiet")
    assert code == 2
    assert "Traceback" not in err
    assert not CONTROL.search(out + err)
    shown = name if place == "file" else word
    plain = shown.encode("unicode_escape").decode()
    assert plain in err or repr(shown)[1:-1] in err


def csv_path(name: str) -> str:
    """Return a file name as YAML writes it."""
    return json.dumps(name)


@pytest.mark.parametrize("word", ["<b>x</b>", "[red]x", "=1+1", "\x1b[31m"])
def test_a_comparison_has_a_plain_name(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"name: {csv_path(word)}\ndata: {{source: iris}}\nbackbone: mlp([4])\nrecipes: [none]\n", encoding="utf-8"
    )
    code, _, err = call(monkeypatch, capfd, "check", tmp_path / "mine.yaml")
    assert code == 2
    assert not CONTROL.search(err)
