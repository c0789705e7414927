"""Config: YAML or keywords -> Experiment (frozen); every error names file, line and key."""

from regzoo.config.experiment import AUTO, Data, Experiment, Search, Split, Training, from_keywords, load, read
from regzoo.config.yaml_source import ConfigError

__all__ = [
    "AUTO",
    "ConfigError",
    "Data",
    "Experiment",
    "Search",
    "Split",
    "Training",
    "from_keywords",
    "load",
    "read",
]
