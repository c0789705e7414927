"""The seal of a page or a figure: any change breaks it."""

from __future__ import annotations

import pytest

from regzoo.report.seal import add_seal, has_seal


@pytest.mark.parametrize("text", ["", "<p>text</p>", "<p>ü</p>\n"])
def test_a_sealed_text_is_known_until_one_byte_changes(text: str) -> None:
    sealed = add_seal(text, "report").encode()
    assert sealed.startswith(text.encode())
    assert has_seal(sealed, "report")
    assert not has_seal(sealed, "figure")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert not has_seal(bytes(changed), "report"), place
        assert not has_seal(sealed[:place], "report")
    assert not has_seal(sealed + b" ", "report")
    assert not has_seal(text.encode() + b"mine", "report")
