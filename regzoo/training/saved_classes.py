"""Every class that a saved Keras file of regzoo may name. Importing it lets `keras.models.load_model` find them."""

from regzoo.regularizers._monte_carlo import MonteCarlo
from regzoo.training.attach.attach import AttachedModel
from regzoo.training.model.build import RegularizedModel
from regzoo.training.optimizers import FusedAdam, FusedRMSprop, FusedSGD

__all__ = ["AttachedModel", "FusedAdam", "FusedRMSprop", "FusedSGD", "MonteCarlo", "RegularizedModel"]
