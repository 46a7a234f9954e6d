#!/usr/bin/env python3
"""Does a training that processes share have the same bits for 1, 2 and 4 of them, and does it survive a killed one?

    scripts/mpi_test.py BINARY [--mpirun mpirun.openmpi] [--model resnet20] [--epochs 1] [--kills 3] [DATA] [SETTING…]

BINARY was built with `--features mpi` for the MPI whose mpirun this is; a SETTING is one of `wellfit train`, such as --sync-bn.
Prints a table; exits with 1 where something differs."""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import processes

parser = argparse.ArgumentParser()
parser.add_argument("binary", type=Path)
parser.add_argument("data", nargs="?", default="sample")
parser.add_argument("--mpirun", default="mpirun")
parser.add_argument("--model", default="resnet20")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--kills", type=int, default=3)
parser.add_argument("--seed", type=int, default=0, help="of the moments at which processes are killed")
parser.add_argument("--limit", type=float, default=10, help="seconds in which a job must end after a process died")
options, settings = parser.parse_known_args()

folder = Path(tempfile.mkdtemp(prefix="wellfit-mpi-"))
failures = []


def launcher(processes):
    """The words that start so many processes on this machine, however many cores it has."""
    version = subprocess.run([options.mpirun, "--version"], capture_output=True, text=True).stdout
    if "Open MPI" not in version and "OpenRTE" not in version:
        return [options.mpirun, "-n", str(processes)]
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return [options.mpirun, "-n", str(processes), "--oversubscribe", "--bind-to", "none", *root]


def command(processes, run, *more):
    usual = ["--model", options.model, "--epochs", str(options.epochs), "--checkpoint-every", "20steps", *settings, *more]
    train = [str(options.binary.resolve()), "train", options.data, "--out", str(run), "--threads", "1", "--no-report", *usual]
    return [*launcher(processes), *train]


def weights(run):
    return hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()[:16]


def wait(job, limit):
    """The seconds until the job has ended; more than `limit` is a failure."""
    began = time.monotonic()
    try:
        job.wait(limit)
    except subprocess.TimeoutExpired:
        job.kill()
        job.wait()
    return time.monotonic() - began


def ranks(run):
    """The processes that train there."""
    program, place = str(options.binary.resolve()).encode(), str(run).encode()
    typed = ((number, line.split(b"\0")) for number, line in processes("cmdline"))
    return sorted(number for number, words in typed if words[0] == program and place in words)


def compare():
    hashes = {}
    for processes in [1, 2, 4]:
        run = folder / f"run-{processes}"
        began = time.monotonic()
        done = subprocess.run(command(processes, run), capture_output=True, text=True)
        seconds = time.monotonic() - began
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-2000:])
            failures.append(f"{processes} processes: exit code {done.returncode}")
            continue
        hashes[processes] = weights(run)
        said = re.search(r"[\d.]+ % of the time this process waited", done.stdout)
        print(f"{processes} processes: {hashes[processes]}, {seconds:.1f} s {said.group(0) if said else ''}", flush=True)
    if len(set(hashes.values())) != 1:
        failures.append(f"the bits differ: {hashes}")
    return hashes.get(1)


def kill(number, expected):
    """Kill one of four processes at some moment; the run then goes on with two."""
    chance = random.Random(options.seed * 1000 + number)
    run = folder / f"killed-{number}"
    job = subprocess.Popen(command(4, run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while len(ranks(run)) < 4 or not (run / "steps.jsonl").exists():
        if job.poll() is not None:
            failures.append(f"kill {number}: the job ended by itself: {job.stderr.read()[-500:]}")
            return
        time.sleep(0.05)
    time.sleep(chance.uniform(0, 4))
    victims = ranks(run)
    if not victims:
        print(f"kill {number}: too late, the job was over")
        return
    os.kill(chance.choice(victims), signal.SIGKILL)
    seconds = wait(job, options.limit + 20)
    said = next((line for line in job.stderr.read().splitlines() if "signal" in line.lower() or "termination" in line.lower()), "")
    left = ranks(run)
    again = subprocess.run(command(2, run, "--resume", "auto"), capture_output=True, text=True)
    found = weights(run) if again.returncode == 0 else f"exit code {again.returncode}: {again.stderr[-500:]}"
    print(f"kill {number}: ended after {seconds:.1f} s ({said.strip()}), resumed to {found}", flush=True)
    if seconds > options.limit or left or job.returncode == 0 or found != expected:
        failures.append(f"kill {number}: {seconds:.1f} s, left {left}, {found}")


try:
    expected = compare()
    for number in range(options.kills):
        kill(number, expected)
finally:
    shutil.rmtree(folder, ignore_errors=True)
print("\n".join(failures) or "the same bits, and every job ended and was resumed to them")
sys.exit(1 if failures else 0)
