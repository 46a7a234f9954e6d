#!/usr/bin/env python3
"""Single layers and losses in torch: values, gradients and running statistics.

    python parity/layers.py

writes crates/models/tests/fixtures/layers.safetensors: the expected tensors as `case/tensor`, and in its metadata
the cases as JSON. Inputs are a hash of their place (`values`), which the test computes as well. The reference is torch
in float64, rounded to float32 when it is written.
"""
import itertools, json, pathlib
import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.ops import SqueezeExcitation, StochasticDepth

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/models/tests/fixtures"
# Salts of the hash: what is drawn. BatchNorm's step s draws its batch with INPUT + s.
WEIGHT, BIAS, MEAN, VARIANCE, OUTPUT, TARGET, INPUT = 1, 2, 3, 4, 5, 6, 100


def uniform(count: int, salt: int) -> np.ndarray:
    """`count` numbers in [-0.5, 0.5), a function of (salt, place)."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(salt * 97 + 12345)
    h ^= h >> np.uint32(15)
    h *= np.uint32(2246822519)
    h ^= h >> np.uint32(13)
    return h.astype(np.float64) / 2**32 - 0.5


def values(shape, salt: int, scale: float, centre: float = 0.0) -> torch.Tensor:
    """scale·u + centre, rounded to float32 and held as float64."""
    u = torch.from_numpy(uniform(int(np.prod(shape)), salt)).reshape(shape)
    return (scale * u + centre).float().double()


def inputs(case: dict, step: int = 0) -> torch.Tensor:
    x = values(case["shape"], INPUT + step, case.get("scale", 3.5), case.get("centre", 0.0))
    return (x.floor() if case.get("whole") else x).requires_grad_()


def run(layer, x: torch.Tensor) -> dict:
    """Output and gradients of one pass; the output's gradient is drawn too."""
    y = layer(x)
    y.backward(values(y.shape, OUTPUT, 2.0))
    return {"y": y.detach(), "dx": x.grad}


def with_parameters(layer: nn.Module, case: dict) -> dict:
    layer = layer.double()
    layer.weight.data = values(layer.weight.shape, WEIGHT, 1.0, 1.0 if layer.weight.dim() == 1 else 0.0)
    if layer.bias is not None:
        layer.bias.data = values(layer.bias.shape, BIAS, 1.0)
    call = nn.Sequential(nn.Flatten(), layer) if isinstance(layer, nn.Linear) else layer
    found = run(call, inputs(case)) | {"dw": layer.weight.grad}
    return found if layer.bias is None else found | {"db": layer.bias.grad}


def linear(case):
    return with_parameters(nn.Linear(int(np.prod(case["shape"][1:])), case["out"]), case)


def conv(case):
    layer = nn.Conv2d(case["shape"][1], case["out"], case["kernel"], case["stride"], case["padding"], bias=False)
    return with_parameters(layer, case)


def grouped_conv(case):
    options = dict(stride=case["stride"], padding=case["padding"], groups=case["groups"], bias=False)
    return with_parameters(nn.Conv2d(case["shape"][1], case["out"], case["kernel"], **options), case)


def batch_norm(case):
    """Ten steps on batches of their own, or (fixed) one pass with given statistics."""
    channels = case["shape"][1]
    layer = (nn.BatchNorm1d if len(case["shape"]) == 2 else nn.BatchNorm2d)(channels).double()
    layer.weight.data, layer.bias.data = values(channels, WEIGHT, 1.0, 1.0), values(channels, BIAS, 1.0)
    if case["fixed"]:
        layer.eval()
        layer.running_mean.copy_(values(channels, MEAN, 2.0, 3.0))
        layer.running_var.copy_(values(channels, VARIANCE, 1.0, 1.0))

    def behind(x):
        y = layer(x) + x if case["residual"] else layer(x)
        return torch.relu(y) if case["relu"] else y

    found = run(behind, inputs(case)) | {"dw": layer.weight.grad.clone(), "db": layer.bias.grad.clone()}
    for step in range(0 if case["fixed"] else 10):
        if step > 0:
            y = behind(inputs(case, step)).detach()
        if step + 1 in (1, 2, 10):
            found |= {f"mean{step + 1}": layer.running_mean.clone(), f"var{step + 1}": layer.running_var.clone()}
    if not case["fixed"]:
        layer.eval()
        found |= {"y10": y, "evaluated": behind(inputs(case)).detach()}
    return found


def max_pool(case):
    return run(nn.MaxPool2d(case["kernel"], case["stride"], case["padding"]), inputs(case))


def average_pool(case):
    return run(nn.AdaptiveAvgPool2d(1), inputs(case))


def relu(case):
    return run(nn.ReLU(), inputs(case))


def hardswish(case):
    return run(nn.Hardswish(), inputs(case))


def silu(case):
    return run(nn.SiLU(), inputs(case))


def sigmoid(case):
    return run(nn.Sigmoid(), inputs(case))


