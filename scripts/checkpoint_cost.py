"""What checkpoints cost a run: two binaries in turn on the same data, the weights must be the same to the bit.

    python3 scripts/checkpoint_cost.py OLD NEW DATA [--rounds N] [TRAIN OPTION …]

OLD must be a build that waits for each checkpoint: the epochs' own seconds in its record are then the computation
without any. The cost of either build is what its whole training took beyond that, in pairs of runs made one after the
other.
"""

import argparse
import hashlib
import json
import pathlib
import statistics
import subprocess
import tempfile


def run(binary, data, options, out):
    """Seconds of the whole training, seconds of its epochs, hash of the weights."""
    command = [binary, "train", data, *options, "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    epochs = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    epochs = [event for event in epochs if event["event"] == "epoch"]
    checkpoints = sorted((out / "checkpoints").glob("*-last"))
    # The clock of the last checkpoint runs up to its copy of the state; the commit itself is in no epoch.
    position = json.loads((checkpoints[-1] / "position.json").read_text())
    weights = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    return position["seconds"], sum(epoch["seconds"] for epoch in epochs), weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("data")
    parser.add_argument("--rounds", type=int, default=5)
    arguments, options = parser.parse_known_args()
    costs = {"old": [], "new": []}
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory(dir=".") as root:
            results = {}
            for name in ("old", "new") if number % 2 == 0 else ("new", "old"):
                out = pathlib.Path(root) / name
                results[name] = run(getattr(arguments, name), arguments.data, options, out)
        if results["old"][2] != results["new"][2]:
            raise SystemExit("the weights differ")
        computation = results["old"][1]
        for name, (whole, _, _) in results.items():
            costs[name].append(whole / computation - 1)
        told = ", ".join(f"{name} {result[0]:.1f} s" for name, result in sorted(results.items()))
        print(f"round {number + 1}: computation {computation:.1f} s, with checkpoints: {told}; same weights", flush=True)
    for name, values in sorted(costs.items()):
        print(f"{name}: checkpoints cost {statistics.median(values):+.1%} (median of {len(values)})")


main()
