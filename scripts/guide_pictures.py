"""Makes every picture of the guide, and the logs of its findings, with the program; and prints the numbers that the guide quotes.

    apt-get install tuxpaint-stamps-default dataset-fashion-mnist      # and npm, for the emoji
    python3 scripts/guide_pictures.py WELLFIT WORK [PART …]            # needs numpy and Pillow; PART is a function below

It takes some twenty minutes on two cores; WORK keeps data and runs. The curves of findings are those of
crates/diagnose/tests/fixtures/curves.jsonl.gz (docs/diagnose-benchmark.md): recorded trainings with a fault that was provoked.
"""

import collections
import gzip
import json
import math
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

from recipe_sets import stamps

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = ROOT / "guide"
PICTURES = GUIDE / "pictures"
WELLFIT = pathlib.Path(sys.argv[1]).resolve()
WORK = pathlib.Path(sys.argv[2]).resolve()

SERIES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
LAYERS = ("first_layer_gradient", "last_layer_gradient", "dead_units", "alpha")

# For each finding the recorded training that shows it, its epochs (all if None), and whether figures of layers are in the log.
RECORDED = {
    "diverged": ("digits8/cnn/lowered/sgd-5/0", None, False),
    "not-learning": ("digits8/cnn/high-rate/sgd-10/0", None, False),
    "vanishing-gradients": ("digits8/deep/scaled-weights/adam-1/0", None, True),
    "dead-units": ("digits8/cnn/high-rate/adam-10/0", None, True),
    "lr-too-high": ("digits8/deep/scaled-weights/sgd-2/0", None, False),
    "overfitting": ("fashion28/mlp/easy-val/half/0", None, False),
    "overconfident": ("digits8/mlp/good/sgd/1", None, False),
    "underfitting": ("fashion28/mlp/decay/0.5/0", None, False),
    "lr-too-low": ("fashion28/mlp/low-rate/adam-100/0", None, False),
    "stopped-too-early": ("digits8/mlp/good/sgd/1", 11, False),
    "still-improving": ("digits8/mlp/low-rate/sgd-30/0", None, False),
    "plateau": ("digits8/cnn/good/sgd/0", None, False),
    "generalization-gap": ("fashion28/mlp-bn/little-data/100/1", None, False),
    "validation-too-small": ("digits8/cnn/small-val/25/0", None, False),
    "healthy": ("digits8/cnn/healthy/0/10", None, False),
}


def wellfit(line, quiet=True):
    """Runs a command in WORK and says how long it took."""
    began = time.monotonic()
    done = subprocess.run([WELLFIT, *line.split()], cwd=WORK, text=True, capture_output=True)
    print(f"$ wellfit {line}\n  {time.monotonic() - began:.1f} s, code {done.returncode}", flush=True)
    if done.returncode or not quiet:
        print(done.stdout + done.stderr, flush=True)
    return done.stdout


def keep(file, name):
    shutil.copyfile(WORK / file, PICTURES / name)


def data():
    """The folders that the commands read."""
    stamps(WORK / "photos")
    food(WORK / "emoji")
    clothes(WORK / "clothes")


def food(out):
    """Emoji of food and drink, or anything else: one vendor's to train on, another's to test on."""
    for part, vendor in (("train", "google"), ("test", "twitter")):
        with tempfile.TemporaryDirectory() as folder:
            name = f"emoji-datasource-{vendor}@16.0.0"
            packed = subprocess.run(["npm", "pack", "-s", name], cwd=folder, check=True, capture_output=True, text=True)
            with tarfile.open(pathlib.Path(folder) / packed.stdout.strip().splitlines()[-1]) as archive:
                archive.extractall(folder, filter="data")
            package = pathlib.Path(folder) / "package"
            emoji = [e for e in json.loads((package / "emoji.json").read_text()) if e.get(f"has_img_{vendor}")]
            eaten = [e for e in emoji if e["category"] == "Food & Drink"]
            others = ("Animals & Nature", "Objects", "Activities", "Travel & Places", "Symbols")
            rest = [e for e in emoji if e["category"] in others]
            rest = random.Random(8).sample(rest, min(len(rest), 500 - len(eaten)))
            for label, group in (("food", eaten), ("other", rest)):
                place = out / part / label
                place.mkdir(parents=True, exist_ok=True)
                for file in (package / "img" / vendor / "64" / e["image"] for e in group):
                    if file.exists():
                        shutil.copyfile(file, place / file.name)


