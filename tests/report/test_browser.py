"""The page in a real browser: nothing is wider than the window, no labels overlap, and it prints.

A script that is added to a copy of the page measures what the browser laid out, and leaves the answer in an attribute.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"no browser is installed (looked for {', '.join(BROWSERS)})"),
]

MEASURE = """
<script>
const inside = element => element.closest('.scroll') && !element.matches('.scroll');
const wide = [...document.querySelectorAll('body *')].filter(element =>
  !inside(element) && !element.closest('svg') && element.getBoundingClientRect().right > innerWidth + 1);
const overlaps = [];
let labels = 0;
for (const svg of document.querySelectorAll('svg')) {
  const boxes = [...svg.querySelectorAll('g[id*="-text_"]')].map(text => [text.id, text.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0);
  labels += boxes.length;
  const frame = svg.getBoundingClientRect();
  boxes.forEach(([id, a], i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1) overlaps.push([id, 'the frame']);
    for (const [other, b] of boxes.slice(i + 1))
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) overlaps.push([id, other]);
  });
}
document.body.setAttribute('data-measured', JSON.stringify({
  width: innerWidth, page: document.documentElement.scrollWidth, wide: wide.map(element => element.tagName),
  labels, overlaps, tables: [...document.querySelectorAll('.scroll')].length}));
</script>
"""


def browse(*options: str) -> str:
    """Run the browser without a window; return what it prints."""
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def measure(html: Path, width: int) -> dict[str, Any]:
    """Measure the page in a frame ``width`` pixels wide; browsers have no window narrower than 500."""
    measured = html.with_name("measured.html")
    measured.write_text(html.read_text().replace("</body>", f"{MEASURE}</body>"))
    frame = html.with_name(f"frame{width}.html")
    frame.write_text(
        f'<iframe src="measured.html" style="width: {width}px; height: 900px; border: 0"></iframe>'
        "<script>onload = () => document.body.setAttribute('data-found', "
        "document.querySelector('iframe').contentDocument.body.dataset.measured)</script>"
    )
    dumped = browse("--allow-file-access-from-files", "--window-size=1400,1000", "--dump-dom", frame.as_uri())
    found = re.search(r'data-found="([^"]*)"', dumped)
    assert found is not None, dumped[-500:]
    answer: dict[str, Any] = json.loads(unescape(found[1]))
    assert answer["width"] == width
    return answer


@pytest.fixture(params=["quick", "awkward", "searched"])
def html(
    write_page: Any,
    request: Any,
    tmp_path: Path,
    quick: Ranked,
    awkward: Callable[..., Ranked],
    searched: Callable[..., Any],
    make_comparison: Any,
) -> Path:
    """A page as the quickstart writes it, one that is hard to lay out, and one of several searches and splits."""
    if request.param == "searched":
        content = searched(vary=("seed", "split", "search"), test_train_ratio=1 / 3)
    else:
        content = (*(quick if request.param == "quick" else awkward()), make_comparison())
    write_page(tmp_path, *content)
    return tmp_path / "report.html"


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window_and_no_label_lies_on_another(html: Path, width: int) -> None:
    found = measure(html, width)
    assert found["page"] <= width
    assert found["wide"] == []
    assert found["labels"] > 100  # of nine figures
    assert found["overlaps"] == []


def test_the_measure_finds_what_is_wrong(html: Path) -> None:
    """Saboteur: a box wider than the window, and a figure with overlapping labels."""
    wrong = (
        '<div style="width: 2000px">wide</div><svg width="99" height="99">'
        '<g id="bad-text_1"><rect width="9" height="9"/></g><g id="bad-text_2"><rect width="9" height="9"/></g></svg>'
    )
    html.write_text(html.read_text().replace("</main>", f"{wrong}</main>"))
    found = measure(html, 390)
    assert found["page"] > 390
    assert found["wide"] == ["DIV"]
    assert found["overlaps"] == [["bad-text_1", "bad-text_2"]]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_screenshot_shows_something(html: Path, width: int) -> None:
    picture = html.with_name("shot.png")
    browse(f"--window-size={width},2400", f"--screenshot={picture}", html.as_uri())
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert picture.stat().st_size > 50_000  # an empty page of this size has 10 kB


def test_it_prints(html: Path) -> None:
    printed = html.with_name("report.pdf")
    browse("--no-pdf-header-footer", f"--print-to-pdf={printed}", html.as_uri())
    pages = re.findall(rb"/Type\s*/Page\b", printed.read_bytes())
    assert 3 <= len(pages) <= 25
