#!/usr/bin/env python3
"""Run the same ten configurations with two `wellfit` binaries and compare what comes out, bit for bit.

Usage: same_bits.py OLD NEW [--out DIR] [--only NAME,…] [--pictures-may-differ] [--new-seed N]

Compared are final weights, checkpoints, figures of each epoch and step, pictures, and what `evaluate`, `predict` and
`export` make of a run; also of a run of the old binary in the hands of the new one. File names and metadata may
differ. Variants of a configuration (threads, caches, a kill) are run with either binary and must come to the same as
the old binary's run of the configuration itself. The table has short SHA-256 sums of what was compared, and in
parentheses of how many tensors, epochs, steps or files; the exit code is 1 if anything differs.

`lab batchnorm` takes the real Fashion-MNIST (`apt-get install dataset-fashion-mnist`). `--new-seed` gives the new
binary another seed: to see that differences are found.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import read_run

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SIDE = 72  # pixels of a synthetic image
MAX_WAIT_S = 600


# --- Data -----------------------------------------------------------------------------------------------------------


def write_png(path, rows):
    """Write rows of RGB bytes as a PNG."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def draw(kind, numbers):
    """A noisy image of a disc or of stripes, as rows of RGB bytes."""
    x0, y0, radius = numbers.randrange(20, 52), numbers.randrange(20, 52), numbers.randrange(10, 20)
    color = [numbers.randrange(80, 256) for _ in range(3)]
    rows = []
    for y in range(SIDE):
        row = bytearray()
        for x in range(SIDE):
            disc = (x - x0) ** 2 + (y - y0) ** 2 < radius**2
            inside = disc if kind == "disc" else (x + y0) // radius % 2 == 0
            row += bytes((value if inside else 40) * numbers.randrange(60, 100) // 100 for value in color)
        rows.append(bytes(row))
    return rows


def make_photos(folder):
    """Two classes, 24 training and 8 test images each."""
    numbers = random.Random(15)
    for part, count in [("train", 24), ("test", 8)]:
        for kind in ["disc", "stripes"]:
            (folder / part / kind).mkdir(parents=True)
            for index in range(count):
                write_png(folder / part / kind / f"{index:02d}.png", draw(kind, numbers))


def images_to_classify(photos):
    """Some test images, and JPEG files of every kind that the tests have."""
    jpegs = sorted(REPOSITORY.glob("crates/*/tests/fixtures/pillow/*.jpg"))
    if not jpegs:
        sys.exit(f"no JPEG files below {REPOSITORY}/crates")
    return sorted(photos.glob("test/*/0[0-3].png")) + jpegs


def explicit(arguments):
    """A training with what was the default of every older version, and no longer is, said in words they all know."""
    if arguments[0] != "train":
        return arguments
    flips = [] if arguments[1] == "sample" else ["--vflip"]
    return [*arguments, *flips, *([] if "--monitor" in arguments else ["--monitor", "val_loss"])]


# --- Running --------------------------------------------------------------------------------------------------------


class Binary:
    """One of the two programs, with the folder its runs go to."""

    def __init__(self, name, path, folder, seed):
        self.name, self.path, self.folder, self.seed = name, path, folder, seed
        folder.mkdir(parents=True)

    def command(self, arguments, threads=2):
        return [str(self.path), *map(str, arguments), "--threads", str(threads), "--json", "--quiet"]

    def run(self, arguments, threads=2):
        """The object that a command prints with --json."""
        started = time.monotonic()
        done = subprocess.run(self.command(arguments, threads), cwd=self.folder, capture_output=True, text=True)
        told = " ".join(map(str, arguments))[:100]
        print(f"{self.name} {time.monotonic() - started:6.1f} s  {told}", file=sys.stderr)
        if done.returncode != 0:
            raise Failed(f"exit code {done.returncode} of {self.name}: {told}\n{done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])

    def train(self, name, arguments, threads=2):
        """A run and the sums of what it left."""
        result = self.run([*explicit(arguments), "--seed", self.seed, "--out", name], threads)
        return {**read_run.run(self.folder / name), "result": read_run.result(result)}

    def kill(self, name, arguments, checkpoints):
        """A run that is killed as soon as it has saved itself so many times."""
        arguments = [*explicit(arguments), "--seed", self.seed, "--out", name]
        process = subprocess.Popen(
            self.command(arguments), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_checkpoint(process, self.folder / name, checkpoints)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def resume(self, name):
        """The killed run, continued to its end."""
        result = self.run(["resume", name])
        return {**read_run.run(self.folder / name), "result": read_run.result(result)}

    def read(self, run, data, images, exports=True):
        """What `evaluate`, `predict` and `export` make of a run's directory."""
        sums = {
            "evaluate": read_run.result(self.run(["evaluate", run, data])),
            "predict": read_run.result(self.run(["predict", run, *images])),
        }
        if exports:
            out = self.folder / f"export-{run.parent.name}-{run.name}"
            for form in ["safetensors", "pth", "onnx"]:
                self.run(["export", run, "--format", form, "--out", out])
            sums["export"] = read_run.exported(out)
        return sums


class Failed(Exception):
    """A command that did not do what it was run for."""


def wait_for_checkpoint(process, run, number):
    """Wait until a run's newest checkpoint has at least this number."""
    until = time.monotonic() + MAX_WAIT_S
    while time.monotonic() < until:
        newest = read_run.newest_checkpoint(run)
        if newest and int(newest.name.split("-")[0]) >= number:
            return
        if process.poll() is not None:
            raise Failed(f"{run.name} ended (exit code {process.returncode}) before it could be killed")
        time.sleep(0.002)
    raise Failed(f"{run.name} saved nothing in {MAX_WAIT_S} s")


# --- Comparing ------------------------------------------------------------------------------------------------------


class Table:
    """Rows of what was compared."""

    def __init__(self, pictures_may_differ):
        self.pictures_may_differ = pictures_may_differ
        self.differences = 0
        self.rows = []

    def compare(self, configuration, variant, old, new):
        """One row for each thing that either side has; sides are dictionaries of dictionaries of sums.

        A variant that equals its configuration in all of them has one row.
        """
        if variant and old == new:
            what = "all of these" if len(old) > 3 else ", ".join(old)
            row = [configuration, variant, what, short(old), short(new), f"same ({len(flatten(old))})"]
            self.rows.append(row)
            return
        for what in [*old, *(key for key in new if key not in old)]:
            left, right = old.get(what, {}), new.get(what, {})
            if not left and not right:
                continue
            tolerated = what == "pictures" and self.pictures_may_differ
            verdict = "same" if left == right else "different (allowed)" if tolerated else "different"
            self.differences += verdict == "different"
            row = [configuration, variant, what, short(left), short(right), f"{verdict}{details(left, right)}"]
            self.rows.append(row)

    def failed(self, configuration, variant, error):
        """A row for what could not be run."""
        self.differences += 1
        self.rows.append([configuration, variant, "failed", "", "", str(error).replace("\n", " ")])

    def show(self):
        head = ["configuration", "variant", "what", "old", "new", ""]
        widths = [max(len(row[column]) for row in [head, *self.rows]) for column in range(5)]
        for row in [head, *self.rows]:
            print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[5]]).rstrip())
        print(f"{len(self.rows)} comparisons, {self.differences} different")


