#!/usr/bin/env python3
"""Whole networks in torch, for crates/models/tests/all/torch.rs.

    python parity/models.py

writes crates/models/tests/fixtures/models.json (logits, losses over steps, gradients, running statistics) and
twins.safetensors (the MLP twins from torch's own initial weights, on the embedded sample of Fashion-MNIST in the
order of torch's DataLoader, for 100 steps).

In models.json, weights and images come from a hash that the Rust test computes as well, so no weights are stored. The reference is
torch in float64. torch in float32 runs too, and how far it strays is printed: with residual branches of full size one
ReLU that flips by rounding changes a whole path, and ResNet-50's first gradients differ by 2 % between torch and
torch. So the last BatchNorm of each bottleneck starts small here.
"""
import gzip, json, pathlib
from collections import OrderedDict
import numpy as np
import torch, torchvision
from safetensors.torch import save_file
from torch import nn
from layers import FIXTURES, uniform
from lite0 import lite0, our_name

SAMPLE = pathlib.Path(__file__).parent.parent / "crates/data/assets"
PROBES = 4
# First gradients are steady when torch in float32 is off by less: no unit lies so near a ReLU's zero
# that rounding moves it. Of some images drawn, one in three is so for ResNet-50; the salts that differ are such.
STEADY = 1e-4


def named(model: nn.Module, items) -> list:
    """Parameters or buffers under our names, in their order."""
    rename = our_name if hasattr(model, "_conv_stem") else str
    return sorted(((rename(name), value) for name, value in items), key=lambda item: item[0])


def fill(model: nn.Module) -> None:
    for salt, (name, p) in enumerate(named(model, model.named_parameters())):
        u = torch.from_numpy(uniform(p.numel(), salt)).reshape(p.shape)
        if p.dim() == 4:
            outputs = p.shape[0] if p.shape[1] > 1 else 1  # a depth-wise window reaches one channel
            value = u * (12 * 2 / (outputs * p.shape[2] * p.shape[3])) ** 0.5
        elif p.dim() == 2:
            value = u * 2 / p.shape[1] ** 0.5
        else:
            value = 0.2 * u + (1 if name.endswith("weight") else 0)
        if name.endswith("bn3.weight"):
            value *= 0.2  # small residual branches keep a deep network's gradients well conditioned
        p.data = value.float().double()
    for salt, (name, b) in enumerate(named(model, (x for x in model.named_buffers() if "running" in x[0]))):
        u = torch.from_numpy(uniform(b.numel(), 9_000 + salt))
        b.data = (0.1 * u if name.endswith("mean") else 1 + 0.5 * u).float().double()


def mlp(norm: bool) -> nn.Module:
    layers = []
    for fan_in, fan_out in ((784, 48), (48, 24)):
        layers += [nn.Linear(fan_in, fan_out)] + [nn.BatchNorm1d(fan_out)] * norm + [nn.ReLU()]
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), classifier=nn.Sequential(*layers, nn.Linear(24, 10))))


def optimiser(name: str, model: nn.Module):
    return {
        "sgd": lambda: torch.optim.SGD(model.parameters(), lr=0.01),
        "gentle": lambda: torch.optim.SGD(model.parameters(), lr=1e-4),
        "momentum": lambda: torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4),
        "adam": lambda: torch.optim.Adam(model.parameters(), lr=1e-3),
        "adamw": lambda: torch.optim.AdamW(model.parameters(), lr=1e-3),
    }[name]()


def architecture(name: str, shape: list[int], classes: int) -> nn.Module:
    if name.startswith("mlp"):
        return mlp(name == "mlp-bn")
    if name == "efficientnet_lite0":
        return lite0(classes, shape[2:])
    return getattr(torchvision.models, name)(num_classes=classes)


def trace(name: str, shape: list[int], classes: int, rule: str, steps: int, salt: int, dtype) -> dict:
    model = architecture(name, shape, classes)
    model = model.double()
    for layer in model.modules():  # torch draws other numbers than we do
        if isinstance(layer, (nn.Dropout, torchvision.ops.StochasticDepth)):
            layer.p = 0.0
    fill(model)
    model = model.to(dtype)
    n, c, h, w = shape
    images = torch.from_numpy(uniform(n * c * h * w, salt) * 3.5).float().to(dtype).reshape(shape)
    labels = torch.arange(n) * 7 % classes
    opt, losses, gradients = optimiser(rule, model), [], {}
    model.eval()
    with torch.no_grad():
        logits = model(images).flatten().tolist()
    model.train()
    for step in range(steps):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        if step == 0:
            for salt, (key, p) in enumerate(named(model, model.named_parameters())):
                gradient = p.grad.double().flatten()
                probes = [torch.from_numpy(uniform(p.numel(), 5_000 + PROBES * salt + k)) for k in range(PROBES)]
                gradients[key] = [gradient.norm().item()] + [(gradient @ probe).item() for probe in probes]
        opt.step()
        losses.append(loss.item())
    running = {k: [v.double().norm().item()] for k, v in named(model, model.state_dict().items()) if "running" in k}
    return {"losses": losses, "gradients": gradients, "logits": logits, "running": running}