def hardsigmoid(case):
    return run(nn.Hardsigmoid(), inputs(case))


def pointwise_conv(case):
    return with_parameters(nn.Conv2d(case["shape"][1], case["out"], 1), case)


def squeeze_excitation(case):
    layer = SqueezeExcitation(case["shape"][1], case["squeeze"], nn.SiLU if case["silu"] else nn.ReLU,
                              nn.Sigmoid if case["silu"] else nn.Hardsigmoid).double()
    for salt, p in enumerate(layer.parameters()):  # its order: fc1's weight and bias, fc2's
        p.data = values(p.shape, WEIGHT + salt, 2.0)
    found = run(layer, inputs(case))
    return found | {f"d{name}": p.grad for name, p in layer.named_parameters()}


def stochastic_depth(case):
    """The two values that torchvision's stochastic depth makes of a one (torch's generator is another than ours)."""
    found = StochasticDepth(case["p"], "row")(torch.ones(1000, 2, dtype=torch.float64)).unique()
    return {"values": found}


def norm_swish(case):
    """A depth-wise convolution, its normalisation and a smooth activation; gradients of one training pass."""
    channels = case["shape"][1]
    layer = nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.BatchNorm2d(channels, eps=0.001, momentum=0.01), nn.SiLU() if case["silu"] else nn.Hardswish()).double()
    for salt, p in enumerate(layer.parameters()):  # its order: the convolution's weight, γ, β
        p.data = values(p.shape, WEIGHT + salt, 1.0, 1.0 if salt == 1 else 0.0)
    found = run(layer, inputs(case)) | {f"d{name}": p.grad for name, p in layer.named_parameters()}
    mean, variance = layer[1].running_mean.clone(), layer[1].running_var.clone()
    return found | {"mean": mean, "variance": variance, "evaluated": layer.eval()(inputs(case)).detach()}


def cross_entropy(case):
    rows, classes = case["shape"]
    weights = values(classes, WEIGHT, 3.0, 1.75) if case["weights"] else None
    loss, x = nn.CrossEntropyLoss(weight=weights, label_smoothing=case["smoothing"]), inputs(case)
    value = loss(x, torch.arange(rows) * 7 % classes)
    value.backward()
    return {"loss": value.detach().reshape(1), "dx": x.grad}


def mse(case):
    x = inputs(case)
    value = nn.MSELoss()(x, values(case["shape"], TARGET, 3.0, 0.5))
    value.backward()
    return {"loss": value.detach().reshape(1), "dx": x.grad}


def dropout(case):
    """The two values that torch's dropout makes of a one (its generator is another than ours)."""
    found = nn.functional.dropout(torch.ones(1000, dtype=torch.float64), case["p"]).unique()
    return {"values": found}


LINEAR = [([1, 1], 1), ([4, 7], 3), ([5, 65], 17), ([17, 33], 10), ([5, 3, 4, 7], 6)]
CONV = [  # shape, out, kernel, stride, padding
    ([2, 3, 7, 9], 5, 3, 1, 1), ([2, 3, 11, 8], 6, 7, 2, 3), ([1, 1, 5, 5], 1, 3, 1, 0), ([1, 16, 6, 5], 9, 1, 1, 0),
    ([2, 9, 7, 5], 16, 1, 2, 0), ([2, 5, 9, 8], 6, 3, 2, 1), ([3, 4, 8, 8], 4, 2, 2, 0), ([1, 6, 11, 7], 3, 5, 1, 2),
    ([2, 2, 10, 7], 3, 3, 3, 1), ([1, 17, 5, 4], 5, 3, 1, 1), ([9, 4, 3, 3], 4, 3, 1, 1), ([2, 1, 4, 13], 2, 4, 3, 2),
]
GROUPED = [  # shape, out, groups, kernel, stride, padding
    ([2, 6, 7, 5], 4, 2, 3, 1, 1), ([2, 6, 9, 8], 9, 3, 3, 2, 1), ([1, 5, 6, 7], 5, 5, 3, 1, 1),
    ([2, 8, 5, 6], 12, 4, 1, 2, 0), ([3, 32, 4, 4], 32, 8, 3, 1, 1), ([2, 3, 9, 6], 2, 1, 5, 3, 2),
]
DEPTHWISE = [  # shape, kernel, stride
    ([2, 16, 7, 5], 3, 1), ([2, 24, 9, 8], 3, 2), ([1, 40, 6, 9], 5, 1), ([2, 72, 7, 11], 5, 2), ([1, 96, 2, 3], 5, 1),
]
NORM = [[4, 5], [33, 7], [9, 33], [2, 3, 5, 7], [3, 9, 3, 3], [2, 33, 2, 3]]
POOL = [([2, 3, 7, 9], 3, 2, 1), ([1, 4, 8, 8], 2, 2, 0), ([1, 9, 5, 6], 3, 1, 1), ([3, 1, 9, 4], 3, 3, 0)]


