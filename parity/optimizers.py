#!/usr/bin/env python3
"""torch's optimisers and gradient clipping: parameters after 1, 2 and 10 steps.

    python parity/optimizers.py

writes crates/models/tests/fixtures/optimizers.safetensors, made like layers.py's. The parameters are those of a small
network; gradients are drawn anew for each step and differ in size from tensor to tensor. The rate is halved after five
steps, as a schedule would.
"""
import json
import torch
from safetensors.torch import save_file
from layers import FIXTURES, values

SHAPES = {"conv.weight": [3, 2, 3, 3], "fc.weight": [4, 12], "fc.bias": [4]}
WEIGHT, GRADIENT, STEPS = 1, 1_000, 10


def gradient(case: dict, step: int, place: int, shape) -> torch.Tensor:
    return values(shape, GRADIENT + 10 * step + place, case["size"] * 4.0**place)


def run(case: dict) -> dict:
    parameters = [torch.nn.Parameter(values(s, WEIGHT + place, 1.0)) for place, s in enumerate(SHAPES.values())]
    optimizer = getattr(torch.optim, case["rule"])(parameters, lr=case["lr"], **case["options"])
    found = {}
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = case["lr"] * (1.0 if step < 5 else 0.5)
        for place, parameter in enumerate(parameters):
            parameter.grad = gradient(case, step, place, parameter.shape)
        if case["clip"] is not None:
            norm = torch.nn.utils.clip_grad_norm_(parameters, case["clip"])
            if step == 0:
                found |= {"norm": norm.reshape(1)} | {f"clipped/{n}": p.grad for n, p in zip(SHAPES, parameters)}
        optimizer.step()
        if step + 1 in (1, 2, 10):
            found |= {f"{step + 1}/{n}": p.detach().clone() for n, p in zip(SHAPES, parameters)}
    return found


def cases():
    def pick(rule, lr=0.1, size=1.0, clip=None, **options):
        area = rule if clip is None else "clip_grad_norm_"
        return {"area": area, "rule": rule, "lr": lr, "size": size, "clip": clip, "options": options}

    decay = {"weight_decay": 0.1}
    yield pick("SGD")
    yield pick("SGD", **decay)
    yield pick("SGD", momentum=0.9)
    yield pick("SGD", momentum=0.9, dampening=0.3, **decay)
    yield pick("SGD", momentum=0.8, nesterov=True)
    yield pick("SGD", momentum=0.9, nesterov=True, **decay)
    # Gradients near ε show where it stands; large and small ones, that sizes cancel.
    for rule in ("Adam", "AdamW"):
        yield pick(rule)
        yield pick(rule, size=1e-8)
        yield pick(rule, size=1e3, eps=1e-3)
        yield pick(rule, betas=(0.8, 0.95))
        yield pick(rule, weight_decay=0.3)
        yield pick(rule, lr=0.5, betas=(0.5, 0.9), eps=0.1, weight_decay=0.2)
    # Norms here are about 12: cut off, and not.
    yield pick("SGD", clip=1.0)
    yield pick("SGD", clip=1e3)
    yield pick("SGD", clip=0.25, momentum=0.9, nesterov=True, **decay)
    yield pick("Adam", size=1e-7, clip=1e-6)  # where torch's 1e-6 shows
    yield pick("AdamW", clip=2.0)


if __name__ == "__main__":
    listed, tensors = list(cases()), {}
    for number, case in enumerate(listed):
        tensors |= {f"{number}/{name}": tensor.float().contiguous() for name, tensor in run(case).items()}
    path = FIXTURES / "optimizers.safetensors"
    save_file(tensors, path, metadata={"cases": json.dumps(listed)})
    print(f"{path.name}: {len(listed)} cases, {len(tensors)} tensors, {path.stat().st_size:,} bytes")
