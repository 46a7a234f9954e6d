"""`wellfit improve` on five provoked problems, against the settings given and against random search.

    python3 scripts/improve.py target/release/wellfit /usr/share/datasets/fashion-mnist OUT [--problem NAME …]

Every problem is a part of Fashion-MNIST with the MLP and one thing wrong: few images, a rate 30 times too high or 100 times
too low, a fifth of the labels wrong, or seven rare classes. `improve` has a budget of 30 trainings of the usual length; random
search trains 30 configurations of that length, all on the same split, and takes the one with the best validation figure. Then the settings given, those
of `improve` and the best random ones are trained with five seeds that nobody has used, and judged on 10,000 test images. What is
in OUT already is not trained again. Nothing but the standard library is needed.
"""

import argparse
import gzip
import json
import math
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import time

EPOCHS = 20
CONFIGURATIONS = 30
FRESH = range(1000, 1005)
LR = 0.01
BASE = ["--model", "mlp"]
# Name: training images of each class, share of wrong labels, options, metric.
RARE = [300, 300, 300] + [12] * 7
PROBLEMS = {
    "tiny data": ([20] * 10, 0.0, [], "val_accuracy"),
    "rate × 30": ([200] * 10, 0.0, ["--lr", str(30 * LR)], "val_accuracy"),
    "rate / 100": ([200] * 10, 0.0, ["--lr", str(LR / 100)], "val_accuracy"),
    "flipped labels": ([200] * 10, 0.2, [], "val_accuracy"),
    "imbalance": (RARE, 0.0, [], "val_balanced_accuracy"),
}


def idx(path):
    raw = gzip.open(path).read()
    dimensions = raw[3]
    sizes = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return sizes, raw[4 + 4 * dimensions :]


def make(source, folder, counts, flipped):
    """Four files of IDX: the first images of each class, a share of them with another label; the test part as it is."""
    folder.mkdir(parents=True)
    _, pixels = idx(source / "train-images-idx3-ubyte.gz")
    _, labels = idx(source / "train-labels-idx1-ubyte.gz")
    left, chosen = list(counts), []
    for place, label in enumerate(labels):
        if left[label] > 0:
            left[label] -= 1
            chosen.append(place)
    rng, kept = random.Random(0), bytearray()
    for place in chosen:
        wrong = rng.random() < flipped
        kept.append((labels[place] + rng.randrange(1, 10)) % 10 if wrong else labels[place])
    images = b"".join(pixels[784 * place : 784 * (place + 1)] for place in chosen)
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, len(chosen), 28, 28) + images)
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, len(chosen)) + bytes(kept))
    for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]:
        shutil.copy(source / name, folder / name)


def random_configuration(rng):
    """As a person would draw one: the rate by its order of magnitude, the other settings on or off."""
    options = ["--lr", f"{math.exp(rng.uniform(math.log(1e-4), math.log(1))):.3g}"]
    if rng.random() < 0.5:
        options += ["--weight-decay", f"{math.exp(rng.uniform(math.log(1e-5), math.log(1e-2))):.3g}"]
    if rng.random() < 0.5:
        options += ["--label-smoothing", f"{rng.uniform(0.02, 0.2):.2g}"]
    for switch in [["--hflip"], ["--augment", "light"], ["--class-weights", "balanced"], ["--schedule", "cosine"]]:
        if rng.random() < 0.5:
            options += switch
    return options


class Problem:
    def __init__(self, args, name):
        counts, flipped, options, self.metric = PROBLEMS[name]
        self.wellfit, self.options = str(pathlib.Path(args.wellfit).resolve()), options
        self.folder = pathlib.Path(args.out) / name.replace(" ", "-").replace("/", "over").replace("×", "x")
        if not (self.folder / "data").exists():
            make(pathlib.Path(args.source), self.folder / "data", counts, flipped)

    def call(self, *words):
        done = subprocess.run([self.wellfit, *words, "--json"], capture_output=True, text=True, cwd=self.folder)
        if done.returncode == 6:
            return None
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def train(self, out, options):
        """The run's figure of the validation images, and its directory; none where it diverged."""
        best = ["--best", self.metric]
        # More epochs may be part of what was found.
        length = [] if "--epochs" in options else ["--epochs", str(EPOCHS)]
        done = self.call("train", "data", *BASE, *length, *options, *best, "--resume", "auto", "--out", out, "--no-report")
        if done is None:
            return -1.0
        curves = [json.loads(line) for line in (self.folder / out / "events.jsonl").read_text().splitlines()]
        values = [event[self.metric] for event in curves if event["event"] == "epoch"]
        return max(values)

    def on_test(self, name, options):
        """Accuracy and balanced accuracy on the test part, of five new seeds, in percent."""
        found = []
        for seed in FRESH:
            out = f"fresh/{name}-{seed}"
            if self.train(out, [*options, "--seed", str(seed)]) < 0:
                continue
            judged = self.call("evaluate", out, "data")
            found.append((100 * judged["accuracy"], 100 * judged["balanced_accuracy"]))
        return found

    def improved(self):
        budget, began = f"{CONFIGURATIONS * EPOCHS}epochs", time.monotonic()
        words = ["improve", "data", "--budget", budget, *BASE, "--epochs", str(EPOCHS), *self.options]
        done = self.call(*words, "--metric", self.metric, "--resume", "auto", "--out", "improved")
        settings = dict(done["settings"])
        options = []
        for name, value in settings.items():
            if name in ("model", "epochs", "best", "seed"):
                continue
            options.append(f"--{name.replace('_', '-')}={value}")
        options += ["--epochs", settings["epochs"]]
        return done, options, time.monotonic() - began

    def random_best(self):
        rng, drawn = random.Random(1), []
        for number in range(CONFIGURATIONS):
            options = random_configuration(rng)
            seeds = ["--seed", str(number), "--split-seed", "0"]
            drawn.append((self.train(f"random/{number}", [*options, *seeds]), options))
        return max(drawn, key=lambda one: one[0])


def mean(found, place):
    values = [one[place] for one in found]
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wellfit")
    parser.add_argument("source", help="folder with Fashion-MNIST's four files")
    parser.add_argument("out")
    parser.add_argument("--problem", action="append", choices=list(PROBLEMS), help="only this one; may be given again")
    args = parser.parse_args()
    rows = []
    for name in args.problem or PROBLEMS:
        problem = Problem(args, name)
        done, options, seconds = problem.improved()
        best, drawn = problem.random_best()
        place = 1 if problem.metric == "val_balanced_accuracy" else 0
        if not done["adopted"] and not done["repairs"]:
            options = problem.options
        arms = {"given": problem.options, "improved": options, "random": drawn}
        found = {}
        for kind, settings in arms.items():
            same = settings == problem.options and "given" in found
            found[kind] = found["given"] if same else problem.on_test(kind, settings)
        columns = [mean(one, place) for one in found.values()]
        adopted = ", ".join(done["adopted"]) or "nothing"
        repaired = "".join(f"lr={one['lr']} (repair), " for one in done["repairs"])
        rows.append([name, *columns, repaired + adopted, str(len(done["rounds"])), done["spent"], done["stop"], " ".join(drawn)])
        print(json.dumps({"problem": name, "row": rows[-1], "seconds": seconds, "best_random_val": best}), flush=True)
    head = ["problem", "given", "improve", "best of 30 random", "adopted", "rounds", "spent", "ended by", "best random settings"]
    for row in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
