#!/usr/bin/env python3
"""Cuts the power of a disk with a run on it: nothing that was committed may be lost.

A run is trained on a file system in an image whose every write and flush is recorded (QEMU's `blklogwrites`, through a
FUSE export and a loop device). For a cut at any moment of the record, an image is made of all that was written before
the last flush, and of any part of what was written since, by sectors of 512 bytes in any selection: that is what a disk
with a cache may hold. The image is mounted, which recovers its journal, and the run in it is looked at:

* the newest checkpoint of which the record said that it stands before the cut is whole, or a later one is;
* `wellfit resume` ends with the weights, the losses of all steps and the pictures of an uninterrupted run.

    just power-cuts target/release/wellfit [--cuts 60] [--seed 0] [--systems ext4-ordered ext2 …]

It needs root, loop devices, and Debian's packages qemu-utils, e2fsprogs and xfsprogs.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4
# Command to make it, options to mount it, MiB, whether it has a journal.
SYSTEMS = {
    "ext4-ordered": (["mkfs.ext4", "-q", "-F"], "data=ordered", 64, True),
    "ext4-journal": (["mkfs.ext4", "-q", "-F"], "data=journal", 64, True),
    "ext4-writeback": (["mkfs.ext4", "-q", "-F"], "data=writeback", 64, True),
    "xfs": (["mkfs.xfs", "-q", "-f"], "nouuid", 320, True),
    "ext2": (["mkfs.ext2", "-q", "-F"], "", 64, False),
}
OPTIONS = (
    "--model mlp --image-size 16 --epochs 12 --batch-size 4 --hflip --checkpoint-every 1steps "
    "--checkpoint e{epoch}.safetensors --threads 1 --quiet"
).split()


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options)


@contextlib.contextmanager
def mounted(image, options, folder):
    """The file system of an image file, in `folder`."""
    loop = run("losetup", "-f", "--show", image).stdout.strip()
    try:
        run("mount", *(["-o", options] if options else []), loop, folder)
        try:
            yield folder
        finally:
            run("umount", folder)
    finally:
        run("losetup", "-d", loop)


@contextlib.contextmanager
def recorded(disk, log, export):
    """A file that is the disk, and whose writes and flushes go into the log."""
    export.touch()
    log.touch()
    daemon = subprocess.Popen(
        ["qemu-storage-daemon"]
        + ["--blockdev", f"driver=file,filename={disk},node-name=file"]
        + ["--blockdev", "driver=raw,file=file,node-name=disk"]
        + ["--blockdev", f"driver=file,filename={log},node-name=log"]
        + ["--blockdev", "driver=blklogwrites,file=disk,log=log,node-name=recorded"]
        + ["--export", f"fuse,id=export,node-name=recorded,mountpoint={export},writable=on"]
    )
    try:
        while export.stat().st_size == 0:
            if daemon.poll() is not None:
                sys.exit("qemu-storage-daemon ended")
            time.sleep(0.05)
        yield export
    finally:
        daemon.terminate()
        daemon.wait()


def entries(log):
    """The record: (first sector, flags, bytes, where in the log it ends)."""
    data = log.read_bytes()
    magic, _version, count, size = struct.unpack_from("<QQQI", data)
    assert magic == 0x6A736677736872, "no record of writes"
    at, found = size, []
    for _ in range(count):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", data, at)
        at += size
        length = 0 if flags & DISCARD else sectors * size
        found.append((sector * size, flags, data[at : at + length], at + length))
        at += length
    return found


def record_run(wellfit, data, system, place, folder):
    """Train on a recorded disk: the disk before, its record, where the run begins in it, and what was told when."""
    make, options, size, _ = SYSTEMS[system]
    disk, log, export = place / "disk.img", place / "log", place / "export.img"
    with open(disk, "wb") as file:
        file.truncate(size << 20)
    told = []
    with recorded(disk, log, export):
        run(*make, export)
        with mounted(export, options, folder):
            os.sync()
            begin = log.stat().st_size
            over = threading.Event()

            def watch():
                events, known = folder / "run/events.jsonl", 0
                while not over.is_set():
                    text = events.read_text() if events.exists() else ""
                    lines = [line for line in text.split("\n")[:-1] if '"checkpoint"' in line]
                    if len(lines) > known:
                        known = len(lines)
                        told.append((log.stat().st_size, max(json.loads(line)["step"] for line in lines)))
                    time.sleep(0.002)

            watcher = threading.Thread(target=watch)
            watcher.start()
            run(wellfit, "train", data, *OPTIONS, "--out", folder / "run")
            over.set()
            watcher.join()
            told.append((log.stat().st_size, -1))
    return entries(log), begin, told, size


def cut_image(record, base, at, random_, image):
    """What a disk may hold if the power goes after the record's entry `at`; `base` has all before the last flush."""
    shutil.copyfile(base, image)
    with open(image, "r+b") as file:
        for offset, flags, data, _ in record[at[0] : at[1] + 1]:
            share = 1.0 if flags & FUA else random_.choice([0.0, 0.5, 1.0])
            for part in range(0, len(data), SECTOR):
                if random_.random() < share:
                    file.seek(offset + part)
                    file.write(data[part : part + SECTOR])


