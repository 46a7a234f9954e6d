"""Golden traces for crates/policy, from torch, Keras 3 (on torch) and Lightning.

    python parity/policy.py [schedules]

writes crates/policy/tests/fixtures/{monitors,schedules,checkpoint}.json.gz. The metric sequences are not
stored: both sides generate them from the same integers (`sequence` here and in tests/golden.rs).

A trace is one token an epoch, joined by spaces:

    early stopping   counter, `*` if this epoch became the best, then why it stops:
                     p(atience) n(ot finite) s(topping threshold) d(ivergence threshold)
    plateau          counter, `c` and the cooldown left, `*`, `@` and the new rate if it changed
    checkpoint       `*` if saved, else `.`
"""

import gzip
import json
import math
import os
import random
import struct
import sys
import types
import warnings
from io import StringIO
from contextlib import redirect_stdout
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
warnings.filterwarnings("ignore")

import keras
import lightning
import torch
from keras.src.utils import io_utils
from lightning.pytorch.callbacks import EarlyStopping as LightningStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from torch.optim import lr_scheduler

FIXTURES = Path(__file__).parent.parent / "crates/policy/tests/fixtures"
SEQUENCES, LENGTH, BASE_LR = 300, 24, 0.1
NAN, INF = math.nan, math.inf


# ---- metric sequences -------------------------------------------------------------------------------


class Lcg:
    """Knuth's MMIX generator, its upper bits."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def sequence(index):
    """LENGTH metrics of one of ten kinds; every value is exact, so that Rust has the same bits."""
    draw = Lcg(index)
    kind, level, values = index % 10, 64 + draw.below(64), []
    for epoch in range(LENGTH):
        value = draw.below(128) / 64
        if kind == 1:  # plateaus
            level -= draw.below(8) if draw.below(4) == 0 else 0
            value = level / 64
        elif kind == 2:  # noisy descent, below 0 at last
            level -= draw.below(12)
            value = (level + draw.below(9) - 4) / 64
        elif kind == 3:  # noisy ascent from below 0
            level += draw.below(12)
            value = (level + draw.below(9) - 132) / 64
        elif kind == 4:  # NaN and infinities
            value = [NAN, INF, -INF, value, value, value, value, value][draw.below(8)]
        elif kind == 5:  # negative noise
            value = -value
        elif kind == 6:  # tenths, which f32 and f64 round differently
            value = draw.below(40) / 10
        elif kind == 7:  # closer together than f32 can tell
            value = 1 + draw.below(64) / 2**26
        elif kind == 8:  # begins with NaN or an infinity
            value = [NAN, INF, -INF][index // 10 % 3] if epoch < 1 + index // 30 % 3 else value
        elif kind == 9:  # ties
            value = (draw.below(3) - 1) / 64
        values.append(value)
    return values


def checksum(sequences):
    """FNV-1a over the bits of all values, NaN counting as the bits of 0.5."""
    total = 0xCBF29CE484222325
    for value in (value for values in sequences for value in values):
        for byte in struct.pack("<d", 0.5 if math.isnan(value) else value):
            total = (total ^ byte) * 0x100000001B3 % 2**64
    return total


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b


# ---- the policies, one function a package: options, metrics -> trace --------------------------------


class Book:
    """A textbook's early stopping, in our words; the guard against NaN is our one deviation."""

    def __init__(self, patience, delta):
        self.patience, self.delta, self.best, self.counter = patience, delta, None, 0

    def __call__(self, loss):
        score = -loss
        nan = math.isnan(score)
        if not nan and (self.best is None or not score < self.best + self.delta):
            self.best, self.counter = score, 0
            return True, False
        self.counter += 1
        return False, self.counter >= self.patience


def book_stopping(values, patience=5, min_delta=0):
    book, tokens = Book(patience, min_delta), []
    for value in values:
        best, stop = book(value)
        tokens.append(f"{book.counter}{'*' * best}{'p' * stop}")
    return tokens


def keras_stopping(values, **options):
    callback = keras.callbacks.EarlyStopping(monitor="m", **{"mode": "min"} | options)
    callback.set_model(types.SimpleNamespace(stop_training=False))
    callback.on_train_begin()
    tokens = []
    for epoch, value in enumerate(values):
        callback.model.stop_training = False
        callback.on_epoch_end(epoch, {"m": value})
        best = callback.best is not None and callback.best_epoch == epoch
        assert not best or same(callback.best, value)
        tokens.append(f"{callback.wait}{'*' * best}{'p' * callback.model.stop_training}")
    return tokens