def case(name: str, shape: list[int], classes: int, rule: str, steps: int, salt: int = 1_000_000) -> dict:
    """torch in float64, and how far torch in float32 strays from it by the test's own measures."""
    what = name, shape, classes, rule, steps, salt
    wide, narrow = trace(*what, torch.float64), trace(*what, torch.float32)
    size = sum(norm**2 for norm, *_ in wide["gradients"].values()) ** 0.5
    # Biases before a BatchNorm have gradient zero up to rounding.
    judged = {k: (a, narrow["gradients"][k]) for k, a in wide["gradients"].items() if a[0] > 1e-6 * size}
    noise = {
        "losses": max(abs(a - b) for a, b in zip(wide["losses"], narrow["losses"])) / max(map(abs, wide["losses"])),
        "gradients": max(abs(x - y) / max(a[0], 1e-4 * size) for a, b in judged.values() for x, y in zip(a, b)),
        "running": max((abs(a[0] - narrow["running"][k][0]) / a[0] for k, a in wide["running"].items()), default=0),
    }
    print(name, rule, "torch float32 against float64:", {k: f"{v:.1e}" for k, v in noise.items()})
    return {"model": name, "shape": shape, "classes": classes, "rule": rule, "salt": salt, "steady": noise["gradients"] < STEADY, **wide}


def idx(name: str, header: int) -> np.ndarray:
    return np.frombuffer(bytearray(gzip.decompress((SAMPLE / name).read_bytes())[header:]), np.uint8)


def twins(steps: int = 100) -> dict:
    """Initial weights (rounded to bfloat16, to halve the file), the order of the images, losses of each step."""
    images = torch.from_numpy(idx("sample-train-images-idx3-ubyte.gz", 16).reshape(-1, 784)).double() / 255
    labels = torch.from_numpy(idx("sample-train-labels-idx1-ubyte.gz", 8)).long()
    order = torch.Generator().manual_seed(0)
    loader = torch.utils.data.DataLoader(
        torch.arange(len(labels)), 64, shuffle=True, drop_last=True, generator=order
    )
    batches = (batch for _ in iter(int, 1) for batch in loader)
    batches = torch.stack([next(batches) for _ in range(steps)])
    found = {"batches": batches.to(torch.int16)}
    for name in ("mlp", "mlp-bn"):
        torch.manual_seed(0)
        initial = {key: p.bfloat16() for key, p in mlp(name == "mlp-bn").named_parameters()}
        found |= {f"{name}/{key}": p.detach() for key, p in initial.items()}
        for rule in ("sgd", "adam"):
            model = mlp(name == "mlp-bn").double()
            model.load_state_dict(initial, strict=False)
            opt, losses = optimiser(rule, model), []
            for batch in batches:
                opt.zero_grad()
                losses.append(nn.functional.cross_entropy(model(images[batch]), labels[batch]))
                losses[-1].backward()
                opt.step()
            found[f"{name}/losses/{rule}"] = torch.stack(losses).detach().float()
            print(name, rule, *(f"{losses[step].item():.4f}" for step in (0, 9, 99)))
    return found


if __name__ == "__main__":
    torch.manual_seed(0)
    cases = [
        case("mlp", [64, 1, 28, 28], 10, "sgd", 5),
        case("mlp-bn", [64, 1, 28, 28], 10, "adamw", 20),
        case("resnet18", [8, 3, 40, 33], 10, "adam", 5, 1_000_001),
        case("resnet18", [8, 3, 64, 64], 10, "momentum", 5),
        case("resnet18", [8, 3, 24, 24], 10, "momentum", 5, 1_000_001),
        case("resnet50", [8, 3, 64, 64], 1000, "momentum", 2),
        case("resnet50", [8, 3, 24, 24], 10, "gentle", 1, 1_000_001),
        case("resnet50", [8, 3, 32, 32], 10, "gentle", 5, 1_000_001),
        case("resnext50_32x4d", [8, 3, 64, 64], 10, "momentum", 2),
        case("resnext50_32x4d", [8, 3, 32, 32], 10, "gentle", 2, 1_000_002),
        case("mobilenet_v3_large", [8, 3, 64, 64], 10, "momentum", 2),
        case("mobilenet_v3_large", [4, 3, 47, 50], 10, "gentle", 2, 1_000_001),
        case("mobilenet_v3_small", [8, 3, 64, 64], 10, "momentum", 2),
        case("efficientnet_b0", [8, 3, 64, 64], 10, "momentum", 2),
        case("efficientnet_b0", [4, 3, 47, 50], 10, "gentle", 2, 1_000_001),
        case("efficientnet_lite0", [8, 3, 64, 64], 10, "gentle", 2),
        case("efficientnet_lite0", [4, 3, 47, 50], 10, "gentle", 2, 1_000_001),
        case("wide_resnet50_2", [8, 3, 32, 32], 10, "gentle", 2, 1_000_001),
        case("wide_resnet101_2", [8, 3, 32, 32], 10, "gentle", 1, 1_000_003),
    ]
    (FIXTURES / "models.json").write_text(json.dumps({"cases": cases}))
    save_file(twins(), FIXTURES / "twins.safetensors")
