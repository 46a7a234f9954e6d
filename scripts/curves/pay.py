"""Do recommendations pay? Provoke a fault, follow the first advice of `wellfit diagnose`, and compare on three seeds.

    python3 scripts/curves/pay.py WELLFIT OUT_DIR EMOJI_DIR      # WELLFIT is the binary; may be interrupted

A condition pays if following the advice makes the mean over the seeds of the validation metric better: the lowest validation
loss, in plain cross-entropy. Advice that is a word in brackets, or a flag without a value that is already on, is not followed,
and counted. The last lines are the table of docs/diagnose-benchmark.md.
"""

import json
import pathlib
import subprocess
import sys

SEEDS = (1, 2, 3)
# Name, and what provokes it. Rates are those of Adam unless said.
FAULTS = {
    "rate × 30": ["--lr", "0.03", "--schedule", "constant", "--epochs", "15"],
    "rate × 100": ["--lr", "0.1", "--schedule", "constant", "--epochs", "15"],
    "rate / 30": ["--lr", "3e-5", "--schedule", "constant", "--epochs", "15"],
    "rate / 100": ["--lr", "1e-5", "--schedule", "constant", "--epochs", "15"],
    "six epochs": ["--lr", "2e-4", "--schedule", "constant", "--epochs", "6"],
    "patience 1": ["--lr", "1e-3", "--schedule", "constant", "--epochs", "40", "--patience", "1"],
    "no decay, long": ["--lr", "1e-3", "--schedule", "constant", "--epochs", "60"],
    "high constant rate": [
        *("--optimizer", "sgd", "--momentum", "0.9", "--lr", "0.1"),
        *("--schedule", "constant", "--epochs", "30"),
    ],
    "decay 0.3": ["--lr", "1e-3", "--schedule", "constant", "--epochs", "20", "--weight-decay", "0.3"],
}
SMALL = ["--image-size", "24", "--scaling", "zscore"]


def places(emoji):
    return {
        "sample, mlp": ["sample", "--model", "mlp"],
        "sample, mlp-bn": ["sample", "--model", "mlp-bn"],
        "emoji, mlp-bn": [str(emoji), "--model", "mlp-bn", *SMALL, "--hflip=false"],
    }


def train(binary, out, arguments):
    """The run, made unless it is there; `None` where the training could not be done."""
    events = out / "events.jsonl"
    if not (events.exists() and '"event":"stop"' in events.read_text()):
        command = [binary, "train", *arguments, "--out", str(out), "--force", "--quiet", "--threads", "1"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 6):
            print(" ".join(command), done.stderr, sep="\n")
            return None
    return out


def lowest_loss(run):
    """The lowest validation loss; infinite where there is none that is finite."""
    lowest = float("inf")
    for line in (run / "events.jsonl").read_text().splitlines():
        loss = json.loads(line).get("val_loss")
        if isinstance(loss, float) and loss == loss:
            lowest = min(lowest, loss)
    # With label smoothing the loss is another one: statistics have the plain one beside it.
    plain = []
    for line in (run / "statistics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if isinstance(row.get("val_cross_entropy"), float):
            plain.append(row["val_cross_entropy"])
    return min(plain) if plain else lowest


def diagnose(binary, run):
    done = subprocess.run([binary, "diagnose", str(run), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)["findings"]


def follow(binary, root, place, arguments):
    """A row of the table: finding, advice, mean metric without and with it, seeds won."""
    found, changes, before, after = None, None, [], []
    for seed in SEEDS:
        run = train(binary, root / f"{place}-{seed}", [*arguments, "--seed", str(seed)])
        if run is None:
            return None
        if found is None:
            # Waiting for data is about time, not about the metric.
            advised = [f for f in diagnose(binary, run) if f["advice"] and f["name"] != "waiting-for-data"]
            if not advised:
                return ("nothing advised", "", [], [])
            found, first = advised[0]["name"], advised[0]["advice"][0]
            if first["to"].startswith("("):
                return (found, f"{first['flag']} {first['to']}", [], [])
            changes = [first["flag"], *([first["to"]] if first["to"] else [])]
        cured = train(binary, root / f"{place}-{seed}-advised", with_change(arguments, changes, seed))
        if cured is None:
            return (found, " ".join(changes), [], [])
        before.append(lowest_loss(run))
        after.append(lowest_loss(cured))
    return (found, " ".join(changes), before, after)


def with_change(arguments, changes, seed):
    """The arguments with an option set, which may stand among them already."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == changes[0]:
            skip = True
        else:
            kept.append(argument)
    return [*kept, *changes, "--seed", str(seed)]


def main(binary, root, emoji):
    root.mkdir(parents=True, exist_ok=True)
    rows, paid, tried = [], 0, 0
    for fault, options in FAULTS.items():
        for place, data in places(emoji).items():
            name = f"{fault}-{place}".replace(" ", "-").replace(",", "").replace("/", "by")
            row = follow(binary, root, name, [*data, *options])
            if row is None:
                continue
            found, advice, before, after = row
            if before:
                tried += 1
                won = sum(a < b for a, b in zip(after, before))
                better = sum(after) < sum(before)
                paid += better
                mean = [sum(values) / len(values) for values in (before, after)]
                rows.append(
                    f"| {fault} | {place} | `{found}` | `{advice}` | {mean[0]:.3f} → {mean[1]:.3f} | {won} of {len(SEEDS)} |"
                )
            else:
                rows.append(f"| {fault} | {place} | {found} | {advice} | not followed | – |")
            print(rows[-1], flush=True)
    print("| fault | data, network | first finding | its first advice | lowest validation loss | seeds won |")
    print("|---|---|---|---|---|---|", *rows, sep="\n")
    print(f"\nFollowed {tried} times, better {paid} times.")


if __name__ == "__main__":
    binary, root, emoji = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    main(binary, root, emoji)
