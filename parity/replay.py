"""What `wellfit replay` must say of one recorded curve, from torch, Keras 3 (on torch) and Lightning.

    python parity/replay.py

writes crates/wellfit/tests/fixtures/replay.json: the curve, and for each command line what the packages did
at every epoch up to their stop. The packages are driven by the functions of policy.py.
"""

import json
import random
import re
from pathlib import Path

from policy import BASE_LR, keras_plateau, keras_stopping, lightning_stopping, torch_plateau
from torch import tensor

FILE = Path(__file__).parent.parent / "crates/wellfit/tests/fixtures/replay.json"
LENGTH = 60


def curve():
    """A noisy descent to a floor, in thousandths so that there are ties, with a NaN and an infinity."""
    draw = random.Random(3)
    values = [round(0.3 + 0.9**epoch + draw.gauss(0, 0.02), 3) for epoch in range(LENGTH)]
    values[5], values[17] = float("nan"), float("inf")
    return values


def rows(tokens, values, seen=lambda value: value):
    """A trace's tokens (see policy.py) as epochs; `seen` is the metric as the package sees it."""
    best, lr, found = None, BASE_LR, []
    for token, value in zip(tokens, values):
        counter, marked, stop, rate = re.fullmatch(r"(\d+)(?:c\d+)?(\*?)([a-z]?)(?:@(.+))?", token).groups()
        best = seen(value) if marked else best
        lr_next = float(rate) if rate else lr
        found.append({"counter": int(counter), "best": best, "lr": lr, "lr_next": lr_next, "stop": bool(stop)})
        if stop:
            break
        lr = lr_next
    return found


def both(stopping, plateau):
    """Counter, best and stop of one, the rates of the other."""
    rates = ({"lr": row["lr"], "lr_next": row["lr_next"]} for row in plateau)
    return [row | rate for row, rate in zip(stopping, rates)]


def text(options):
    return ",".join(f"{key}={value}" for key, value in options.items())


def cases(values):
    f32 = lambda value: float(tensor(value))
    stopping, finite = dict(patience=8, min_delta=0.01), dict(patience=6, check_finite=False)
    plateau = dict(factor=0.5, patience=2, threshold=1e-3, cooldown=1, min_lr=1e-3)
    absolute = dict(factor=0.3, patience=3, min_delta=0.005, cooldown=2)
    torch_rows = rows(torch_plateau(values, **plateau), values)
    keras_rows = rows(
        keras_plateau(values, factor=0.3, patience=3, threshold=0.005, cooldown=2), values
    )
    keras_rows[0]["lr"] = f32(BASE_LR)
    for before, row in zip(keras_rows, keras_rows[1:]):
        row["lr"] = before["lr_next"] = f32(before["lr_next"])
    return {
        f"--lr-scheduler {text(plateau)}": torch_rows,
        f"--semantics keras --lr-scheduler {text(absolute)}": keras_rows,
        f"--semantics keras --early-stopping {text(stopping)} --lr-scheduler {text(absolute)}": both(
            rows(keras_stopping(values, **stopping), values), keras_rows
        ),
        f"--semantics lightning --early-stopping {text(finite).lower()} --lr-scheduler {text(plateau)}": both(
            rows(lightning_stopping(values, **finite), values, f32), torch_rows
        ),
        "--semantics lightning --early-stopping patience=3": rows(
            lightning_stopping(values, patience=3), values, f32
        ),
    }


if __name__ == "__main__":
    values = curve()
    # JSON has no NaN: the curve is written as the text that wellfit reads.
    content = {"losses": [str(value) for value in values], "cases": cases(values)}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(content, indent=1, allow_nan=False)
    lines = re.sub(r"\{\s+(\"counter\"[^}]*?)\s+\}", lambda m: "{" + re.sub(r"\s+", " ", m[1]) + "}", lines)
    FILE.write_text(lines + "\n")
    print({options: len(epochs) for options, epochs in content["cases"].items()})