def lightning_stopping(values, **options):
    callback, tokens = LightningStopping("m", **options), []
    letter = {
        EarlyStoppingReason.PATIENCE_EXHAUSTED: "p",
        EarlyStoppingReason.NON_FINITE_METRIC: "n",
        EarlyStoppingReason.STOPPING_THRESHOLD: "s",
        EarlyStoppingReason.DIVERGENCE_THRESHOLD: "d",
    }
    for value in values:
        metric = torch.tensor(value)  # as Lightning's logger makes it: f32
        stop, _ = callback._evaluate_stopping_criteria(metric)
        best = callback.best_score is metric
        tokens.append(f"{callback.wait_count}{'*' * best}{letter[callback.stopping_reason] if stop else ''}")
    return tokens


def plateau_token(counter, cooldown, best, before, after):
    return f"{counter}{f'c{cooldown}' if cooldown else ''}{'*' * best}{f'@{after!r}' if after != before else ''}"


def torch_plateau(values, **options):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=BASE_LR)
    scheduler, tokens = lr_scheduler.ReduceLROnPlateau(optimizer, **options), []
    for value in values:
        before, old_best = optimizer.param_groups[0]["lr"], scheduler.best
        best = scheduler._is_better(value, scheduler.best)
        scheduler.step(value)
        assert same(scheduler.best, value if best else old_best)
        after = optimizer.param_groups[0]["lr"]
        tokens.append(plateau_token(scheduler.num_bad_epochs, scheduler.cooldown_counter, best, before, after))
    return tokens


KERAS_OPTIMIZER = keras.optimizers.SGD(BASE_LR)


def keras_plateau(values, threshold=1e-4, **options):
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="m", min_delta=threshold, **{"mode": "min"} | options
    )
    KERAS_OPTIMIZER.learning_rate = BASE_LR
    callback.set_model(types.SimpleNamespace(optimizer=KERAS_OPTIMIZER))
    callback.on_train_begin()
    callback._set_monitor_op()
    rate, tokens = lambda: float(KERAS_OPTIMIZER.learning_rate.value.detach()), []
    for epoch, value in enumerate(values):
        before, old_best = rate(), callback.best
        best = bool(callback._is_improvement(value, callback.best))
        callback.on_epoch_end(epoch, {"m": value})
        assert best or old_best is callback.best
        assert not best or same(callback.best, value)
        tokens.append(plateau_token(callback.wait, callback.cooldown_counter, best, before, rate()))
    return tokens


def keras_checkpoint(values, path, messages=None, **options):
    saved = []
    model = types.SimpleNamespace(save=lambda path, overwrite: saved.append(path))
    callback = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", verbose=1, **options)
    callback.set_model(model)
    tokens = []
    for epoch, value in enumerate(values):
        out, count = StringIO(), len(saved)
        io_utils.enable_interactive_logging()
        with redirect_stdout(out):
            callback.on_epoch_end(epoch, {"val_loss": value, "loss": epoch / 7})
        tokens.append("*" if len(saved) > count else ".")
        if messages is not None:
            messages.append(out.getvalue().strip("\n").split("\n")[0])
    return tokens


# ---- option sets ------------------------------------------------------------------------------------
# Where a package computes in f32, some numbers are those whose f32 lies on the telling side of the f64:
# 0.7 and 1.1 for thresholds, 0.05 for min_lr; with min_delta 0.6, f32 and f64 sums differ most often.

BOOK = [dict(patience=p, min_delta=d) for p, d in [(5, 0), (3, 0), (1, 0), (0, 0), (2, 0.125), (3, 0.1)]]
KERAS_STOPPING = [
    dict(),
    dict(patience=1),
    dict(patience=5),
    dict(patience=2, min_delta=0.1),
    dict(patience=3, mode="max"),
    dict(patience=2, mode="max", min_delta=0.125),
    dict(patience=3, baseline=0.5),
    dict(patience=4, baseline=1.0, mode="max", min_delta=0.1),
    dict(patience=2, start_from_epoch=6),
    dict(patience=2, start_from_epoch=1, baseline=0.3, min_delta=0.03),
]
LIGHTNING = [
    dict(),
    dict(patience=0),
    dict(patience=1, check_finite=False),
    dict(patience=5, check_finite=False),
    dict(patience=2, min_delta=0.1, check_finite=False),
    dict(patience=2, min_delta=0.6, check_finite=False),
    dict(patience=3, mode="max"),
    dict(patience=2, mode="max", min_delta=0.6, check_finite=False),
    dict(patience=3, stopping_threshold=0.7),
    dict(patience=3, divergence_threshold=1.1, check_finite=False),
    dict(patience=2, mode="max", stopping_threshold=1.1, divergence_threshold=0.7, check_finite=False),
]
TORCH_PLATEAU = [
    dict(),
    dict(patience=5, factor=0.5, min_lr=1e-6),
    dict(patience=0),
    dict(patience=2, factor=0.3),
    dict(patience=1, mode="max", factor=0.7),
    dict(patience=1, threshold=0.1),
    dict(patience=1, threshold=0.1, mode="max"),
    dict(patience=1, threshold=0.1, threshold_mode="abs"),
    dict(patience=1, threshold=0.125, threshold_mode="abs", mode="max"),
    dict(patience=1, cooldown=2),
    dict(patience=0, cooldown=1, mode="max", factor=0.9, threshold=0.0),
    dict(patience=0, min_lr=0.03, factor=0.5, cooldown=3),
    dict(patience=0, eps=0.01, factor=0.6),
    dict(patience=0, eps=0.05, factor=0.5),
]
KERAS_PLATEAU = [
    dict(),
    dict(patience=5, factor=0.5, min_lr=1e-6),
    dict(patience=0),
    dict(patience=1, factor=0.3),
    dict(patience=2, mode="max", factor=0.7),
    dict(patience=2, threshold=0.1),
    dict(patience=2, threshold=0.125, mode="max"),
    dict(patience=2, threshold=0.0, cooldown=2),
    dict(patience=1, cooldown=1, factor=0.9),
    dict(patience=1, min_lr=0.05, factor=0.3, cooldown=3),
]


