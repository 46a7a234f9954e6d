#!/usr/bin/env python3
"""A folder of photographs without pretrained weights, as a PyTorch user does it: resnet18 at 64x64 for 40 epochs.

    python benches/peers/scratch.py FOLDER [--seed S] [--epochs N]

FOLDER has train/ and test/; a fifth of train/ is set aside. Random resized crops, mirroring, TrivialAugment and erasing;
AdamW and OneCycle with label smoothing. Pictures are decoded once and kept at 128x128.
Prints one line of JSON with the accuracy on test/ after the epoch that was best on what was set aside.
"""
import argparse
import json
import pathlib

import torch
import torchvision
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

PIXELS = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
PLAIN = transforms.Compose([transforms.Resize((64, 64)), *PIXELS])
AUGMENTED = transforms.Compose([
    transforms.RandomResizedCrop(64, (0.35, 1)), transforms.RandomHorizontalFlip(), transforms.TrivialAugmentWide(), *PIXELS,
    transforms.RandomErasing(0.1),
])


class Kept(Dataset):
    """Some pictures of a folder, decoded once."""

    def __init__(self, folder: ImageFolder, which: list[int], transform) -> None:
        chosen = [folder.samples[index] for index in which]
        self.items = [(folder.loader(path).resize((128, 128)), label) for path, label in chosen]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int):
        picture, label = self.items[index]
        return self.transform(picture), label


@torch.no_grad()
def accuracy(model: torch.nn.Module, part: Kept) -> float:
    model.eval()
    right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in DataLoader(part, 80))
    return right / len(part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    training, testing = ImageFolder(args.folder / "train"), ImageFolder(args.folder / "test")
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(args.seed)).tolist()
    aside = len(order) // 5
    train, val = Kept(training, order[aside:], AUGMENTED), Kept(training, order[:aside], PLAIN)
    test = Kept(testing, list(range(len(testing))), PLAIN)
    batches = DataLoader(train, 32, shuffle=True)
    model = torchvision.models.resnet18(num_classes=len(training.classes))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=args.epochs * len(batches))
    best = (0.0, 0.0)
    for _ in range(args.epochs):
        model.train()
        for images, labels in batches:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels, label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
        if (now := accuracy(model, val)) >= best[0]:
            best = (now, accuracy(model, test))
    print(json.dumps({"accuracy": best[1], "val_accuracy": best[0]}))


if __name__ == "__main__":
    main()
