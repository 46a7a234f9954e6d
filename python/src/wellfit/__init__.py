"""Record a training without leaving PyTorch or Keras, and ask `wellfit diagnose` what its curves say.

* `Log` writes a row an epoch.
* `Loop` gathers the figures of a plain training loop and writes them to a `Log`.
* `wellfit.lightning.WellfitCallback` and `wellfit.keras.WellfitCallback` do so for these trainers.
* `diagnose` returns the findings of a log, or of any other that the program reads.

Nothing here depends on another package; PyTorch, Lightning and Keras are imported only by the modules for them.
"""

from wellfit.binary import BinaryNotFound, WellfitError, diagnose, find_binary
from wellfit.log import SERIES, Log
from wellfit.loop import Loop, gradient_norm

__all__ = ["SERIES", "BinaryNotFound", "Log", "Loop", "WellfitError", "diagnose", "find_binary", "gradient_norm"]
__version__ = "0.1.0"
