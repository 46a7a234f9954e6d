#!/usr/bin/env python3
"""What torchvision publishes of its classification weights: accuracy on ImageNet, parameters, multiply-adds, file sizes.

    python parity/architectures.py

writes crates/models/tests/fixtures/published.json, from the metadata of the weights themselves. Those of
EfficientNet-Lite0, which torchvision lacks, are timm's (results/results-imagenet.csv, `tf_efficientnet_lite0.in1k`).
"""
import json, pathlib
import torchvision
from torchvision.models import get_model_weights

OUT = pathlib.Path(__file__).parent.parent / "crates/models/tests/fixtures/published.json"
NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2",
         "wide_resnet101_2", "mobilenet_v3_large", "mobilenet_v3_small", "efficientnet_b0"]


def row(weights) -> dict:
    meta, transforms = weights.meta, weights.transforms()
    accuracy = meta["_metrics"]["ImageNet-1K"]
    return {
        "file": pathlib.PurePosixPath(weights.url).stem,
        "version": weights.name,
        "top1": accuracy["acc@1"],
        "top5": accuracy["acc@5"],
        "parameters": meta["num_params"],
        "giga_multiply_adds": meta["_ops"],
        "mib": meta["_file_size"],
        "resize": transforms.resize_size[0],
        "crop": transforms.crop_size[0],
        "interpolation": transforms.interpolation.value,
    }


if __name__ == "__main__":
    # The newest first, as the registry has them.
    models = {name: [row(weights) for weights in sorted(get_model_weights(name), key=lambda w: w.name, reverse=True)] for name in NAMES}
    OUT.write_text(json.dumps({"torchvision": torchvision.__version__, "models": models}, indent=1) + "\n")