def clothes(out):
    """Three kinds of Fashion-MNIST's clothes, one of them rare in training."""
    from PIL import Image

    folder = pathlib.Path("/usr/share/datasets/fashion-mnist")
    for part, files, counts in (("train", "train", (400, 400, 12)), ("val", "t10k", (100, 100, 100))):
        pixels = gzip.open(folder / f"{files}-images-idx3-ubyte.gz").read()[16:]
        labels = gzip.open(folder / f"{files}-labels-idx1-ubyte.gz").read()[8:]
        for (label, name), count in zip(((0, "t-shirt"), (2, "pullover"), (6, "shirt")), counts):
            place = out / part / name
            place.mkdir(parents=True, exist_ok=True)
            for number in [i for i, found in enumerate(labels) if found == label][:count]:
                image = Image.frombytes("L", (28, 28), pixels[784 * number : 784 * (number + 1)])
                image.save(place / f"{number:05}.png")


def rows(line, epochs, layers):
    """A recorded training as a table: a row an epoch."""
    steps = collections.defaultdict(list)
    for step in line["steps"]:
        steps[step["epoch"]].append(step)
    for place in range(epochs or len(line["train_loss"])):
        row = {"epoch": place + 1} | {name: line[name][place] for name in SERIES}
        known = steps[place + 1] if layers else []
        gradients = [step["gradients"] for step in known if None not in step["gradients"]]
        if gradients:
            row["first_layer_gradient"] = statistics.median(layer[0] for layer in gradients)
            row["last_layer_gradient"] = statistics.median(layer[-1] for layer in gradients)
        dead = [step["dead"] for step in known if step.get("dead") and None not in step["dead"]]
        if dead:
            row["dead_units"] = max(statistics.median(layer) for layer in zip(*dead))
        alphas = [step["alpha"] for step in known if step.get("alpha") is not None]
        if alphas:
            row["alpha"] = statistics.median(alphas)
        yield row


def computed():
    """What no recorded training shows, as formulas of the epoch: a name, the columns, the rows."""
    floor = math.log1p(9 / math.e)
    epochs = range(1, 21)
    losses = [(1.6 * 0.8**e + 0.2, 1.5 * 0.82**e + 0.35) for e in epochs]
    beside = lambda of: [(u, v, *of(e, v)) for e, (u, v) in zip(epochs, losses)]
    wave = lambda e: math.sin(9.0 * e)
    softmax = [(floor + 0.75 * 0.7**e, floor + 0.8 * 0.7**e, 1 - 0.9 * 0.6**e, 0.99 - 0.9 * 0.6**e) for e in epochs]
    yield "double-softmax", ("train_loss", "val_loss", "train_accuracy", "val_accuracy"), softmax
    gradients = ("train_loss", "val_loss", "first_layer_gradient", "last_layer_gradient")
    yield "exploding-gradients", gradients, beside(lambda e, v: (240 * 1.02**e * (1 + 0.3 * wave(e)), 1.1 + 0.2 * wave(2 * e)))
    reestimated = ("train_loss", "val_loss", "val_loss_reestimated")
    yield "batchnorm-statistics", reestimated, [(u, v + 0.012 * e, v) for e, (u, v) in zip(epochs, losses)]
    spikes = [(u + (2.4 if e == 9 else 0.01 * wave(e)), v + (0.3 if e == 9 else 0.0)) for e, (u, v) in zip(epochs, losses)]
    yield "loss-spikes", ("train_loss", "val_loss"), spikes
    above = [(0.80 - 0.5 * 0.7**e, 0.79 - 0.5 * 0.7**e, 0.90 - 0.5 * 0.7**e) for e in epochs]
    yield "validation-above-train", ("train_accuracy", "train_eval_accuracy", "val_accuracy"), above
    waits = ("train_loss", "val_loss", "data_wait_share", "lr")
    cosine = lambda e: 0.0005 * (1 + math.cos(math.pi * (e - 1) / 19))
    yield "waiting-for-data", waits, beside(lambda e, _: (0.7 if e == 1 else 0.46 + 0.02 * wave(e), cosine(e)))


def table(name, columns, values):
    text = ",".join(columns) + "\n"
    for row in values:
        text += ",".join("" if value is None else "nan" if value != value else f"{value:.4g}" for value in row) + "\n"
    (GUIDE / "logs" / f"{name}.csv").write_text(text)


def logs():
    """The logs of findings."""
    fixture = ROOT / "crates/diagnose/tests/fixtures/curves.jsonl.gz"
    lines = {line["id"]: line for line in map(json.loads, gzip.open(fixture))}
    for name, (key, epochs, layers) in RECORDED.items():
        found = list(rows(lines[key], epochs, layers))
        columns = [column for column in ("epoch", *SERIES, *LAYERS) if any(column in row for row in found)]
        lost = {"train_loss", "val_loss"}
        value = lambda row, column: math.nan if row.get(column) is None and column in lost else row.get(column)
        table(name, columns, [[value(row, column) for column in columns] for row in found])
    for name, columns, values in computed():
        table(name, ("epoch", *columns), [(epoch, *row) for epoch, row in enumerate(values, 1)])


