"""Train and ask image classifiers, and record a training in PyTorch or Keras to ask what its curves say.

* `train` trains a classifier with the program `wellfit`, with progress in notebooks; the `Run` it returns predicts.
* `predict` classifies images with a run's best weights.

* `Log` writes a row an epoch.
* `Loop` gathers the figures of a plain training loop and writes them to a `Log`.
* `wellfit.lightning.WellfitCallback` and `wellfit.keras.WellfitCallback` do so for these trainers.
* `diagnose` returns the findings of a log, or of any other that the program reads.

Nothing here depends on another package; PyTorch, Lightning and Keras are imported only by the modules for them.
"""

from wellfit.binary import BinaryNotFound, WellfitError, diagnose, find_binary
from wellfit.log import SERIES, Log
from wellfit.loop import Loop, gradient_norm
from wellfit.program import Run, predict, train

__all__ = [
    "SERIES",
    "BinaryNotFound",
    "Log",
    "Loop",
    "Run",
    "WellfitError",
    "diagnose",
    "find_binary",
    "gradient_norm",
    "predict",
    "train",
]
__version__ = "0.1.0"
