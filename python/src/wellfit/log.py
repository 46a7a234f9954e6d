"""The log: a JSON object a line, a line an epoch, with the names that `wellfit diagnose` knows."""

import json
import os

#: The figures of an epoch. Losses are means in nats; accuracies are shares from 0 to 1.
SERIES = (
    "train_loss",  # of the training images, while they are trained on
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_eval_loss",  # of training images as in validation: evaluation mode, no augmentation
    "train_eval_accuracy",
    "lr",
    "alpha",  # how far a step goes (cockpit, Schneider et al. 2021)
    "grad_norm",  # before it is clipped, the mean over the steps
    "clipped_share",  # of the steps
    "first_layer_gradient",
    "last_layer_gradient",
    "dead_units",  # the share of units that are 0 for every image, in the layer with the most
    "val_loss_reestimated",  # with BatchNorm's statistics estimated anew
    "data_wait_share",  # of the training time
)


class Log:
    """A log file at `path`, which must be new unless `append` (a training that goes on) or `overwrite` is true.

    `n_val` and `classes` (images that validate, and classes) let `wellfit diagnose` tell chance from effect; each row has
    them. Each row is written at once, so a training that is killed leaves the rows of its finished epochs.

        with wellfit.Log("log.jsonl", n_val=5000, classes=10) as log:
            for epoch in range(epochs):
                ...
                log.epoch(train_loss=u, val_loss=v, val_accuracy=accuracy, lr=lr)
        for finding in log.diagnose()["findings"]:
            print(finding["name"], finding["sentence"])
    """

    def __init__(self, path, *, n_val=None, classes=None, append=False, overwrite=False):
        self.path = os.fspath(path)
        self.n_val = n_val
        self.classes = classes
        there = os.path.exists(self.path) and os.path.getsize(self.path) > 0
        if there and not (append or overwrite):
            raise FileExistsError(f"{self.path} exists: pass append=True to go on with it, or overwrite=True")
        self._last = last_epoch(self.path) if append and there else 0
        if append and there:
            _cut_torn_line(self.path)
        self._file = open(self.path, "a" if append else "w", encoding="utf-8")

    def epoch(self, epoch=None, **figures):
        """Write the figures of an epoch: numbers, or tensors with one element, by the names of `SERIES`.

        Epochs count from 1; without `epoch` the row is the next one's. `None` means that a figure was not measured.
        """
        for name in figures:
            if name not in SERIES:
                raise ValueError(f"there is no series {name!r}; known are {', '.join(SERIES)}")
        row = {"epoch": self._last + 1 if epoch is None else int(epoch)}
        row.update((name, float(value)) for name, value in figures.items() if value is not None)
        if len(row) == 1:
            raise ValueError(f"epoch {row['epoch']} has no figures")
        known = {"n_val": self.n_val, "classes": self.classes}
        row.update((name, int(value)) for name, value in known.items() if value is not None)
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        self._last = row["epoch"]

    def diagnose(self, **options):
        """What `wellfit diagnose` says of the log so far; options as of `wellfit.diagnose`."""
        from wellfit.binary import diagnose

        return diagnose(self.path, **options)

    def close(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def rows(path):
    """The rows of a log; a last line that a killed process left half-written is passed over."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}: line {number} is no row of a log: {error}") from None
    return found


def last_epoch(path):
    """The number of the last epoch in a log; 0 in an empty one."""
    return max((int(row.get("epoch", 0)) for row in rows(path)), default=0)


def _cut_torn_line(path):
    """Take away a last line that was never finished, so that the next row has a line of its own."""
    with open(path, "rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
