"""Custom classes and functions of the user's own model: whether worker processes can import them."""

from __future__ import annotations

import sys
from pathlib import Path

from regzoo.core import InputError
from regzoo.training.setup import TrainingSetup

_SCRIPT = "__main__"


def needs_script(setup: TrainingSetup) -> bool:
    """Return True if workers must import the user's script, which defines classes of the user's own model.

    Raises:
        InputError: if there is no script.
    """
    names = [] if setup.model is None else [name for module, name in setup.model.classes if module == _SCRIPT]
    if names and not Path(getattr(sys.modules[_SCRIPT], "__file__", None) or "").is_file():  # it may be "<stdin>"
        raise InputError(
            f"{names[0]} is defined in a notebook or an interactive session, which worker processes cannot import: "
            "move it into a module, or train in this process with workers=0"
        )
    return bool(names)


def may_lack_classes(setup: TrainingSetup) -> bool:
    """Return True if a worker may lack a custom class of the model, though this process has it.

    That is what is registered but stands inside a function, or in the part of the script that a worker does not run.
    """
    if setup.model is None or setup.model.source is not None:  # which holds them
        return False
    return any(module == _SCRIPT or not hasattr(sys.modules.get(module), name) for module, name in setup.model.classes)