def flatten(sums):
    """The items of all things."""
    return [item for things in sums.values() for item in things]


def short(sums):
    """One short sum over all items."""
    return read_run.sha_json(sums)[:12] if sums else "-"


def details(old, new):
    """How many items differ, and some of their names."""
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if not names:
        return f" ({len(old)})"
    more = ", …" if len(names) > 3 else ""
    return f": {len(names)} of {len({*old, *new})}: {', '.join(names[:3])}{more}"


# --- The configurations ---------------------------------------------------------------------------------------------


class Comparison:
    """Both binaries, the data, and the table that fills while configurations run."""

    def __init__(self, old, new, photos, table):
        self.old, self.new, self.photos, self.table = old, new, photos, table
        self.images = images_to_classify(photos)

    def train(self, name, arguments, variants=(), needs_weights=True):
        """A run with both binaries; then variants (name, further arguments, threads) that must come to the same."""
        old = self.old.train(name, arguments)
        if needs_weights and not (old["weights"] and old["checkpoint"] and old["epochs"]):
            raise Failed("the old binary's run has no weights, checkpoint or epochs")
        self.table.compare(name, "", old, self.new.train(name, arguments))
        for variant, more, threads in variants:
            for binary in [self.old, self.new]:
                run = f"{name}-{variant}".replace(" ", "-")
                sums = binary.train(run, [*arguments, *more], threads)
                self.table.compare(name, f"{variant}, {binary.name}", old, sums)
        return old

    def read(self, name, data, exports=True, checkpoint=False):
        """evaluate, predict and export of a run by both binaries, and of the old one's run by the new one.

        With `checkpoint`, the run's newest checkpoint in place of the run.
        """
        old_run, new_run = self.old.folder / name, self.new.folder / name
        what = "run"
        if checkpoint:
            old_run, new_run = read_run.newest_checkpoint(old_run), read_run.newest_checkpoint(new_run)
            what = "checkpoint"
        expected = self.old.read(old_run, data, self.images, exports)
        self.table.compare(name, f"{what} read", expected, self.new.read(new_run, data, self.images, exports))
        by_new = self.new.read(old_run, data, self.images, exports)
        self.table.compare(name, f"old {what} read by new", expected, by_new)

    def interrupted(self, name, arguments, expected, checkpoints):
        """The run killed and resumed by each binary, and killed with the old one and resumed with the new one."""
        run = f"{name}-killed"
        for binary in [self.old, self.new]:
            binary.kill(run, arguments, checkpoints)
            if binary is self.old:
                shutil.copytree(self.old.folder / run, self.new.folder / "from-old" / run)
            # The result of a resumed run counts like any other; only the times in it differ.
            self.table.compare(name, f"killed, resumed, {binary.name}", expected, binary.resume(run))
        sums = self.new.resume(f"from-old/{run}")
        self.table.compare(name, "killed by old, resumed by new", expected, sums)


