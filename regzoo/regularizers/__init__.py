"""The regularizers, one a file. The folder is the registry: a file's name is the name in a recipe.

``regzoo.regularizers.Dropout`` is the class in ``dropout.py``, imported when first used.
"""

from regzoo.core.registry import attach_classes, regularizers

__getattr__, __dir__ = attach_classes(__name__, regularizers)