def as_text(options):
    """Options as the option strings that wellfit reads."""
    return ",".join(f"{key}={str(value).lower()}" for key, value in options.items())


def monitors():
    sequences = [sequence(index) for index in range(SEQUENCES)]
    policies = [
        ("early_stopping", "book", book_stopping, BOOK),
        ("early_stopping", "keras", keras_stopping, KERAS_STOPPING),
        ("early_stopping", "lightning", lightning_stopping, LIGHTNING),
        ("plateau", "torch", torch_plateau, TORCH_PLATEAU),
        ("plateau", "keras", keras_plateau, KERAS_PLATEAU),
    ]
    cases = [
        {
            "policy": policy,
            "semantics": semantics,
            "options": as_text(options),
            "traces": [" ".join(trace(values, **options)) for values in sequences],
        }
        for policy, semantics, trace, sets in policies
        for options in sets
    ]
    return {"checksum": str(checksum(sequences)), "cases": cases}


# ---- schedules --------------------------------------------------------------------------------------


def build(optimizer, spec):
    """The torch scheduler of one of our schedules (see schedule/mod.rs for the names)."""
    options = {key: value for key, value in spec.items() if key != "kind"}
    match spec["kind"]:
        case "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
        case "step":
            return lr_scheduler.StepLR(optimizer, **options)
        case "multi_step":
            return lr_scheduler.MultiStepLR(optimizer, **options)
        case "exponential":
            return lr_scheduler.ExponentialLR(optimizer, **options)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, options.pop("t_max"), **options)
        case "cosine_restarts":
            return lr_scheduler.CosineAnnealingWarmRestarts(
                optimizer, options.pop("t_0"), options.pop("t_mult"), **options
            )
        case "one_cycle":
            strategy = options.pop("anneal")
            return lr_scheduler.OneCycleLR(
                optimizer, anneal_strategy=strategy, cycle_momentum=False, **options
            )
        case "linear_warmup":
            return lr_scheduler.LinearLR(optimizer, **options)
        case "polynomial":
            return lr_scheduler.PolynomialLR(optimizer, **options)
        case "sequential":
            members = [build(optimizer, member) for member in options["schedules"]]
            return lr_scheduler.SequentialLR(optimizer, members, options["milestones"])
        case "warmup":
            ramp = lr_scheduler.LinearLR(optimizer, options["start_factor"], total_iters=options["steps"])
            return lr_scheduler.SequentialLR(
                optimizer, [ramp, build(optimizer, options["schedule"])], [options["steps"]]
            )
        case "chained":
            return lr_scheduler.ChainedScheduler([build(optimizer, m) for m in options["schedules"]])


def simple_spec(kind, rng, steps):
    count = lambda: rng.randint(1, steps)
    return {"kind": kind} | {
        "constant": lambda: {},
        "step": lambda: {"step_size": rng.randint(1, 9), "gamma": rng.choice([0.1, 0.5, 0.93])},
        "multi_step": lambda: {
            "milestones": [rng.randint(0, steps) for _ in range(rng.randint(0, 6))] + [7, 7],
            "gamma": rng.choice([0.1, 0.3, 0.9]),
        },
        "exponential": lambda: {"gamma": rng.choice([0.9, 0.95, 0.5, 1.01])},
        "cosine": lambda: {"t_max": rng.choice([1, 2, 3, 10, count()]), "eta_min": rng.choice([0.0, 0.003])},
        "cosine_restarts": lambda: {
            "t_0": rng.randint(1, 9),
            "t_mult": rng.randint(1, 3),
            "eta_min": rng.choice([0.0, 0.003]),
        },
        "one_cycle": lambda: {
            "max_lr": rng.choice([0.1, 0.3]),
            "total_steps": steps,
            "pct_start": rng.choice([0.0, 0.25, 0.3, 0.4, 1.0]),
            "anneal": rng.choice(["cos", "linear"]),
            "div_factor": rng.choice([25.0, 10.0]),
            "final_div_factor": rng.choice([1e4, 100.0]),
            "three_phase": rng.random() < 0.5,
        },
        "linear_warmup": lambda: {
            "start_factor": rng.choice([0.1, 1 / 3, 1.0]),
            "end_factor": rng.choice([1.0, 1.0, 0.2, 0.0]),
            "total_iters": rng.randint(1, 12),
        },
        "polynomial": lambda: {"total_iters": count(), "power": rng.choice([1.0, 2.0, 0.9, 0.5])},
    }[kind]()


