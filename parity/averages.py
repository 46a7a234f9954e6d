#!/usr/bin/env python3
"""torch's averages of weights: those of a small network with BatchNorm after 1, 2, 3, 10 and 40 updates.

    python parity/averages.py

writes crates/models/tests/fixtures/averages.safetensors, made like layers.py's. The weights and running statistics of
each step are drawn anew. The decay that grows with the steps is TensorFlow's (`ExponentialMovingAverage` with
`num_updates`), given to torch's `AveragedModel` as its `avg_fn`.
"""
import json
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_avg_fn
from safetensors.torch import save_file
from layers import FIXTURES, values

WEIGHT, STEPS, SHOWN = 2_000, 40, (1, 2, 3, 10, 40)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(3)
        self.fc = nn.Linear(12, 4)


def draw(model: Small, step: int):
    tensors = {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
    for place, tensor in enumerate(tensors.values()):
        tensor.copy_(values(tensor.shape, WEIGHT + 10 * step + place, 2.0, 0.5))
    model.bn.num_batches_tracked.fill_(step)


def grown(decay: float):
    def average(averaged, current, taken):
        keep = min(decay, (1 + float(taken)) / (10 + float(taken)))
        return torch.lerp(averaged, current, 1 - keep)

    return of_floats(average)


def of_floats(average):
    """torch averages BatchNorm's count of batches as well, or fails to; nothing is compared there."""
    return {"avg_fn": lambda a, current, taken: average(a, current, taken) if a.is_floating_point() else current}


def run(case: dict) -> dict:
    model = Small().double()
    draw(model, 0)
    kinds = {
        "equal": lambda: of_floats(get_swa_avg_fn()),
        "decay": lambda: {"multi_avg_fn": get_ema_multi_avg_fn(case["decay"])},
        "grown": lambda: grown(case["decay"]),
    }
    averaged = AveragedModel(model, use_buffers=True, **kinds[case["kind"]]())
    found = {}
    for step in range(1, STEPS + 1):
        draw(model, step)
        averaged.update_parameters(model)
        if step in SHOWN:
            state = averaged.module.state_dict()
            found |= {f"{step}/{name}": t.clone() for name, t in state.items() if t.is_floating_point()}
    return found


def cases():
    yield {"area": "AveragedModel", "kind": "equal"}
    # Below 2/11 the decay is never limited: torch's own function has nothing to add.
    yield {"area": "AveragedModel", "kind": "decay", "decay": 0.18}
    yield {"area": "AveragedModel", "kind": "decay", "decay": 0.05}
    yield {"area": "AveragedModel", "kind": "grown", "decay": 0.5}
    yield {"area": "AveragedModel", "kind": "grown", "decay": 0.75}
    yield {"area": "AveragedModel", "kind": "grown", "decay": 0.9999}


if __name__ == "__main__":
    listed, tensors = list(cases()), {}
    for number, case in enumerate(listed):
        tensors |= {f"{number}/{name}": tensor.float().contiguous() for name, tensor in run(case).items()}
    path = FIXTURES / "averages.safetensors"
    save_file(tensors, path, metadata={"cases": json.dumps(listed)})
    print(f"{path.name}: {len(listed)} cases, {len(tensors)} tensors, {path.stat().st_size:,} bytes")
