"""Paired runs of recipes: every variant on every folder of data with every seed, judged on the folder's test part.

    python3 scripts/recipe_sets.py sets
    python3 scripts/recipes.py target/release/wellfit sets results.jsonl --seeds 2 \
        'finetune=' 'light=--augment light' 'ema=--ema 0.99'

A variant is NAME=OPTIONS of `wellfit train`. Runs of one folder and seed share the split and, where they have the same
parameters, the initial weights; so the first variant and another are compared pair by pair. What is in results.jsonl
already is not run again. The table at the end gives the accuracy in percent, and for the other variants the mean
difference from the first with its standard error over folders and seeds.
"""

import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import tempfile
import time


def run(wellfit, data, options, seed, folder):
    """Accuracy on the test part in percent, and seconds of training as a whole process."""
    out = pathlib.Path(folder) / "run"
    began = time.monotonic()
    command = [wellfit, "train", data, "--seed", str(seed), "--out", str(out), "--quiet", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    judged = subprocess.run([wellfit, "evaluate", str(out), f"{data}/test", "--json"], check=True, capture_output=True)
    return 100 * json.loads(judged.stdout)["accuracy"], seconds


def measure(args, results, done):
    sets = sorted(p for p in args.sets.iterdir() if p.is_dir())
    for seed in range(args.seeds):
        for data in sets:
            for name, options in args.variant:
                key = [data.name, seed, name, options]
                if key in done:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    accuracy, seconds = run(args.wellfit, data, shlex.split(options), seed, folder)
                line = {"data": data.name, "seed": seed, "variant": name, "options": options}
                line |= {"accuracy": round(accuracy, 3), "seconds": round(seconds, 1)}
                with args.results.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                results.append(line)
                print(json.dumps(line), flush=True)


def table(results, names):
    sets = sorted({r["data"] for r in results})
    of = {(r["data"], r["seed"], r["variant"]): r["accuracy"] for r in results}
    print("| variant | " + " | ".join(sets) + " | mean | difference from the first |")
    print("|---" * (len(sets) + 3) + "|")
    for name in names:
        row = [statistics.mean(v for (d, _, n), v in of.items() if (d, n) == (s, name)) for s in sets]
        pairs = [v - of[d, s, names[0]] for (d, s, n), v in of.items() if n == name and (d, s, names[0]) in of]
        error = statistics.stdev(pairs) / len(pairs) ** 0.5 if len(pairs) > 1 else float("nan")
        difference = "" if name == names[0] else f"{statistics.mean(pairs):+.1f} ± {error:.1f}"
        cells = [f"{v:.1f}" for v in (*row, statistics.mean(row))]
        print(f"| {name} | " + " | ".join(cells) + f" | {difference} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wellfit")
    parser.add_argument("sets", type=pathlib.Path)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("variant", nargs="+", type=lambda text: tuple(text.split("=", 1)))
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    results = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    measure(args, results, [[r["data"], r["seed"], r["variant"], r["options"]] for r in results])
    table(results, [name for name, _ in args.variant])


if __name__ == "__main__":
    main()
