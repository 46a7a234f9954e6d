"""How many images a second torchvision's ImageFolder and torch's DataLoader make ready for training.

    python benches/peers/loader.py FOLDER [WORKERS] [EPOCHS]     # needs torch, torchvision

A textbook's pipeline: resize to 224², both flips, ToTensor, Normalize, batches of 32, shuffled. The workers live
on between epochs, and one epoch before the measured ones warms everything up. Prints one line of JSON; its
`images_per_second` is the median epoch's. The twin is `wellfit bench loader --data FOLDER --workers WORKERS`.
"""

import json
import statistics
import sys
import time

import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

folder = sys.argv[1]
workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 5

dataset = ImageFolder(
    folder,
    transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.RandomHorizontalFlip(p=0.5),
            transforms.RandomVerticalFlip(p=0.5),
            transforms.ToTensor(),
            transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
        ]
    ),
)
loader = DataLoader(dataset, batch_size=32, shuffle=True, num_workers=workers, persistent_workers=workers > 0)

rates = []
for epoch in range(epochs + 1):
    start = time.perf_counter()
    images = sum(len(labels) for _, labels in loader)
    rates.append(images / (time.perf_counter() - start))
print(
    json.dumps(
        {
            "what": f"torchvision {torchvision.__version__}, torch {torch.__version__}",
            "workers": workers,
            "images": len(dataset),
            "images_per_second": round(statistics.median(rates[1:]), 1),
            "epochs": [round(rate, 1) for rate in rates[1:]],
        }
    )
)
