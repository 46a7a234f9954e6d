#!/usr/bin/env python3
"""How far torch's bf16 autocast on the processor is from its f32, in one pass of a ResNet-18: the figures of docs/bf16.md.

Needs torch and torchvision. Ours, on other weights and noise of the same kind: `WELLFIT_PARITY_TABLE=1 cargo test -p
wellfit-models --test all near -- --nocapture`.
"""
import copy
import statistics

import torch
import torchvision


def one_pass(model: torch.nn.Module, images: torch.Tensor, slopes: torch.Tensor, bf16: bool) -> list[torch.Tensor]:
    """Outputs, and the gradients of the parameters in order."""
    model = copy.deepcopy(model).train()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        outputs = model(images)
    (outputs.float() * slopes).sum().backward()
    return [outputs.detach().float(), *(p.grad for p in model.parameters())]


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / a.norm()).item()


def main() -> None:
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    for seed in range(5):
        torch.manual_seed(seed)
        model = torchvision.models.resnet18(num_classes=5)
        images, slopes = torch.randn(16, 3, 64, 64), torch.randn(16, 5)
        exact, rounded = (one_pass(model, images, slopes, bf16) for bf16 in (False, True))
        outputs, *gradients = (distance(a, b) for a, b in zip(exact, rounded))
        print(f"seed {seed}: outputs {outputs:.3f}, gradients {statistics.median(gradients):.3f} ({max(gradients):.3f} at most)")


if __name__ == "__main__":
    main()
