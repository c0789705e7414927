"""Find out which regularizer helps, how strong it should be and how sure that is; get the Keras model, ready to serve.

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so ``import regzoo`` imports
neither TensorFlow nor NumPy.
"""

from lazy_loader import attach_stub

__version__ = "0.1.0"

_import_public, __dir__, __all__ = attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Import a public name on its first use; Python adds its own "Did you mean" to the error."""
    if name not in __all__:
        raise AttributeError(f"module 'regzoo' has no attribute {name!r}; dir(regzoo) lists what it has")
    return _import_public(name)
