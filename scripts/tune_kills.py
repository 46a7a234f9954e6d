#!/usr/bin/env python3
"""Is every trial of a study finished once, or given up after all its retries, however often its workers are killed?

    scripts/with_postgres.sh PYTHON scripts/tune_kills.py BINARY [--trials 200] [--kills 200] [--jobs 4] [SETTING…]

Workers of `wellfit tune` are killed with SIGKILL at random moments; Optuna then reads the study. The storage is `--storage`, else the
address in WELLFIT_TEST_POSTGRES, else an SQLite file; BINARY was built with that feature. A SETTING is one of `wellfit tune`. Needs
optuna, and psycopg2-binary for PostgreSQL. Prints what became of the trials; exits with 1 where one is lost or done twice."""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna

from processes import processes

parser = argparse.ArgumentParser()
parser.add_argument("binary", type=Path)
parser.add_argument("--data", default="sample")
parser.add_argument("--storage", default=os.environ.get("WELLFIT_TEST_POSTGRES"))
parser.add_argument("--trials", type=int, default=200)
parser.add_argument("--kills", type=int, default=200)
parser.add_argument("--jobs", type=int, default=4)
parser.add_argument("--retries", type=int, default=3)
parser.add_argument("--pause", type=float, default=1.5, help="seconds between two kills, on average")
parser.add_argument("--seed", type=int, default=0, help="of the moments and the victims")
options, settings = parser.parse_known_args()

folder = Path(tempfile.mkdtemp(prefix="wellfit-tune-"))
storage = options.storage or f"sqlite:///{folder}/study.db"
name = f"kills-{folder.name}"
chance = random.Random(options.seed)


def workers(parent):
    """The processes that it started."""
    # The name of a program may hold spaces, and ends with the last parenthesis; then its state and its parent.
    told = ((number, line.rpartition(b")")[2].split()) for number, line in processes("stat"))
    return sorted(number for number, fields in told if int(fields[1]) == parent and fields[0] != b"Z")


def search():
    """Run the search to its end, killing on the way; the number of kills."""
    command = [str(options.binary.resolve()), "tune", options.data, "--trials", str(options.trials), "--jobs", str(options.jobs)]
    command += ["--storage", storage, "--study", name, "--retries", str(options.retries), "--out", str(folder / "out")]
    command += ["--threads", "1", *settings]
    with open(folder / "log", "w") as log:
        job = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        killed = 0
        while job.poll() is None:
            time.sleep(chance.expovariate(1 / options.pause))
            there = workers(job.pid)
            if there and killed < options.kills:
                os.kill(chance.choice(there), signal.SIGKILL)
                killed += 1
    if job.returncode:
        sys.exit(f"the search ended with exit code {job.returncode}:\n{(folder / 'log').read_text()[-3000:]}")
    return killed


def in_python(address):
    """The same database for SQLAlchemy, which takes the certificate of an authority as libpq does."""
    return address.replace("postgresql://", "postgresql+psycopg2://")


def check(killed):
    """What is wrong with the study."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = optuna.load_study(study_name=name, storage=in_python(storage)).get_trials(deepcopy=False)
    families = collections.defaultdict(list)
    for trial in trials:
        families[trial.system_attrs.get("failed_trial", trial.number)].append(trial)
    states = collections.Counter(trial.state.name for trial in trials)
    retries = collections.Counter(len(family) - 1 for family in families.values())
    print(f"{killed} kills; {len(families)} trials, {len(trials)} attempts: {dict(states)}; retries a trial: {dict(sorted(retries.items()))}")
    problems, given_up = [], 0
    if len(families) != options.trials:
        problems.append(f"{len(families)} trials instead of {options.trials}")
    for first, family in sorted(families.items()):
        done = [trial.number for trial in family if trial.state.name in ("COMPLETE", "PRUNED")]
        if len(family) - 1 == options.retries and all(trial.state.name == "FAIL" for trial in family):
            given_up += 1
        elif len(done) != 1:
            problems.append(f"trial {first} is finished {len(done)} times: {[trial.state.name for trial in family]}")
        if len(family) - 1 > options.retries:
            problems.append(f"trial {first} was retried {len(family) - 1} times")
        if len({str(sorted(trial.params.items())) for trial in family if trial.params}) > 1:
            problems.append(f"trial {first} was retried with other values")
    print(f"{given_up} given up because the workers of all {options.retries + 1} attempts were killed")
    return problems


began = time.monotonic()
problems = check(search())
print("\n".join(problems) or f"every other trial is finished once, in {time.monotonic() - began:.0f} s")
shutil.rmtree(folder)
sys.exit(1 if problems else 0)
