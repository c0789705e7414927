"""HTML and Markdown show the characters of a text, whatever they would mean there."""

from __future__ import annotations

from regzoo.report import markup


def test_html_escapes_prose_and_code() -> None:
    assert markup.to_html("<i> & `<script>`") == "&lt;i&gt; &amp; <code>&lt;script&gt;</code>"


def test_a_lone_backquote_is_a_backquote() -> None:
    assert markup.to_html("a ` b") == "a ` b"


def test_markdown_keeps_its_characters() -> None:
    assert markup.to_markdown("# a *b* [c](d)") == r"\# a \*b\* \[c\](d)"
    assert markup.to_markdown("1. no list") == r"1\. no list"


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert markup.choose_fence("plain") == "```"
    assert markup.choose_fence("a ```` b") == "`````"


def test_a_share_and_an_interval_stay_together() -> None:
    space = "\N{NO-BREAK SPACE}"
    assert markup.to_html("in 72 % of `a %`") == f"in 72{space}% of <code>a %</code>"
    assert markup.cell_to_html("0.1 to 0.2 <") == f"0.1 to{space}0.2 &lt;"


def test_a_long_title_may_break() -> None:
    assert markup.heading_to_html("a_b<c") == "a_<wbr>b&lt;c"
