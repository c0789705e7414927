"""Compare regularizers on your Keras model: which helps, how strong it should be, and how certain that is.

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so ``import regzoo`` imports
neither TensorFlow nor NumPy. It is enough for `keras.models.load_model` to read the models that regzoo saved.
"""

from lazy_loader import attach_stub

from regzoo.training.stand_ins import register_stand_ins

__version__ = "0.1.0"

_import_public, __dir__, __all__ = attach_stub(__name__, __file__)


register_stand_ins()


def __getattr__(name: str) -> object:
    """Import a public name on its first use; Python adds its own "Did you mean" to the error."""
    if name not in __all__:
        raise AttributeError(f"module 'regzoo' has no attribute {name!r}; dir(regzoo) lists what it has")
    return _import_public(name)
