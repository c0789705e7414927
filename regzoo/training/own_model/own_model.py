"""`OwnModel`: the user's own Keras model, as a comparison keeps it and sends it to workers. No TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from regzoo.core.errors import InputError

Weights = Literal["fresh", "keep"]
"""What a run starts from: weights that the layers' own initializers draw for each run, or the weights of the model."""

KEPT_MODEL = "backbone.keras"
"""Name of the model in a comparison's folder."""

KEPT_SOURCE = "backbone.py"
"""Name of the Python file that the model's function and its custom classes come from, in the same folder."""

SCRIPT = "__main__"
"""Name of the module that a program was started with; Keras leaves it out of configs."""

SCRIPTS = (SCRIPT, "__mp_main__")
"""Both names of that module: in a spawned process it has the second one as well."""

SOURCE_MODULE = "regzoo_backbone_"
"""Beginning of the name of the module that a source makes; its digest follows."""

WEIGHTS: tuple[Weights, ...] = ("fresh", "keep")


@dataclass(frozen=True)
class OwnModel:
    """A Keras model of the user's, serialized.

    Attributes:
        name: the model's name; without the number that Keras adds to names it has made up.
        weights: ``fresh`` or ``keep``.
        digest: equal for models of the same layers, the same ``source``, and where they count the same weights. Names
            that Keras has made up are not part of it: they depend on what else a program has built.
        classes: the custom classes and functions in it, as (module, name).
        parameters: number of its weights, trainable or not.
        compiled: what it was compiled with, the configs of ``optimizer`` and ``loss``, as JSON; None if it was not.
        expand_nested: whether regularizers act on activations inside the models among its layers.
        archive: the ``.keras`` file.
        source: text of the Python file that the model's function and its custom classes come from; None without one.
    """

    name: str
    weights: Weights
    digest: str
    classes: tuple[tuple[str, str], ...]
    parameters: int
    compiled: str | None = field(default=None, compare=False, repr=False)
    expand_nested: bool = False
    archive: bytes = field(default=b"", compare=False, repr=False)
    source: str | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The model in words, in place of a backbone's text."""
        return f"keras_model(name={self.name}, weights={self.weights})"

    @property
    def identity(self) -> str:
        """The digest, and whether regularizers act inside the models among the layers."""
        return f"{self.digest} expand_nested" if self.expand_nested else self.digest

    def get_compiled(self, key: Literal["optimizer", "loss"]) -> Any:
        """Return the config of the optimizer, or of the loss, that the model was compiled with.

        Raises:
            InputError: if it was not compiled with one.
        """
        found = None if self.compiled is None else json.loads(self.compiled).get(key)
        if found is None:
            raise InputError(
                f"the model was not compiled with one of its own: compile it with one, or name the {key} in the config"
            )
        return found

    @property
    def needs_source(self) -> bool:
        """Whether the model cannot be loaded without its source."""
        return any(module.startswith(SOURCE_MODULE) for module, _ in self.classes)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads; the archive and the source are kept apart."""
        return {
            "name": self.name,
            "weights": self.weights,
            "digest": self.digest,
            "classes": [list(each) for each in self.classes],
            "parameters": self.parameters,
            "compiled": self.compiled,
            "expand_nested": self.expand_nested,
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> OwnModel:
        """Read what `to_json` returned."""
        return OwnModel(**{**values, "classes": tuple((module, name) for module, name in values["classes"])})
