"""A callback for Lightning (`lightning` or `pytorch_lightning`).

    from wellfit.lightning import WellfitCallback
    callback = WellfitCallback("log.jsonl", classes=10)
    trainer = lightning.Trainer(callbacks=[callback])
    trainer.fit(model, train, val)
    print(callback.diagnose()["findings"])
"""

from wellfit.log import Log
from wellfit.loop import _Mean, gradient_norm

try:
    from lightning.pytorch.callbacks import Callback
except ImportError:
    from pytorch_lightning.callbacks import Callback

#: The names under which models log these figures; the first that was logged counts.
NAMES = {
    "train_loss": ("train_loss_epoch", "train_loss", "train/loss", "loss_epoch"),
    "train_accuracy": ("train_accuracy_epoch", "train_accuracy", "train_acc_epoch", "train_acc", "train/accuracy", "train/acc"),
    "val_loss": ("val_loss_epoch", "val_loss", "val/loss", "valid_loss"),
    "val_accuracy": ("val_accuracy", "val_acc", "val/accuracy", "val/acc", "valid_acc"),
}


class WellfitCallback(Callback):
    """Writes a row an epoch: what the model logs (`names` says under which names, by series), the mean training loss where it
    logs none, the norm of the gradients before they are clipped, and the learning rate of the first group."""

    def __init__(self, path, *, n_val=None, classes=None, names=None, append=False, overwrite=False):
        super().__init__()
        self._options = {"n_val": n_val, "classes": classes, "append": append, "overwrite": overwrite}
        self._names = {**NAMES, **{series: (name,) for series, name in dict(names or {}).items()}}
        self.path, self._log = path, None

    def on_fit_start(self, trainer, pl_module):
        if trainer.is_global_zero and self._log is None:
            self._log = Log(self.path, **self._options)

    def on_train_epoch_start(self, trainer, pl_module):
        self._loss, self._norm = _Mean(), _Mean()
        groups = trainer.optimizers[0].param_groups if trainer.optimizers else []
        self._lr = float(groups[0]["lr"]) if groups else None

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        norm = gradient_norm(pl_module)
        if norm is not None:
            self._norm.add(norm, 1)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            self._loss.add(loss, 1)

    def on_train_epoch_end(self, trainer, pl_module):
        # Validation of an epoch comes before its end.
        if self._log is None:
            return
        if self._log.n_val is None:
            self._log.n_val = _images(trainer.val_dataloaders)
        figures = {series: _logged(trainer.callback_metrics, names) for series, names in self._names.items()}
        if figures["train_loss"] is None:
            figures["train_loss"] = self._loss.value()
        self._log.epoch(trainer.current_epoch + 1, lr=self._lr, grad_norm=self._norm.value(), **figures)

    def on_fit_end(self, trainer, pl_module):
        if self._log is not None:
            self._log.close()

    def diagnose(self, **options):
        """What `wellfit diagnose` says of the epochs so far; options as of `wellfit.diagnose`."""
        from wellfit.binary import diagnose

        return diagnose(self.path, **options)


def _logged(metrics, names):
    return next((metrics[name] for name in names if name in metrics), None)


def _images(loaders):
    """How many images validate; None where the loader cannot tell."""
    loaders = loaders if isinstance(loaders, (list, tuple)) else [loaders]
    try:
        return sum(len(loader.dataset) for loader in loaders)
    except (AttributeError, TypeError):
        return None