def cases():
    def pick(area, kind, **options):
        return {"area": area, "kind": kind, **options}

    for shape, out in LINEAR:
        yield pick("Linear", linear, shape=shape, out=out)
    for shape, out, kernel, stride, padding in CONV:
        yield pick("Conv2d", conv, shape=shape, out=out, kernel=kernel, stride=stride, padding=padding)
    for shape, (fixed, relu_, residual) in itertools.product(
        NORM, [(False, False, False), (False, True, False), (False, True, True), (True, True, False)]
    ):
        area = "BatchNorm1d" if len(shape) == 2 else "BatchNorm2d"
        options = dict(fixed=fixed, relu=relu_, residual=residual, centre=3.0)
        yield pick(area, batch_norm, shape=shape, **options)
    for (shape, kernel, stride, padding), whole in itertools.product(POOL, [False, True]):  # whole numbers: ties
        options = dict(kernel=kernel, stride=stride, padding=padding, whole=whole)
        # Below zero, so that a padding of zeros would win.
        yield pick("MaxPool2d", max_pool, shape=shape, centre=-3.0, **options)
    for shape in [[2, 3, 7, 9], [3, 65, 2, 2], [4, 5, 1, 1]]:
        yield pick("AdaptiveAvgPool2d(1)", average_pool, shape=shape)
    for shape in [[4, 9], [2, 3, 5, 7]]:
        yield pick("ReLU", relu, shape=shape, whole=True)  # zeros among them
    shapes = [([1, 2], 4.0), ([8, 10], 8.0), ([6, 33], 200.0)]
    for (shape, scale), smoothing, weights in itertools.product(shapes, [0.0, 0.1], [False, True]):
        yield pick("CrossEntropyLoss", cross_entropy, shape=shape, scale=scale, smoothing=smoothing, weights=weights)
    for shape in [[1, 1], [20, 1], [7, 13]]:
        yield pick("MSELoss", mse, shape=shape)
    for p in [0.0, 0.1, 0.25, 0.5, 0.9]:
        yield pick("Dropout", dropout, p=p)
    for shape, whole in itertools.product([[5, 9], [2, 3, 5, 7]], [False, True]):  # whole numbers: -3, 0 and 3 too
        yield pick("Hardswish", hardswish, shape=shape, scale=10.0, whole=whole)
    for shape, out, groups, kernel, stride, padding in GROUPED:
        options = dict(groups=groups, kernel=kernel, stride=stride, padding=padding)
        yield pick("Conv2d(groups=G)", grouped_conv, shape=shape, out=out, **options)
    # More channels than a group of the kernel, and some left over.
    yield pick("MaxPool2d", max_pool, shape=[2, 37, 5, 4], centre=-3.0, kernel=3, stride=2, padding=1, whole=False)
    for shape, kernel, stride in DEPTHWISE:
        options = dict(groups=shape[1], kernel=kernel, stride=stride, padding=kernel // 2)
        yield pick("Conv2d(groups=C)", grouped_conv, shape=shape, out=shape[1], **options)
    for shape, whole in itertools.product([[5, 9], [2, 3, 5, 7]], [False, True]):
        options = dict(shape=shape, scale=10.0, whole=whole)
        yield pick("SiLU", silu, **options)
        yield pick("Sigmoid", sigmoid, **options)
        yield pick("Hardsigmoid", hardsigmoid, **options)
    yield pick("SiLU", silu, shape=[3, 50], scale=240.0)
    yield pick("Sigmoid", sigmoid, shape=[3, 50], scale=240.0)
    for shape, out in [([3, 5, 1, 1], 7), ([2, 24, 3, 4], 40)]:
        yield pick("Conv2d(kernel_size=1, bias=True)", pointwise_conv, shape=shape, out=out)
    for (shape, squeeze), silu_ in itertools.product([([2, 6, 3, 4], 2), ([3, 40, 7, 7], 8)], [False, True]):
        yield pick("SqueezeExcitation", squeeze_excitation, shape=shape, squeeze=squeeze, silu=silu_)
    for p in [0.0, 0.25, 0.5]:
        yield pick("StochasticDepth", stochastic_depth, p=p)
    for shape, silu_ in itertools.product([[2, 16, 5, 6], [3, 72, 9, 7]], [False, True]):
        yield pick("BatchNorm2d with SiLU or Hardswish", norm_swish, shape=shape, silu=silu_)


if __name__ == "__main__":
    torch.manual_seed(0)
    listed, tensors = [], {}
    for number, case in enumerate(cases()):
        for name, tensor in case["kind"](case).items():
            tensors[f"{number}/{name}"] = tensor.float().contiguous()
        listed.append(case | {"kind": case["kind"].__name__})
    path = FIXTURES / "layers.safetensors"
    save_file(tensors, path, metadata={"cases": json.dumps(listed)})
    print(f"{path.name}: {len(listed)} cases, {len(tensors)} tensors, {path.stat().st_size:,} bytes")
