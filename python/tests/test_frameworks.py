"""PyTorch, Lightning and Keras as they are; each test is skipped where its package or the program is missing."""

import importlib.util
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))
os.environ.setdefault("KERAS_BACKEND", "torch")
import wellfit


def has(package):
    return importlib.util.find_spec(package) is not None


def found():
    try:
        return wellfit.find_binary()
    except wellfit.BinaryNotFound:
        return None


EPOCHS = 12
CLASSES = 4


def blobs(images, seed):
    """Points around the corners of a square, and a few labels that are wrong, so that a network can overfit."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (images,), generator=generator)
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    points = corners[labels] + 0.35 * torch.randn(images, 2, generator=generator)
    noise = torch.randn(images, 20, generator=generator)
    return torch.cat([points, noise], 1), labels


def network():
    import torch

    return torch.nn.Sequential(torch.nn.Linear(22, 64), torch.nn.ReLU(), torch.nn.Linear(64, CLASSES))


def rows(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


class Frameworks(unittest.TestCase):
    def setUp(self):
        self._dir = tempfile.TemporaryDirectory()
        self.addCleanup(self._dir.cleanup)
        self.path = os.path.join(self._dir.name, "log.jsonl")

    def check(self, n_val, with_norm=True):
        written = rows(self.path)
        self.assertEqual([row["epoch"] for row in written], list(range(1, EPOCHS + 1)))
        names = {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"} | ({"grad_norm"} if with_norm else set())
        for row in written:
            self.assertEqual(set(row), names | {"epoch", "n_val", "classes"})
            self.assertEqual((row["n_val"], row["classes"]), (n_val, CLASSES))
        self.assertLess(written[-1]["train_loss"], written[0]["train_loss"])
        if found():
            diagnosis = wellfit.diagnose(self.path)
            self.assertEqual(diagnosis["epochs"], EPOCHS)
            self.assertTrue(diagnosis["findings"])
            # A wide network knows 60 noisy points by heart.
            names = {finding["name"] for finding in diagnosis["findings"]}
            self.assertTrue(names & {"overfitting", "overconfident", "generalization-gap"}, names)
            return diagnosis
        return None

    @unittest.skipUnless(has("torch"), "needs torch")
    def test_plain_loop(self):
        import torch

        torch.manual_seed(0)
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        train, val = blobs(60, 1), blobs(200, 2)
        criterion = torch.nn.CrossEntropyLoss()
        expected = []
        with wellfit.Loop(self.path, model=model, optimizer=optimizer) as loop:
            for _ in range(EPOCHS):
                losses = []
                for begin in range(0, 60, 16):
                    images, labels = train[0][begin : begin + 16], train[1][begin : begin + 16]
                    logits = model(images)
                    loss = criterion(logits, labels)
                    optimizer.zero_grad()
                    loss.backward()
                    loop.train_step(loss, logits, labels)
                    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
                    losses.append((loss.item(), norm.item(), len(labels)))
                    optimizer.step()
                with torch.no_grad():
                    logits = model(val[0])
                    loop.val_step(criterion(logits, val[1]), logits, val[1])
                loop.end_epoch()
                mean = sum(loss * images for loss, _, images in losses) / 60
                expected.append((mean, sum(norm for _, norm, _ in losses) / len(losses)))
        for row, (loss, norm) in zip(rows(self.path), expected):
            # Sums of a few float32 values.
            self.assertAlmostEqual(row["train_loss"], loss, delta=1e-5)
            self.assertAlmostEqual(row["grad_norm"], norm, delta=1e-4 * max(1, norm))
        self.check(200)

    @unittest.skipUnless(has("lightning") or has("pytorch_lightning"), "needs lightning")
    def test_lightning(self):
        import torch

        try:
            import lightning.pytorch as pl
        except ImportError:
            import pytorch_lightning as pl
        from wellfit.lightning import WellfitCallback

        class Module(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.network = network()

            def shared(self, batch, phase):
                logits = self.network(batch[0])
                loss = torch.nn.functional.cross_entropy(logits, batch[1])
                accuracy = (logits.argmax(1) == batch[1]).float().mean()
                self.log_dict({f"{phase}_loss": loss, f"{phase}_acc": accuracy}, on_epoch=True, on_step=phase == "train")
                return loss

            def training_step(self, batch, _):
                return self.shared(batch, "train")

            def validation_step(self, batch, _):
                self.shared(batch, "val")

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

        torch.manual_seed(0)
        loaders = [
            torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*blobs(*of)), batch_size=16) for of in ((60, 1), (200, 2))
        ]
        callback = WellfitCallback(self.path, classes=CLASSES)
        trainer = pl.Trainer(
            max_epochs=EPOCHS, callbacks=[callback], logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, accelerator="cpu", default_root_dir=self._dir.name, log_every_n_steps=1,
            gradient_clip_val=0.01,
        )
        trainer.fit(Module(), *loaders)
        written = rows(self.path)
        self.assertEqual(len(written), EPOCHS)
        self.assertGreater(max(row["grad_norm"] for row in written), 0.05, "before it is clipped to 0.01")
        self.assertAlmostEqual(written[-1]["val_loss"], float(trainer.callback_metrics["val_loss"]), delta=1e-6)
        self.assertAlmostEqual(written[-1]["train_loss"], float(trainer.callback_metrics["train_loss_epoch"]), delta=1e-6)
        self.assertEqual({row["n_val"] for row in written}, {200})
        if found():
            self.assertEqual(callback.diagnose()["epochs"], EPOCHS)

    @unittest.skipUnless(has("keras"), "needs keras")
    def test_keras(self):
        import keras
        from wellfit.keras import WellfitCallback

        keras.utils.set_random_seed(0)
        train, val = blobs(60, 1), blobs(200, 2)
        model = keras.Sequential([keras.Input((22,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(CLASSES, "softmax")])
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
        callback = WellfitCallback(self.path, n_val=200)
        arrays = [part.numpy() for part in (*train, *val)]
        history = model.fit(
            arrays[0], arrays[1], 16, EPOCHS, verbose=0, validation_data=(arrays[2], arrays[3]), callbacks=[callback]
        )
        for row, loss in zip(rows(self.path), history.history["val_loss"]):
            self.assertEqual(row["val_loss"], loss)
        self.check(200, with_norm=False)


if __name__ == "__main__":
    unittest.main()
