"""Config: YAML or keywords -> Experiment (frozen); every error names file, line and key."""

from regzoo.config.experiment import (
    AUTO,
    DataConfig,
    Experiment,
    SearchConfig,
    SplitConfig,
    TrainingConfig,
    from_keywords,
    load_config,
    read_config,
)
from regzoo.core.errors import ConfigError

__all__ = [
    "AUTO",
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
