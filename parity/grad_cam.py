#!/usr/bin/env python3
"""Grad-CAM (Selvaraju et al. 2017) by torch's autograd, for crates/models/tests/all/torch.rs.

    python parity/grad_cam.py

writes crates/models/tests/fixtures/grad_cam.json. Weights and images are the hashes of models.py, in float64.
"""
import json
import torch
from torch import nn
from layers import FIXTURES, uniform
from models import architecture, fill

NAMES = ["resnet18", "resnet50", "resnext50_32x4d", "mobilenet_v3_large", "mobilenet_v3_small", "efficientnet_b0"]
SHAPE, CLASSES, SALT = [2, 3, 96, 64], 7, 1_000_000


def case(name: str) -> dict:
    model = architecture(name, SHAPE, CLASSES).double()
    fill(model)
    model.eval()
    seen = []
    pool = [module for module in model.modules() if isinstance(module, nn.AdaptiveAvgPool2d)][-1]
    pool.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    count = torch.Size(SHAPE).numel()
    images = torch.from_numpy(uniform(count, SALT) * 3.5).float().double().reshape(SHAPE)
    logits = model(images)
    classes = [int(logits[0].argmax()), 3]
    score = logits[0, classes[0]] + logits[1, classes[1]]
    (gradient,) = torch.autograd.grad(score, seen[0])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = (weights * seen[0]).sum(1).relu()
    print(name, tuple(maps.shape), [f"{m.max().item():.3f}" for m in maps])
    return {"model": name, "shape": SHAPE, "classes": CLASSES, "salt": SALT, "explained": classes,
            "size": list(maps.shape[1:]), "maps": maps.flatten().tolist(), "logits": logits.flatten().tolist()}


if __name__ == "__main__":
    (FIXTURES / "grad_cam.json").write_text(json.dumps({"cases": [case(name) for name in NAMES]}, indent=None) + "\n")
