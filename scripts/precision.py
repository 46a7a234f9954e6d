#!/usr/bin/env python3
"""Whether bf16 costs accuracy: pairs of runs that differ in the precision only, one pair a seed.

    scripts/precision.py WELLFIT DATA --out DIR [--pairs 10] [-- options of `wellfit train`]

Prints the accuracies on the validation images after the last epoch, and the mean of the paired differences with its
95 % interval by Student's t, in points. Runs that are in DIR already are not made again. Needs Python only.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys

# Student's t, 97.5 %, for 1 to 29 degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
     2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]


def accuracy(program: str, data: str, run: pathlib.Path, precision: str, seed: int, options: list[str]) -> float:
    """The validation accuracy of a run's last epoch, in percent."""
    if not (run / "model.safetensors").exists():
        line = [program, "train", data, "--out", run, "--precision", precision, "--seed", str(seed), "--quiet", *options]
        subprocess.run(line, check=True)
    epochs = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines() if '"epoch' in line]
    last = [event for event in epochs if "val_accuracy" in json.dumps(event)][-1]
    found = last["val_accuracy"] if "val_accuracy" in last else last["metrics"]["val_accuracy"]
    return 100 * found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--pairs", type=int, default=10)
    own, options = sys.argv[1:], []
    if "--" in own:
        own, options = own[: own.index("--")], own[own.index("--") + 1 :]
    args = parser.parse_args(own)
    differences = []
    for seed in range(1, args.pairs + 1):
        pair = [
            accuracy(args.program, args.data, args.out / f"{precision}-{seed}", precision, seed, options)
            for precision in ("f32", "bf16")
        ]
        differences.append(pair[1] - pair[0])
        print(f"seed {seed}: f32 {pair[0]:.2f} %, bf16 {pair[1]:.2f} %, difference {differences[-1]:+.2f}", flush=True)
    mean, count = statistics.mean(differences), len(differences)
    half = T[count - 2] * statistics.stdev(differences) / math.sqrt(count)
    print(f"bf16 − f32: {mean:+.2f} points, 95 % interval {mean - half:+.2f} to {mean + half:+.2f}, {count} pairs")


if __name__ == "__main__":
    main()
