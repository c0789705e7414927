"""The backbones, one a file. The folder is the registry: a file's name is the name in a config.

``regzoo.backbones.Mlp`` is the class in ``mlp.py``, imported when first used.
"""

from regzoo.core.registry import attach_classes, backbones

__getattr__, __dir__ = attach_classes(__name__, backbones)
