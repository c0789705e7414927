# The one list of public names: lazy_loader reads it at run time, type checkers read it as it stands.

from . import backbones as backbones
from . import regularizers as regularizers
from .api import build as build
from .api import compare as compare
from .api import sweep as sweep
from .core import InputError as InputError
from .core import Recipe as Recipe
from .core import parse as parse
from .core import register as register
from .export.predict import predict as predict
from .report.critical_difference import critical_difference_diagram as critical_difference_diagram
from .result import Result as Result
from .result import SweepResult as SweepResult
from .search.hypermodel import hypermodel as hypermodel
from .stats.rank import Ranking as Ranking
from .stats.rank import rank as rank
from .testing import check_regularizer as check_regularizer
from .training.attach.attach import attach as attach
from .training.model.build import RegularizedModel as RegularizedModel

__version__: str
