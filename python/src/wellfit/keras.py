"""A callback for Keras.

    from wellfit.keras import WellfitCallback
    callback = WellfitCallback("log.jsonl", n_val=len(x_val))
    model.fit(x, y, validation_data=(x_val, y_val), callbacks=[callback])
    print(callback.diagnose()["findings"])
"""

from keras.callbacks import Callback

from wellfit.log import Log


class WellfitCallback(Callback):
    """Writes a row an epoch: losses, the first metric that is an accuracy, and the learning rate.

    `n_val` is the number of images that validate, which Keras does not tell callbacks; the classes are the outputs of the
    model.
    """

    def __init__(self, path, *, n_val=None, classes=None, append=False, overwrite=False):
        super().__init__()
        self._options = {"n_val": n_val, "classes": classes, "append": append, "overwrite": overwrite}
        self.path, self._log, self._lr = path, None, None

    def on_train_begin(self, logs=None):
        if self._log is None:
            self._log = Log(self.path, **self._options)

    def on_epoch_begin(self, epoch, logs=None):
        rate = getattr(self.model.optimizer, "learning_rate", None)
        self._lr = None if rate is None else float(rate)

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        if self._log.classes is None:
            shape = getattr(self.model, "output_shape", None)
            outputs = shape[-1] if isinstance(shape, tuple) and shape and isinstance(shape[-1], int) else None
            # One output is a sigmoid's, of two classes.
            self._log.classes = 2 if outputs == 1 else outputs
        accuracies = [name for name in logs if not name.startswith("val_") and ("accuracy" in name or name == "acc")]
        accuracies = [name for name in accuracies if "top_k" not in name]
        accuracy = accuracies[0] if accuracies else "accuracy"
        self._log.epoch(
            epoch + 1,
            train_loss=logs.get("loss"),
            val_loss=logs.get("val_loss"),
            train_accuracy=logs.get(accuracy),
            val_accuracy=logs.get(f"val_{accuracy}"),
            lr=self._lr,
        )

    def on_train_end(self, logs=None):
        self._log.close()

    def diagnose(self, **options):
        """What `wellfit diagnose` says of the epochs so far; options as of `wellfit.diagnose`."""
        from wellfit.binary import diagnose

        return diagnose(self.path, **options)