def whole(checkpoint):
    """Whether every byte of a checkpoint is right, and its step."""
    try:
        manifest = (checkpoint / "manifest.json").read_bytes()
        sum_ = (checkpoint / "manifest.sha256").read_text().split()[0]
        if hashlib.sha256(manifest).hexdigest() != sum_:
            return None
        about = json.loads(manifest)
        for file in about["files"]:
            if hashlib.sha256((checkpoint / file["name"]).read_bytes()).hexdigest() != file["sha256"]:
                return None
        return about["info"]["step"]
    except (OSError, ValueError, IndexError, KeyError):
        return None


def ending(path):
    """The files of a run that must not depend on what happened to it."""
    names = [file.name for file in path.iterdir() if re.search(r"\.(safetensors|png|svg)$|^steps|^statistics", file.name)]
    return {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in names}


def examine(wellfit, data, run_, promised, reference):
    """What is wrong with a run after a cut: ("lost", …) if that is found out, ("wrong", …) if nothing tells."""
    if not (run_ / "run.toml").exists():
        return None if promised is None else ("lost", "there is no run")
    steps = [whole(path) for path in (run_ / "checkpoints").glob("*-last")]
    best = max((step for step in steps if step is not None), default=-1)
    lost = promised is not None and best < promised
    resumed = subprocess.run([wellfit, "resume", run_, data, "--quiet"], capture_output=True, text=True)
    if resumed.returncode != 0:
        return ("lost", f"resume: {resumed.stderr.strip()}")
    verified = subprocess.run([wellfit, "verify", run_], capture_output=True, text=True)
    if verified.returncode != 0:
        return ("lost", "verify says so: " + "; ".join(re.findall(r"^(\S+) +BAD", verified.stdout, re.MULTILINE)))
    if (found := ending(run_)) != reference:
        other = [name for name in found.keys() | reference.keys() if found.get(name) != reference.get(name)]
        return ("wrong", f"other content: {other}")
    return ("lost", f"step {best} is left, {promised} was told") if lost else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("wellfit", type=Path)
    parser.add_argument("--cuts", type=int, default=60, help="for each file system")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--data", required=True, help="a small folder of pictures, one folder a class")
    given = parser.parse_args()
    wellfit, data = given.wellfit.resolve(), Path(given.data).resolve()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as root:
        root = Path(root)
        (root / "reference").mkdir()
        run(wellfit, "train", data, *OPTIONS, "--out", root / "reference/run")
        reference = ending(root / "reference/run")
        for system in given.systems:
            _, options, size, journals = SYSTEMS[system]
            place, folder = root / system, root / system / "mounted"
            folder.mkdir(parents=True)
            record, begin, told, size = record_run(wellfit, data, system, place, folder)
            first = next(i for i, entry in enumerate(record) if entry[3] >= begin)
            random_ = random.Random(f"{given.seed} {system}")
            cuts = sorted(random_.randrange(first, len(record)) for _ in range(given.cuts))
            base, image, done = place / "base.img", place / "cut.img", 0
            with open(base, "wb") as file:
                file.truncate(size << 20)
            found, flushed, promises = [], 0, 0
            for cut in cuts:
                flush = max((i for i in range(flushed, cut + 1) if record[i][1] & FLUSH), default=flushed)
                with open(base, "r+b") as file:
                    for offset, _, content, _ in record[done:flush]:
                        file.seek(offset)
                        file.write(content)
                done = flushed = flush
                cut_image(record, base, (flush, cut), random_, image)
                if not journals:
                    subprocess.run(["e2fsck", "-fy", image], capture_output=True)
                promised = max((step for end, step in told if step >= 0 and end <= record[cut][3]), default=None)
                promises += promised is not None
                copy = place / "copy"
                shutil.rmtree(copy, ignore_errors=True)
                with mounted(image, options, folder):
                    if (folder / "run").exists():
                        shutil.copytree(folder / "run", copy / "run")
                    else:
                        copy.mkdir()
                problem = examine(wellfit, data, copy / "run", promised, reference)
                if problem:
                    found.append(problem)
                    print(f"  {system}, cut at {cut} of {len(record)} writes: {problem[0]}: {problem[1]}")
            lost, wrong = (sum(kind == name for kind, _ in found) for name in ["lost", "wrong"])
            print(
                f"{system:16} {len(record) - first:5} writes and flushes, {len(cuts)} cuts, {promises} of them after a "
                f"commit: {lost} lost something, {wrong} wrong unnoticed",
                flush=True,
            )
            bad += wrong + (lost if journals else 0)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
