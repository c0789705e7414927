"""Most tests of this folder combine regularizers and models without regard to what goes well together."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore warnings of clashes in this folder; `test_clashes.py` asks for them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::regzoo.core.errors.ClashWarning"))