SIMPLE = ["step", "multi_step", "exponential", "cosine", "cosine_restarts", "one_cycle", "linear_warmup"]
SIMPLE += ["polynomial", "constant"]


def random_spec(kind, rng, steps):
    some = lambda kinds: [simple_spec(rng.choice(kinds), rng, steps) for _ in range(rng.randint(1, 4))]
    if kind == "sequential":
        schedules = some(SIMPLE)
        milestones = sorted(rng.sample(range(1, steps), len(schedules) - 1))
        return {"kind": kind, "milestones": milestones, "schedules": schedules}
    if kind == "warmup":
        schedule = simple_spec(rng.choice([k for k in SIMPLE if k != "one_cycle"]), rng, steps)
        start = rng.choice([0.01, 0.1, 1 / 3])
        return {"kind": kind, "steps": rng.randint(1, 15), "start_factor": start, "schedule": schedule}
    if kind == "chained":
        schedules = some(SIMPLE)
        if rng.random() < 0.3:
            schedules.append(random_spec("sequential", rng, steps))
        return {"kind": kind, "schedules": schedules}
    return simple_spec(kind, rng, steps)


def schedules(steps=40, each=10, composed=24):
    rng, cases = random.Random(0), []
    for kind in SIMPLE + ["sequential", "chained", "warmup"]:
        for _ in range(composed if kind in ("sequential", "chained", "warmup") else each):
            spec, base_lr = random_spec(kind, rng, steps), rng.choice([0.1, 0.001, 1.0])
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=base_lr)
            scheduler, rates = build(optimizer, spec), []
            for step in range(steps):
                rates.append(optimizer.param_groups[0]["lr"])
                if step + 1 < steps:
                    optimizer.step()
                    scheduler.step()
            cases.append({"schedule": spec, "base_lr": base_lr, "rates": rates})
    return cases


# ---- checkpoints ------------------------------------------------------------------------------------


def checkpoints():
    path = "out/net-{epoch:02d}-{val_loss:.4f}-{loss}-{loss:9.3e}-{epoch:5d}-{{x}}-{val_loss:08.2f}.keras"
    sets = [
        dict(),
        dict(save_best_only=True, mode="min"),
        dict(save_best_only=True, mode="max"),
        dict(save_best_only=True, mode="min", initial_value_threshold=0.6),
    ]
    cases = []
    for options in sets:
        messages = []
        for index in range(20):
            keras_checkpoint(sequence(index), path, messages, **options)
        traces = [keras_checkpoint(sequence(index), path, **options) for index in range(SEQUENCES)]
        cases.append(
            {
                "config": {"path": path, "monitor": "val_loss"} | options,
                "messages": messages,
                "traces": ["".join(trace) for trace in traces],
            }
        )
    return {"cases": cases, "directions": directions()}


def directions():
    """The direction of each of Keras' metrics that has one, by its default name."""
    arguments = [{}, {"num_classes": 3}, {"num_classes": 3, "target_class_ids": [0]}]
    arguments += [{key: 0.5} for key in ("recall", "precision", "sensitivity", "specificity")]
    found = {"loss": "min"}
    for kind in vars(keras.metrics).values():
        for options in arguments if isinstance(kind, type) else []:
            try:
                metric = kind(**options)
                break
            except Exception:
                metric = None
        else:
            continue
        if hasattr(metric, "_direction"):
            found[metric.name] = "max" if metric._direction == "up" else "min"
    return found


def write(name, content):
    text = json.dumps(content, separators=(",", ":")).encode()
    path = FIXTURES / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    if sys.argv[1:] == ["schedules"]:
        write("schedules", schedules())
        sys.exit()
    versions = {package.__name__: package.__version__ for package in (torch, keras, lightning)}
    print(versions, sys.version.split()[0])
    FIXTURES.mkdir(parents=True, exist_ok=True)
    write("monitors", monitors() | {"versions": versions})
    write("schedules", schedules())
    write("checkpoint", checkpoints())
