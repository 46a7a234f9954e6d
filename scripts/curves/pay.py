"""Do recommendations pay? Provoke a fault, follow the first advice of `wellfit diagnose`, and compare on three seeds.

    python3 scripts/curves/pay.py WELLFIT OUT_DIR      # needs numpy, scikit-learn; may be interrupted

WELLFIT is the binary. The metric is the one by which a run chooses the weights that it keeps: the best validation accuracy. Their
plain cross-entropy stands beside it. Advice pays if the mean accuracy over the seeds gets better; runs of a seed are paired. The
finding and its advice are those of the first seed, and all seeds follow it. Advice that is a word in brackets is not followed, and counted.
The last lines are a table.
"""

import json
import math
import pathlib
import subprocess
import sys

SEEDS = (1, 2, 3)
CONSTANT = ["--schedule", "constant"]
SGD = ["--optimizer", "sgd", "--momentum", "0.9"]
# Name, and what provokes it. Rates are those of Adam unless said.
FAULTS = {
    "rate × 30": ["--lr", "0.03", *CONSTANT, "--epochs", "15"],
    "rate × 100": ["--lr", "0.1", *CONSTANT, "--epochs", "15"],
    "rate / 30": ["--lr", "3e-5", *CONSTANT, "--epochs", "15"],
    "rate / 100": ["--lr", "1e-5", *CONSTANT, "--epochs", "15"],
    "SGD's rate × 10": [*SGD, "--lr", "0.3", *CONSTANT, "--epochs", "25"],
    "SGD's rate / 100": [*SGD, "--lr", "3e-4", *CONSTANT, "--epochs", "15"],
    "six epochs": ["--lr", "2e-4", *CONSTANT, "--epochs", "6"],
    "patience 1": ["--lr", "5e-4", *CONSTANT, "--epochs", "60", "--patience", "1", "--batch-size", "128"],
    "60 epochs": ["--lr", "1e-3", *CONSTANT, "--epochs", "60"],
    "few images": ["--lr", "1e-3", *CONSTANT, "--epochs", "40", "--val-split", "0.85"],
    "decay 0.3": ["--lr", "1e-3", *CONSTANT, "--epochs", "20", "--weight-decay", "0.3"],
}


def digits(root):
    """scikit-learn's digits, 8 × 8 pixels, as an archive that `wellfit train` reads."""
    path = root / "digits.npz"
    if not path.exists():
        import numpy
        from sklearn.datasets import load_digits

        data = load_digits()
        numpy.savez(path, images=(data.images * 255 / 16).round().astype("uint8"), labels=data.target)
    return str(path)


def places(root):
    return {
        "sample, mlp": ["sample", "--model", "mlp"],
        "sample, mlp-bn": ["sample", "--model", "mlp-bn"],
        "digits, mlp": [digits(root), "--model", "mlp", "--hflip=false", "--batch-size", "32"],
    }


def train(binary, out, arguments):
    """The run, made unless it is there; `None` where the training could not be done."""
    events = out / "events.jsonl"
    if not (events.exists() and '"event":"stop"' in events.read_text()):
        options = ["--out", str(out), "--force", "--quiet", "--threads", "1", "--workers", "0", "--no-report"]
        done = subprocess.run([binary, "train", *arguments, *options], capture_output=True, text=True)
        if done.returncode not in (0, 6):
            print(" ".join(arguments), done.stderr, sep="\n")
            return None
    return out


def kept(run):
    """Loss and accuracy of the kept weights; an infinite loss where no epoch has one."""
    rows = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    epochs = {row["epoch"]: row for row in rows if row.get("event") == "epoch"}
    plain = {}
    # With label smoothing the loss is another one: statistics have the plain one beside it.
    for line in (run / "statistics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if isinstance(row.get("val_cross_entropy"), float):
            plain[row["epoch"]] = row["val_cross_entropy"]
    figures = [(plain.get(at, row["val_loss"]), row["val_accuracy"]) for at, row in epochs.items()]
    finite = [(loss, right) for loss, right in figures if isinstance(loss, float) and math.isfinite(loss)]
    return max(finite, key=lambda pair: (pair[1], -pair[0]), default=(math.inf, 0.0))


def diagnose(binary, run):
    done = subprocess.run([binary, "diagnose", str(run), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)["findings"]


def follow(binary, root, name, arguments):
    """The finding, its first advice, and the figures of each seed without and with it."""
    found, changes, before, after = None, None, [], []
    for seed in SEEDS:
        run = train(binary, root / f"{name}-{seed}", [*arguments, "--seed", str(seed)])
        if run is None:
            return "could not be trained", "", [], []
        if found is None:
            # Waiting for data is about time, not about the metric.
            advised = [f for f in diagnose(binary, run) if f["advice"] and f["name"] != "waiting-for-data"]
            if not advised:
                return "nothing advised", "", [], []
            found, first = advised[0]["name"], advised[0]["advice"][0]
            if first["to"].startswith("("):
                return found, f"{first['flag']} {first['to']}", [], []
            changes = [first["flag"], *([first["to"]] if first["to"] else [])]
        place = root / f"{name}-{seed}{''.join(changes)}"
        cured = train(binary, place, with_change(arguments, changes, seed))
        if cured is None:
            return found, " ".join(changes), [], []
        before.append(kept(run))
        after.append(kept(cured))
    return found, " ".join(changes), before, after


def without(arguments, option):
    """The arguments less an option, with its value."""
    place, left = 0, []
    while place < len(arguments):
        word = arguments[place]
        alone = "=" in word or place + 1 == len(arguments) or arguments[place + 1].startswith("--")
        if word.split("=")[0] != option:
            left += arguments[place : place + (1 if alone else 2)]
        place += 1 if alone or not word.startswith("--") else 2
    return left


def joined(data, options):
    """The arguments of a place and of a fault, which has the last word."""
    for option in options:
        if option.startswith("--"):
            data = without(data, option)
    return [*data, *options]


def with_change(arguments, changes, seed):
    """The arguments with an option set, which may stand among them already."""
    return [*without(arguments, changes[0]), *changes, "--seed", str(seed)]


def mean(values):
    return sum(values) / len(values)


def main(binary, root):
    root.mkdir(parents=True, exist_ok=True)
    rows, paid, tried, conditions = [], 0, 0, 0
    for fault, options in FAULTS.items():
        for place, data in places(root).items():
            conditions += 1
            fault_name = fault.replace("×", "times").replace("/", "by")
            name = "".join(letter if letter.isalnum() else "-" for letter in f"{fault_name}-{place}")
            found, advice, before, after = follow(binary, root, name, joined(data, options))
            if before:
                losses = [mean([loss for loss, _ in figures]) for figures in (before, after)]
                rights = [100 * mean([right for _, right in figures]) for figures in (before, after)]
                won = sum(a[1] > b[1] for a, b in zip(after, before))
                tried += 1
                paid += rights[1] > rights[0]
                loss = f"{losses[0]:.3f} → {losses[1]:.3f}"
                rows.append(f"| {fault} | {place} | `{found}` | `{advice}` | {rights[0]:.1f} → {rights[1]:.1f} % | {loss} | {won} of 3 |")
            else:
                rows.append(f"| {fault} | {place} | {found} | {advice} | not followed | – | – |")
            print(rows[-1], flush=True)
    print("| fault | data, network | first finding | its first advice | accuracy | loss | seeds won |")
    print("|---|---|---|---|---|---|---|", *rows, sep="\n")
    print(f"\n{conditions} conditions, advice followed in {tried}, better in {paid}.")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
