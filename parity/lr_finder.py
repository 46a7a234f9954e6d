#!/usr/bin/env python3
"""What fastai's and Lightning's learning-rate finders suggest for given losses.

    python parity/lr_finder.py

writes crates/policy/tests/fixtures/lr_finder.json.gz. Needs fastai and lightning; of fastai the three functions are taken
from its source, since its import asks for much that they do not.

The losses are numbers of 24 bits, so that both sides have the same. Each is drawn from integers, as a curve that is flat,
falls and rises again, with noise: that is what a search gives.
"""
import ast
import gzip
import importlib.util
import json
import math
from pathlib import Path

import torch
from lightning.pytorch.tuner.lr_finder import _LRFinder

FIXTURES = Path(__file__).parent.parent / "crates/policy/tests/fixtures"
CURVES, STEPS = 40, 100


def fastai(*names):
    """Functions of fastai.callback.schedule, without its imports."""
    found = importlib.util.find_spec("fastai")
    source = Path(found.submodule_search_locations[0]) / "callback/schedule.py"
    tree = ast.parse(source.read_text())
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    scope = {"torch": torch}
    exec(compile(ast.Module(wanted, []), str(source), "exec"), scope)
    return [scope[name] for name in names]


def single(value: float) -> float:
    return torch.tensor(value, dtype=torch.float32).item()


class Lcg:
    """Knuth's MMIX generator, its upper bits."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def curve(number: int):
    """(rates, losses as they come) of a search of which some end early."""
    draw = Lcg(number)
    top, depth = 1 + draw.below(40) / 16, 0.2 + draw.below(50) / 64
    place, width = 30 + draw.below(50), 6 + draw.below(24)
    noise, end = draw.below(4) / 32, (100 if number % 3 else 60 + draw.below(40))
    rates, losses = [], []
    for step in range(end):
        rates.append(1e-7 * (10 / 1e-7) ** (step / STEPS))
        fall = top * depth / (1 + math.exp(-(step - place) / (width / 4)))
        rise = math.exp((step - place - width) / 9) / 8
        losses.append(single(top - fall + rise + noise * (draw.below(64) - 32) / 32))
    return rates, losses


def smooth(losses):
    """fastai's AvgSmoothLoss and Lightning's own, which are the same average; up to where fastai's LRFinder stops."""
    average, smoothed = 0.0, []
    for count, loss in enumerate(losses, 1):
        average = 0.98 * average + 0.02 * loss
        smoothed.append(average / (1 - 0.98**count))
        if smoothed[-1] > 4 * min(smoothed):
            break
    return smoothed


def lightning(rates, losses):
    finder = _LRFinder("exponential", 1e-7, 10, STEPS)
    finder.results = {"lr": rates, "loss": losses}
    return finder.suggestion()


def main():
    valley, minimum = fastai("valley", "minimum")
    cases = []
    for number in range(CURVES):
        rates, losses = curve(number)
        smoothed = [single(value) for value in smooth(losses)]
        rates, losses = rates[: len(smoothed)], losses[: len(smoothed)]
        read = slice(STEPS // 10, -5)
        lrs, values = torch.tensor(rates[read]), torch.tensor(smoothed[read])
        cases.append({
            "losses": losses,
            "last": smoothed[-1],
            "valley": valley(lrs, values, STEPS)[0],
            "minimum": minimum(lrs, values, STEPS)[0],
            "steep": lightning(rates, smoothed),
        })
    lists = [[5, 4, 3], [3, 2], [1, 2, 3, 0.5], [2, 1, 2, 1, 2, 0.5, 0.25, 3], [9, 8, 7, 6, 5, 4, 3, 2, 1, 10]]
    lists += [[Lcg(1000 + n).below(50) for _ in range(1)] + [Lcg(n * 77 + i).below(60) / 4 for i in range(n)] for n in range(2, 40)]
    short = []
    for losses in lists:
        places = torch.arange(len(losses), dtype=torch.float32)
        short.append({"losses": losses, "place": int(valley(places, torch.tensor(losses, dtype=torch.float32), STEPS)[0])})
    path = FIXTURES / "lr_finder.json.gz"
    text = json.dumps({"curves": cases, "valleys": short}, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path.name}: {len(cases)} curves, {len(short)} valleys, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
