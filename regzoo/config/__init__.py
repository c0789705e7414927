"""Configs: YAML or keywords become a frozen `Experiment`; every error names file, line, column and key."""

from regzoo.config.experiment import Experiment
from regzoo.config.reader import from_keywords, load_config, read_config
from regzoo.config.sections import DataConfig, SearchConfig, SplitConfig
from regzoo.config.training import TrainingConfig
from regzoo.core.errors import ConfigError

__all__ = [
    "ConfigError",
    "DataConfig",
    "Experiment",
    "SearchConfig",
    "SplitConfig",
    "TrainingConfig",
    "from_keywords",
    "load_config",
    "read_config",
]