def lab_batchnorm(c):
    c.train("lab-batchnorm", ["lab", "batchnorm", "--epochs", 1], needs_weights=False)


def lab_dropout(c):
    variants = [("1 thread", [], 1)]
    c.train("lab-dropout", ["lab", "dropout", "--epochs", 300], variants, needs_weights=False)


def lab_transfer(c):
    options = "--model resnet18 --image-size 32 --batch-size 16 --epochs 12 --lr 0.003"
    rules = "--lr-scheduler --lr-patience 1 --early-stopping --patience 3 --min-delta 0.3"
    c.train("lab-transfer", ["lab", "transfer", c.photos, *options.split(), *rules.split()])
    c.read("lab-transfer", c.photos, exports=False)


def mlp(c):
    options = "--model mlp --epochs 4 --batch-size 64 --lr-scheduler --lr-patience 1 --checkpoint e{epoch}.safetensors"
    threads = [("1 thread", [], 1), ("3 threads", [], 3)]
    c.train("mlp", ["train", "sample", *options.split()], threads)
    c.read("mlp", "sample")


def mlp_bn(c):
    steps = "--optimizer sgd --momentum 0.9 --weight-decay 1e-4 --schedule cosine --label-smoothing 0.1 --clip-norm 1"
    rules = "--early-stopping --patience 1 --monitor val_loss --semantics keras"
    options = f"--model mlp-bn --epochs 6 --hflip {steps} {rules}"
    c.train("mlp-bn", ["train", "sample", *options.split()])
    c.read("mlp-bn", "sample")


