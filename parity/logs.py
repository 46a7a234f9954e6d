"""One training's numbers as eight tools log them: what `wellfit diagnose` reads.

    python parity/logs.py

writes crates/diagnose/tests/fixtures/logs: `numbers.json` with the numbers, and a file or folder for each tool, written by
the tool itself from them. It needs the packages of requirements.txt and

    pip install fastai==2.8.12 ultralytics==8.4.190 timm==1.0.31 transformers==5.24.0 tensorboard==2.21.0

Event files hold times and host names, so they differ from one making to the next; the numbers in them do not. Weights & Biases exports CSV on its site only: `wandb-*.csv` are in the form of such exports.
"""

import csv
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

FOLDER = Path(__file__).parent.parent / "crates/diagnose/tests/fixtures/logs"
EPOCHS = 14
N = 2000


def numbers():
    """Overfitting from epoch 5 on at a constant rate: a smooth curve with a little noise, in ten-thousandths."""
    noise = [3, -5, 8, -2, 6, -7, 1, 4, -6, 2, 7, -3, 5, -1]
    rows = []
    for epoch in range(1, EPOCHS + 1):
        train = 0.05 + 1.6 * 0.72**epoch
        val = 0.55 + 1.2 * 0.5**epoch + 0.045 * max(0, epoch - 5)
        accuracy = 0.78 - 0.3 * 0.5**epoch - 0.006 * max(0, epoch - 5)
        rows.append(
            {
                "epoch": epoch,
                "train_loss": round(train, 4),
                "val_loss": round(val + noise[epoch - 1] / 1000, 4),
                "train_accuracy": round(0.99 - 0.45 * 0.7**epoch, 4),
                "val_accuracy": round(accuracy, 4),
                "lr": 0.001,
            }
        )
    return rows


def lightning(rows):
    import lightning.pytorch as pl
    import torch
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    class Model(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def row(self):
            return rows[self.current_epoch]

        def training_step(self, batch, index):
            self.log("train_loss", self.row()["train_loss"], on_step=False, on_epoch=True)
            self.log("train_acc", self.row()["train_accuracy"], on_step=False, on_epoch=True)
            return self.layer(batch[0]).mean()

        def validation_step(self, batch, index):
            self.log("val_loss", self.row()["val_loss"])
            self.log("val_acc", self.row()["val_accuracy"])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=rows[0]["lr"])

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)), batch_size=2)
    with tempfile.TemporaryDirectory() as folder:
        loggers = [CSVLogger(folder, "csv"), TensorBoardLogger(folder, "tb")]
        monitor = pl.callbacks.LearningRateMonitor(logging_interval="epoch")
        trainer = pl.Trainer(
            max_epochs=EPOCHS, logger=loggers, callbacks=[monitor], num_sanity_val_steps=0, log_every_n_steps=1,
            accelerator="cpu", enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(Model(), data, data)
        shutil.copy(next(Path(folder).glob("csv/**/metrics.csv")), FOLDER / "lightning-metrics.csv")
        events(next(Path(folder).glob("tb/**/events*")).parent, "lightning-tensorboard")


def events(source, name):
    """The event files below a folder, without the time and host in their names."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    for file in sorted(source.glob("**/events*")):
        target = FOLDER / name / file.parent.relative_to(source)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / "events.out.tfevents.1")


def keras(rows):
    import keras

    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    logger = keras.callbacks.CSVLogger(FOLDER / "keras-training.log")
    logger.set_model(model)
    logger.on_train_begin()
    for row in rows:
        logs = {"accuracy": row["train_accuracy"], "loss": row["train_loss"]}
        logs |= {"val_accuracy": row["val_accuracy"], "val_loss": row["val_loss"], "learning_rate": row["lr"]}
        logger.on_epoch_end(row["epoch"] - 1, logs)
    logger.on_train_end()


def tensorboard(rows):
    """torch's writer; and tensors with the plugin `scalars` in two folders, as Keras' callback writes them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from torch.utils.tensorboard import SummaryWriter

    with tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder)
        for row in rows:
            writer.add_scalar("Loss/train", row["train_loss"], row["epoch"])
            writer.add_scalar("Loss/val", row["val_loss"], row["epoch"])
            writer.add_scalar("Accuracy/train", row["train_accuracy"], row["epoch"])
            writer.add_scalar("Accuracy/val", row["val_accuracy"], row["epoch"])
            writer.add_scalar("lr", row["lr"], row["epoch"])
        writer.close()
        events(Path(folder), "torch-tensorboard")
    with tempfile.TemporaryDirectory() as folder:
        parts = {"train": ("train_loss", "train_accuracy"), "validation": ("val_loss", "val_accuracy")}
        for part, (loss, accuracy) in parts.items():
            writer = EventFileWriter(str(Path(folder) / part))
            for row in rows:
                tags = {"epoch_loss": row[loss], "epoch_accuracy": row[accuracy]}
                if part == "train":
                    tags["epoch_learning_rate"] = row["lr"]
                for tag, value in tags.items():
                    summary = scalar_pb(tag, value)
                    writer.add_event(Event(wall_time=time.time(), step=row["epoch"] - 1, summary=summary))
            writer.close()
        events(Path(folder), "keras-tensorboard")


