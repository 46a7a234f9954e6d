#!/usr/bin/env python3
"""`wellfit lab batchnorm` in PyTorch: MLPs with and without BatchNorm on the same batches of Fashion-MNIST.

    python benches/peers/batchnorm.py FOLDER_OF_GZ_FILES

Two epochs of batches of 512 through torchvision's dataset and torch's loader, SGD with learning rate 0.01, then the
loss curves as a picture and the test accuracy. Prints one line of JSON; the whole process is what is timed.
"""
import gzip
import json
import pathlib
import shutil
import sys
import tempfile
import time

import matplotlib
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

EPOCHS, BATCH, RATE = 2, 512, 0.01


def classifier(norm: bool) -> nn.Sequential:
    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if norm else []), nn.ReLU()]

    return nn.Sequential(nn.Flatten(), *block(784, 48), *block(48, 24), nn.Linear(24, 10))


def unpack(source: pathlib.Path, root: pathlib.Path) -> None:
    """Put the files where torchvision looks for them, as its own download would."""
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in source.glob("*.gz"):
        with gzip.open(packed) as compressed, open(raw / packed.stem, "wb") as plain:
            shutil.copyfileobj(compressed, plain)


@torch.no_grad()
def accuracy(network: nn.Module, loader: DataLoader) -> float:
    network.eval()
    right = sum((network(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return right / len(loader.dataset)


def main() -> None:
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        unpack(pathlib.Path(sys.argv[1]), pathlib.Path(folder))
        parts = [datasets.FashionMNIST(folder, train=train, transform=transforms.ToTensor()) for train in (True, False)]
        twins = {"normal": classifier(False), "batchnorm": classifier(True)}
        optimizers = {name: torch.optim.SGD(twin.parameters(), lr=RATE) for name, twin in twins.items()}
        losses = {name: [] for name in twins}
        start = time.perf_counter()
        loader = DataLoader(parts[0], batch_size=BATCH, shuffle=True)
        for _ in range(EPOCHS):
            for images, labels in loader:
                for name, twin in twins.items():
                    optimizers[name].zero_grad()
                    loss = nn.functional.cross_entropy(twin(images), labels)
                    loss.backward()
                    optimizers[name].step()
                    losses[name].append(loss.item())
        train_s = time.perf_counter() - start
        for name, values in losses.items():
            plt.plot(values, label=name)
        plt.legend()
        plt.savefig(f"{folder}/loss.png")
        test = DataLoader(parts[1], batch_size=1000)
        print(json.dumps({
            "train_s": train_s,
            "loss_last20": {name: sum(values[-20:]) / 20 for name, values in losses.items()},
            "test_accuracy": {name: accuracy(twin, test) for name, twin in twins.items()},
        }))


if __name__ == "__main__":
    main()
