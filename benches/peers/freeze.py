#!/usr/bin/env python3
"""`wellfit train FOLDER --freeze` in PyTorch: a new head on a ResNet that stays as it is.

    python benches/peers/freeze.py FOLDER [--epochs N]

FOLDER has train/ and val/. A textbook's pipeline (resize, both flips, ImageNet's statistics, batches of 32) and Adam
with learning rate 0.001; the backbone is in evaluation mode, so that its BatchNorm does not follow the batches.
Prints one line of JSON with the seconds of each epoch: all cost the same, so a longer run can be told from two.
"""
import argparse
import json
import pathlib
import resource
import time

import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=2)
    return parser.parse_args()


def loaders(args: argparse.Namespace) -> list[DataLoader]:
    size = transforms.Resize((args.image_size, args.image_size))
    flips = [transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip()]
    pixels = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    train = ImageFolder(args.folder / "train", transforms.Compose([size, *flips, *pixels]))
    val = ImageFolder(args.folder / "val", transforms.Compose([size, *pixels]))
    return [DataLoader(part, 32, shuffle=part is train, num_workers=2) for part in (train, val)]


def frozen(model: str, classes: int) -> torch.nn.Module:
    network = torchvision.models.get_model(model, weights=None)
    network.requires_grad_(False)
    network.fc = torch.nn.Linear(network.fc.in_features, classes)
    return network.eval()


def main() -> None:
    args = options()
    torch.manual_seed(0)
    train, val = loaders(args)
    network = frozen(args.model, len(train.dataset.classes))
    optimizer = torch.optim.Adam(network.fc.parameters(), lr=1e-3)
    epochs = []
    for _ in range(args.epochs):
        began = time.perf_counter()
        for images, labels in train:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            right = sum((network(images).argmax(1) == labels).sum().item() for images, labels in val)
        epochs.append(time.perf_counter() - began)
    print(json.dumps({
        "epoch_s": epochs,
        "val_accuracy": right / len(val.dataset),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