def findings():
    """The picture of each log, by the guide's own command."""
    shutil.rmtree(WORK / "logs", ignore_errors=True)
    shutil.copytree(GUIDE / "logs", WORK / "logs")
    commands = [line for line in (GUIDE / "findings.md").read_text().splitlines() if line.startswith("wellfit diagnose logs/")]
    for command in commands:
        picture = command.split("--picture ")[1]
        wellfit(command.removeprefix("wellfit ") + " --force")
        keep(picture, picture)


def photos():
    """The pictures of the first chapter."""
    wellfit("data show photos --out photos.png")
    keep("photos.png", "photos.png")
    wellfit("train photos --recipe linear-probe --cache disk --out runs/first --force", quiet=False)
    keep("runs/first/loss.svg", "first-loss.svg")
    wellfit("diagnose runs/first", quiet=False)
    wellfit("prove photos --recipe linear-probe --cache disk --technique label-smoothing --seeds 6 --out runs/trial --resume auto", quiet=False)
    keep("runs/trial/differences.svg", "differences.svg")
    wellfit("evaluate runs/first photos --out runs/first-test --force", quiet=False)
    keep("runs/first-test/confusion.png", "confusion.png")
    wellfit("explain runs/first photos/test/animals/000.png --out heat --force")
    keep("heat/explanation.png", "heat.png")


def images():
    """The pictures of findings that are about images: duplicates, wrong labels, a rare class."""
    from PIL import Image, ImageOps

    changed = WORK / "changed"
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(WORK / "photos", changed)
    source = sorted((changed / "train/animals").glob("*.png"))[:3]
    change = (lambda image: image.resize((160, 160)), ImageOps.mirror, lambda image: image)
    for number, (file, of) in enumerate(zip(source, change)):
        of(Image.open(file)).save(changed / f"test/animals/copy-{number}.png")
    wellfit("data dedupe changed --sheet sheet.png --force")
    keep("sheet.png", "duplicates.png")
    wellfit("train sample --model mlp-bn --epochs 6 --folds 3 --out runs/folds --force")
    wellfit("probe runs/folds", quiet=False)
    keep("runs/folds/probe-labels.png", "label-errors.png")
    wellfit("train clothes --model resnet20 --image-size 28 --epochs 8 --out runs/clothes --force")
    wellfit("diagnose runs/clothes --picture class-imbalance.svg --force", quiet=False)
    keep("class-imbalance.svg", "class-imbalance.svg")


def experiments():
    """The pictures of the experiments."""
    wellfit("lab batchnorm --out runs/batchnorm --force", quiet=False)
    keep("runs/batchnorm/batch.png", "batch.png")
    wellfit("plot runs/batchnorm --format svg --out plots --force")
    keep("plots/loss-epoch-2.svg", "batchnorm.svg")
    wellfit("lab batchnorm --seeds 6 --out runs/batchnorm-6 --force", quiet=False)
    wellfit("prove sample --technique batch-norm --model mlp --seeds 6 --epochs 4 --out runs/batchnorm-proof --resume auto", quiet=False)
    wellfit("lab dropout --out runs/dropout --force", quiet=False)
    for epoch in ("0050", "0950"):
        keep(f"runs/dropout/fit-{epoch}.png", f"dropout-{epoch}.png")
    wellfit("lab dropout --seeds 10 --out runs/dropout-10 --force", quiet=False)


def transfer():
    """The pictures of the third experiment: hours are not needed, some ten minutes are."""
    for name, options in (("plain", ""), ("scheduler", " --lr-scheduler"), ("stopping", " --early-stopping")):
        wellfit(f"lab transfer emoji --model resnet20 --image-size 32 --epochs 40{options} --out runs/{name} --force", quiet=False)
        picture = next((WORK / f"runs/{name}").glob("loss*.svg"))
        shutil.copyfile(picture, PICTURES / f"{name}-loss.svg")
        wellfit(f"diagnose runs/{name}", quiet=False)
    wellfit("replay --run runs/plain --early-stopping patience=5 --lr-scheduler patience=5", quiet=False)


def proof():
    """The verdict of the third experiment."""
    wellfit(
        "prove emoji --model resnet20 --image-size 32 --epochs 15 --technique lr-scheduler --seeds 6 --out runs/proof --resume auto",
        quiet=False,
    )


def main():
    PICTURES.mkdir(exist_ok=True)
    (GUIDE / "logs").mkdir(exist_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    parts = sys.argv[3:] or ["data", "logs", "findings", "photos", "images", "experiments", "transfer", "proof"]
    for part in parts:
        globals()[part]()


if __name__ == "__main__":
    main()
