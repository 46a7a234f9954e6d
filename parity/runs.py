#!/usr/bin/env python3
"""Whole runs of a small network by torch: stochastic weight averaging, and gradual unfreezing.

    python parity/runs.py

writes crates/train/tests/fixtures/runs.safetensors: the weights to begin with, the rate of each epoch, the weights after
each, and the average with its running statistics. Computed in float64 from float32 inputs. The images are a hash of their place, the same in
crates/train/tests/all/torch_runs.rs.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

FIXTURES = Path(__file__).parent.parent / "crates/train/tests/fixtures"
IMAGES, BATCH = 24, 8


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


def hashed(place: int) -> int:
    return (place * 2654435761) % 2**32 >> 16


def data():
    labels = [i % 2 for i in range(IMAGES)]
    pixels = [[labels[i] * 60 + hashed(16 * i + p + 1) % 160 for p in range(16)] for i in range(IMAGES)]
    # In float32, as torchvision's transforms and ours give them: the rounding has a mean, which would be BatchNorm's, too.
    images = (torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 4, 4) / 255 - 0.45) / 0.25
    return list(zip(images.double().split(BATCH), torch.tensor(labels).split(BATCH)))


def fresh() -> Small:
    model = Small().double()
    with torch.no_grad():
        place = 0
        for name, tensor in model.named_parameters():
            values = []
            for _ in range(tensor.numel()):
                place += 1
                values.append((hashed(7 * place) / 32768 - 1) * 0.4)
            tensor.copy_(torch.tensor(values, dtype=torch.float32).reshape(tensor.shape).double())
            if name.startswith("bn") and name.endswith("weight"):
                tensor.add_(1)
                tensor.copy_(tensor.float().double())
    return model


def train(model, optimizer, batches, after_step=lambda: None):
    model.train()
    for images, labels in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        after_step()


def state(model):
    return {n: t.detach().clone() for n, t in model.state_dict().items() if t.is_floating_point()}


def swa(case: dict):
    """The average as torch's documentation makes it; SWALR takes over where the average begins."""
    model, batches = fresh(), data()
    optimizer = SGD(model.parameters(), lr=case["lr"])
    schedule = CosineAnnealingLR(optimizer, case["epochs"] * len(batches))
    average, swa_schedule = AveragedModel(model), None
    rates, found = [], {}
    for epoch in range(1, case["epochs"] + 1):
        if epoch < case["start"]:
            train(model, optimizer, batches, schedule.step)
        else:
            if case["swa_lr"] is not None:
                if swa_schedule is None:
                    swa_schedule = SWALR(optimizer, case["swa_lr"], case["anneal_epochs"], case["anneal_strategy"])
                else:
                    swa_schedule.step()
            train(model, optimizer, batches)
            average.update_parameters(model)
            rates.append(optimizer.param_groups[0]["lr"])
    update_bn([images for images, _ in batches], average)
    found |= {f"raw/{name}": t for name, t in state(model).items()}
    found |= {f"average/{name}": t for name, t in state(average.module).items()}
    return rates, found


def unfreezing(case: dict):
    """The head, then a fresh optimiser for it and the last stage, which the others join."""
    model, batches = fresh(), data()
    stages = [[model.conv, model.bn], [model.conv2, model.bn2]]
    found = {}

    class Frozen:
        """Frozen BatchNorm layers stay in evaluation mode."""

        def __init__(self, places):
            self.layers = [layer for place in places for layer in stages[place]]

        def __enter__(self):
            self.train = model.train
            def train(mode=True):
                self.train(mode)
                for layer in self.layers:
                    layer.eval()
            model.train = train
            for layer in self.layers:
                layer.requires_grad_(False)

        def __exit__(self, *_):
            model.train = self.train
            for layer in self.layers:
                layer.requires_grad_(True)

    def keep(epoch):
        found.update({f"{epoch}/{name}": t for name, t in state(model).items()})

    parameters = lambda place: [p for layer in stages[place] for p in layer.parameters()]
    with Frozen([0, 1]):
        train(model, Adam(model.fc.parameters(), lr=case["lr"]), batches)
    keep(1)
    optimizer = Adam(list(model.fc.parameters()) + parameters(1), lr=case["lr"])
    with Frozen([0]):
        train(model, optimizer, batches)
        keep(2)
        train(model, optimizer, batches)
        keep(3)
    optimizer.add_param_group({"params": parameters(0)})
    train(model, optimizer, batches)
    keep(4)
    train(model, optimizer, batches)
    keep(5)
    return [case["lr"]] * 5, found


def main():
    common = {"area": "swa", "lr": 0.1, "epochs": 6}
    cases = [
        common | {"start": 3, "swa_lr": 0.05, "anneal_epochs": 2, "anneal_strategy": "cos"},
        common | {"start": 2, "swa_lr": 0.2, "anneal_epochs": 10, "anneal_strategy": "linear"},
        common | {"start": 1, "swa_lr": 0.04, "anneal_epochs": 0, "anneal_strategy": "cos"},
        common | {"start": 4, "swa_lr": None},
        {"area": "unfreezing", "lr": 0.01, "epochs": 5},
    ]
    tensors = {f"fresh/{name}": t for name, t in state(fresh()).items()}
    for number, case in enumerate(cases):
        case["rates"], found = (swa if case["area"] == "swa" else unfreezing)(case)
        tensors |= {f"{number}/{name}": tensor for name, tensor in found.items()}
    FIXTURES.mkdir(exist_ok=True)
    path = FIXTURES / "runs.safetensors"
    tensors = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    save_file(tensors, path, metadata={"cases": json.dumps(cases)})
    print(f"{path.name}: {len(cases)} cases, {len(tensors)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