def fastai(rows):
    import torch
    from fastai.callback.progress import CSVLogger
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner

    # Enough batches that fastai's running mean forgets the epoch before.
    data = torch.utils.data.TensorDataset(torch.ones(800, 1), torch.ones(800, 1))
    loaders = DataLoaders(
        torch.utils.data.DataLoader(data, batch_size=2), torch.utils.data.DataLoader(data, batch_size=400)
    )
    learner = None

    def loss(predicted, target):
        row = rows[learner.epoch if learner is not None else 0]
        return predicted.mean() * 0 + row["train_loss" if learner.training else "val_loss"]

    def accuracy(predicted, target):
        return torch.tensor(rows[learner.epoch]["val_accuracy"])

    with tempfile.TemporaryDirectory() as folder:
        learner = Learner(loaders, torch.nn.Linear(1, 1), loss_func=loss, metrics=[accuracy], path=Path(folder))
        with learner.no_bar():
            learner.fit(EPOCHS, lr=rows[0]["lr"], cbs=[CSVLogger()])
        shutil.copy(Path(folder) / "history.csv", FOLDER / "fastai-history.csv")


def ultralytics(rows):
    from ultralytics.engine.trainer import BaseTrainer

    file = FOLDER / "ultralytics-results.csv"
    file.unlink(missing_ok=True)
    trainer = SimpleNamespace(csv=file, train_time_start=time.time())
    for row in rows:
        trainer.epoch = row["epoch"] - 1
        metrics = {"train/loss": row["train_loss"], "metrics/accuracy_top1": row["val_accuracy"]}
        metrics |= {"metrics/accuracy_top5": 1.0, "val/loss": row["val_loss"]}
        metrics |= {f"lr/pg{group}": row["lr"] for group in range(3)}
        BaseTrainer.save_metrics(trainer, metrics)
    # As versions before 8.3 wrote it: padded to so many places.
    with open(file) as read, open(FOLDER / "ultralytics-padded.csv", "w") as write:
        for line in csv.reader(read):
            write.write(",".join(f"{cell:>23}" for cell in line) + "\n")


def timm(rows):
    from timm.utils import update_summary

    file = FOLDER / "timm-summary.csv"
    file.unlink(missing_ok=True)
    for row in rows:
        train = {"loss": row["train_loss"]}
        evaluated = {"loss": row["val_loss"], "top1": 100 * row["val_accuracy"], "top5": 100.0}
        update_summary(row["epoch"] - 1, train, evaluated, file, lr=row["lr"], write_header=row["epoch"] == 1)


def huggingface(rows):
    from transformers import TrainerState

    history = []
    for row in rows:
        step = 20 * row["epoch"]
        for part in (0.5, 1.0):
            logs = {"loss": row["train_loss"], "grad_norm": 1.0, "learning_rate": row["lr"]}
            history.append(logs | {"epoch": row["epoch"] - 1 + part, "step": int(step - 20 + 20 * part)})
        logs = {"eval_accuracy": row["val_accuracy"], "eval_loss": row["val_loss"], "eval_runtime": 1.0}
        history.append(logs | {"epoch": float(row["epoch"]), "step": step})
    history.append({"epoch": float(EPOCHS), "step": 20 * EPOCHS, "total_flos": 0.0, "train_loss": 0.5, "train_runtime": 9.0})
    state = TrainerState(epoch=float(EPOCHS), global_step=20 * EPOCHS, num_train_epochs=EPOCHS, log_history=history)
    state.save_to_json(str(FOLDER / "huggingface-trainer_state.json"))


def wandb(rows):
    with open(FOLDER / "wandb-history.csv", "w", newline="") as file:
        names = ["_step", "_runtime", "_timestamp", "epoch", "train/loss", "train/acc", "val/loss", "val/acc", "lr"]
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in rows:
            train = {"train/loss": row["train_loss"], "train/acc": row["train_accuracy"], "lr": row["lr"]}
            val = {"val/loss": row["val_loss"], "val/acc": row["val_accuracy"]}
            for step, values in enumerate((train, val)):
                place = {"_step": 2 * row["epoch"] + step, "_runtime": row["epoch"], "epoch": row["epoch"] - 1}
                writer.writerow(place | values)
    with open(FOLDER / "wandb-chart.csv", "w", newline="") as file:
        names = [f"resnet18-1 - {name}" for name in ("train_loss", "val_loss", "val_accuracy")]
        columns = [column for name in names for column in (name, f"{name}__MIN", f"{name}__MAX")]
        writer = csv.DictWriter(file, ["Step", *columns], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for row in rows:
            values = {column: row[name.split(" - ")[1]] for name in names for column in (name, f"{name}__MIN", f"{name}__MAX")}
            writer.writerow({"Step": row["epoch"] - 1} | values)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = numbers()
    lines = ",\n".join(json.dumps(row) for row in made)
    (FOLDER / "numbers.json").write_text(f"[\n{lines}\n]\n")
    for tool in (lightning, keras, tensorboard, fastai, ultralytics, timm, huggingface, wandb):
        tool(made)
        print(tool.__name__)