def resnet20(c):
    options = "--model resnet20 --epochs 2 --val-split 0.8 --checkpoint-every 10steps"
    arguments = ["train", "sample", *options.split()]
    old = c.train("resnet20", arguments)
    c.interrupted("resnet20", arguments, old, checkpoints=6)
    c.read("resnet20", "sample")


def exact_conv(c):
    options = "--model resnet20 --epochs 1 --val-split 0.8 --exact-conv"
    c.train("exact-conv", ["train", "sample", *options.split()], [("1 thread", [], 1)])


CACHES = [
    ("no cache", ["--cache", "off"], 2),
    ("disk cache", ["--cache", "disk", "--cache-dir", "cache"], 2),
    ("disk cache again", ["--cache", "disk", "--cache-dir", "cache"], 1),
]


def resnet18(c):
    options = "--model resnet18 --image-size 64 --epochs 3 --batch-size 16"
    c.train("resnet18", ["train", c.photos, *options.split()], CACHES)
    c.read("resnet18", c.photos)


def resnet50(c):
    options = "--model resnet50 --image-size 96 --epochs 1 --batch-size 20 --optimizer adamw"
    c.train("resnet50", ["train", c.photos, *options.split()], [("1 thread", [], 1)])
    c.read("resnet50", c.photos, exports=False)


def frozen(c):
    """The backbone of another run: the old binary's, for both."""
    source = ["train", c.photos, *"--model resnet18 --image-size 64 --epochs 1 --batch-size 8".split()]
    c.old.run([*source, "--out", "backbone"])
    (weights,) = (c.old.folder / "backbone").glob("model*.safetensors")
    options = "--model resnet18 --image-size 64 --epochs 6 --batch-size 16 --freeze"
    c.train("frozen", ["train", c.photos, *options.split(), "--weights", weights], CACHES)
    c.read("frozen", c.photos)
    c.read("frozen", c.photos, exports=False, checkpoint=True)


CONFIGURATIONS = {
    "lab-batchnorm": lab_batchnorm,
    "lab-dropout": lab_dropout,
    "lab-transfer": lab_transfer,
    "mlp": mlp,
    "mlp-bn": mlp_bn,
    "resnet20": resnet20,
    "exact-conv": exact_conv,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "frozen": frozen,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="where runs go; must not exist [default: a temporary folder]")
    parser.add_argument("--only", help="names of configurations, separated by commas")
    parser.add_argument("--pictures-may-differ", action="store_true", help="report other pictures, do not fail")
    parser.add_argument("--new-seed", type=int, default=0, help="the new binary's seed [default: 0, as the old one's]")
    chosen = parser.parse_args()
    names = chosen.only.split(",") if chosen.only else list(CONFIGURATIONS)
    unknown = [name for name in names if name not in CONFIGURATIONS]
    if unknown:
        parser.error(f"no configuration {', '.join(unknown)}; there are {', '.join(CONFIGURATIONS)}")
    if chosen.out and chosen.out.exists():
        parser.error(f"{chosen.out} exists")
    return chosen, names


def compare(chosen, names, folder):
    make_photos(folder / "photos")
    table = Table(chosen.pictures_may_differ)
    old = Binary("old", chosen.old.resolve(), folder / "old", 0)
    new = Binary("new", chosen.new.resolve(), folder / "new", chosen.new_seed)
    comparison = Comparison(old, new, folder / "photos", table)
    for name in names:
        try:
            CONFIGURATIONS[name](comparison)
        except (Failed, OSError, ValueError, LookupError, struct.error) as error:
            table.failed(name, "", error)
    table.show()
    return 1 if table.differences else 0


def main():
    chosen, names = arguments()
    if chosen.out:
        chosen.out.mkdir(parents=True)
        return compare(chosen, names, chosen.out.resolve())
    with tempfile.TemporaryDirectory(prefix="wellfit-same-bits-") as folder:
        return compare(chosen, names, pathlib.Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main())
