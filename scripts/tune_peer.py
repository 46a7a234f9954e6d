"""`wellfit tune` beside Optuna's TPE that drives the same trainer: the best value after so many trials, seed by seed.

    pip install optuna==5.0.0
    python3 scripts/tune_peer.py target/release/wellfit results.jsonl --seeds 5 \
        'fashion=sample --model mlp --epochs 4' 'emoji=sets/emoji/train --model resnet20 --image-size 16 --epochs 6'

Each data set is NAME=DATA and the options of all trials. Both search the same space for the best validation accuracy of a
trial's epochs, without pruning, and train the trials with the same seed: the same split, order and initial weights for the
same settings. A search takes one thread, --jobs of them run beside each other. What is in results.jsonl already is not
run again. In the end: the table, and `wellfit prove` with the best settings that our searches found against Wellfit's own
settings, on other seeds.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

import optuna
from tune_space import SPACE, ask


def said(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ours(words, seed, folder):
    space = folder / "space.toml"
    space.write_text(SPACE)
    found = said([options.wellfit, "tune", *words, "--space", space, "--trials", str(options.trials), "--pruner", "none",
                  "--seed", str(seed), "--threads", "1", "--no-report", "--out", folder / "study", "--json"])
    return found["best"]["value"], found["best"]["settings"]


def peer(words, seed, folder):
    def objective(trial):
        given = [word for name, value in ask(trial).items() for word in (f"--{name}", str(value))]
        out = folder / f"trial-{trial.number}"
        found = said([options.wellfit, "train", *words, *given, "--seed", str(seed), "--threads", "1", "--no-report",
                      "--out", out, "--json"])
        return found["best"]["val_accuracy"]

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=options.trials)
    return study.best_value, study.best_params


def measure(data, seed, who):
    with tempfile.TemporaryDirectory() as folder:
        value, settings = {"wellfit": ours, "optuna": peer}[who](options.data[data], seed, pathlib.Path(folder))
    return {"data": data, "seed": seed, "who": who, "trials": options.trials, "value": value, "settings": settings}


def table(results):
    print(f"| data | best of {options.trials} trials, wellfit | optuna | difference in points (of the seeds) |\n|---|---|---|---|")
    for data in options.data:
        of = {(line["who"], line["seed"]): 100 * line["value"] for line in results if line["data"] == data}
        apart = [of["wellfit", seed] - of["optuna", seed] for seed in range(options.seeds)]
        mean = {who: statistics.mean(of[who, seed] for seed in range(options.seeds)) for who in ("wellfit", "optuna")}
        each = ", ".join(f"{one:+.2f}" for one in apart)
        print(f"| {data} | {mean['wellfit']:.2f} % | {mean['optuna']:.2f} % | {statistics.mean(apart):+.2f} ({each}) |")


def prove(results):
    """The best settings of all our searches, on seeds that none of them saw."""
    for data, words in options.data.items():
        found = [line for line in results if line["data"] == data and line["who"] == "wellfit"]
        best = max(found, key=lambda line: line["value"])
        technique = " + ".join(f"{name.replace('_', '-')}={value}" for name, value in best["settings"].items())
        with tempfile.TemporaryDirectory() as folder:
            result = said([options.wellfit, "prove", *words, "--technique", technique, "--seed", "1000", "--seeds",
                           str(options.pairs), "--out", f"{folder}/trial", "--quiet", "--json"])
        judged = result["techniques"][0]
        low, high = (100 * end for end in judged["interval"])
        print(f"{data}: {technique}: {judged['verdict']}, {100 * judged['mean_difference']:+.2f} points "
              f"({low:+.2f} to {high:+.2f}, {judged['pairs']} pairs)")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("wellfit")
parser.add_argument("results", type=pathlib.Path)
parser.add_argument("data", nargs="+", metavar="NAME=DATA OPTIONS")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--trials", type=int, default=50)
parser.add_argument("--pairs", type=int, default=8)
parser.add_argument("--jobs", type=int, default=2)
options = parser.parse_args()
options.data = {name: shlex.split(words) for name, words in (one.split("=", 1) for one in options.data)}
optuna.logging.set_verbosity(optuna.logging.WARNING)

results = [json.loads(line) for line in options.results.read_text().splitlines()] if options.results.exists() else []
done = {(line["data"], line["seed"], line["who"]) for line in results}
tasks = [(data, seed, who) for data in options.data for seed in range(options.seeds) for who in ("wellfit", "optuna")]
with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    for line in pool.map(lambda task: measure(*task), [task for task in tasks if task not in done]):
        results.append(line)
        with options.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), file=sys.stderr, flush=True)
table(results)
prove(results)
