"""The figures of a plain training loop."""

from wellfit.log import Log


def gradient_norm(parameters):
    """The Euclidean norm of all gradients together, of a module or of its parameters, as a tensor; None without gradients."""
    parameters = parameters.parameters() if hasattr(parameters, "parameters") else parameters
    squares = [(p.grad.detach() ** 2).sum() for p in parameters if p.grad is not None]
    return sum(squares) ** 0.5 if squares else None


class _Mean:
    """A mean over images. Sums stay where they are computed (on a GPU, say), so that no step waits for them."""

    def __init__(self):
        self.sum, self.images = 0.0, 0

    def add(self, mean, images):
        mean = mean.detach() if hasattr(mean, "detach") else mean
        self.sum, self.images = self.sum + mean * images, self.images + images

    def value(self):
        return float(self.sum) / self.images if self.images else None


class Loop:
    """Gathers what a plain training loop computes anyway, and writes a row an epoch.

        loop = wellfit.Loop("log.jsonl", model=model, optimizer=optimizer)
        for epoch in range(epochs):
            for images, labels in train:
                logits = model(images)
                loss = criterion(logits, labels)
                optimizer.zero_grad()
                loss.backward()
                loop.train_step(loss, logits, labels)      # after backward, before clipping and step
                optimizer.step()
            for images, labels in val:
                logits = model(images)
                loop.val_step(criterion(logits, labels), logits, labels)
            loop.end_epoch()

    `loss` is the mean of the batch, as from `torch.nn.CrossEntropyLoss()`; `logits` are `[N, classes]`, `labels` `[N]` of whole
    numbers. With `model` the norm of the gradients is recorded, with `optimizer` the learning rate of its first group, as it was
    at the first step of the epoch. The images that validate and the classes are counted.
    """

    def __init__(self, path, *, model=None, optimizer=None, n_val=None, classes=None, append=False, overwrite=False):
        self.log = Log(path, n_val=n_val, classes=classes, append=append, overwrite=overwrite)
        self._model, self._optimizer = model, optimizer
        self._begin()

    def _begin(self):
        self._means = {name: _Mean() for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "grad_norm")}
        self._lr = None

    def train_step(self, loss, logits=None, labels=None):
        """Take in a training step: after `backward()`, before gradients are clipped and the optimiser steps."""
        self._add("train", loss, logits, labels)
        if self._lr is None and self._optimizer is not None:
            self._lr = float(self._optimizer.param_groups[0]["lr"])
        norm = None if self._model is None else gradient_norm(self._model)
        if norm is not None:
            self._means["grad_norm"].add(norm, 1)

    def val_step(self, loss, logits=None, labels=None):
        """Take in a batch of validation."""
        self._add("val", loss, logits, labels)

    def _add(self, phase, loss, logits, labels):
        images = len(labels) if labels is not None else (len(logits) if logits is not None else 1)
        self._means[f"{phase}_loss"].add(loss, images)
        if logits is not None and labels is not None:
            right = (logits.argmax(-1) == labels).sum()
            self._means[f"{phase}_accuracy"].add(right / images, images)
            if self.log.classes is None:
                self.log.classes = int(logits.shape[-1])

    def end_epoch(self, epoch=None, **figures):
        """Write the row of the epoch, with further figures by the names of `wellfit.SERIES`, and begin the next one."""
        found = {name: mean.value() for name, mean in self._means.items()}
        if self.log.n_val is None and self._means["val_accuracy"].images:
            self.log.n_val = self._means["val_accuracy"].images
        self.log.epoch(epoch, **{"lr": self._lr, **found, **figures})
        self._begin()

    def diagnose(self, **options):
        """What `wellfit diagnose` says of the epochs so far; options as of `wellfit.diagnose`."""
        return self.log.diagnose(**options)

    def close(self):
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
