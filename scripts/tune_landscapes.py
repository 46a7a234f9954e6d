"""The sampler of `wellfit tune` beside Optuna's TPE on functions that look like the accuracy of a trained network: the best of
50 trials over many seeds (docs/tune.md).

    pip install optuna==5.0.0
    cargo build --release -p wellfit-tune --example ask
    python3 scripts/tune_landscapes.py target/release/examples/ask --seeds 400

A network is trained in no trial, so there can be as many seeds as luck needs. With N images to validate, an accuracy is a
multiple of 1 / N, and has the binomial error.
"""

import argparse
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile

import optuna
from tune_space import SPACE, ask


def ridge(at):
    """The best rate depends on optimiser and batch size, decay and smoothing matter little."""
    best = {"adamw": -2.6, "sgd": -1.4}[at["optimizer"]] + 0.3 * math.log10(at["batch_size"] / 32)
    away = (math.log10(at["lr"]) - best) / 0.7
    lost = 0.25 * min(away * away, 2.5) + 0.02 * (math.log10(at["weight_decay"]) + 2) ** 2 / 4
    return 0.65 - lost - 0.5 * (at["label_smoothing"] - 0.1) ** 2 - (0.03 if at["optimizer"] == "sgd" else 0)


def islands(at):
    """Two good places far apart, the better one small."""
    lr, decay = math.log10(at["lr"]), math.log10(at["weight_decay"])
    wide = 0.55 * math.exp(-((lr + 3.2) ** 2 + (decay + 4) ** 2 / 4) / 2)
    small = 0.7 * math.exp(-((lr + 1.6) ** 2 + (decay + 1.8) ** 2) / 0.18)
    return max(wide, small) + (0.05 if at["batch_size"] == 16 else 0) - at["label_smoothing"] / 10


def measured(quality, images, rng):
    """An accuracy as `images` pictures show it; without any, the quality itself."""
    if images is None:
        return quality
    chance = min(max(quality, 0.0), 1.0)
    return sum(rng.random() < chance for _ in range(images)) / images


def ours(binary, landscape, images):
    best = []
    with tempfile.TemporaryDirectory() as folder:
        space = pathlib.Path(folder, "space.toml")
        space.write_text(SPACE)
        command = [binary, space, str(options.trials), str(options.seeds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as sampler:
            for seed in range(options.seeds):
                rng, seen = random.Random(seed), []
                for _ in range(options.trials):
                    quality = landscape(json.loads(sampler.stdout.readline()))
                    seen.append((measured(quality, images, rng), quality))
                    print(seen[-1][0], file=sampler.stdin, flush=True)
                best.append(max(seen))
    return best


def peer(landscape, images):
    best = []
    for seed in range(options.seeds):
        rng, seen = random.Random(seed), []

        def objective(trial):
            quality = landscape({name.replace("-", "_"): value for name, value in ask(trial).items()})
            seen.append((measured(quality, images, rng), quality))
            return seen[-1][0]

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        study.optimize(objective, n_trials=options.trials)
        best.append(max(seen))
    return best


def told(found):
    """Mean and its standard error, in percent."""
    return f"{100 * statistics.mean(found):.2f} ± {100 * statistics.stdev(found) / math.sqrt(len(found)):.2f}"


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("ask", type=pathlib.Path)
parser.add_argument("--seeds", type=int, default=400)
parser.add_argument("--trials", type=int, default=50)
options = parser.parse_args()
optuna.logging.set_verbosity(optuna.logging.WARNING)
print(f"| function | images | sampler | best of {options.trials}, % | its quality, % |\n|---|---|---|---|---|")
for landscape in (ridge, islands):
    for images in (40, 1000, None):
        for name, best in {
            "wellfit": ours(options.ask, landscape, images),
            "optuna": peer(landscape, images),
        }.items():
            values, qualities = zip(*best)
            print(f"| {landscape.__name__} | {images or '–'} | {name} | {told(values)} | {told(qualities)} |", flush=True)
