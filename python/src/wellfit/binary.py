"""The program `wellfit`: where it is, and what it says of a log."""

import json
import os
import shutil
import subprocess
import sysconfig

#: The environment variable that says where the program is.
VARIABLE = "WELLFIT"


class WellfitError(RuntimeError):
    """The program ended with an error. `code` is its exit code: 2 wrong option, 3 unusable log, 5 unreadable run."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.code = code


class BinaryNotFound(WellfitError):
    """The program is not there."""


def find_binary(binary=None):
    """The path of the program: `binary`, or what the environment variable WELLFIT says, or the one that was installed with this
    package, or `wellfit` on the search path.

    Raises `BinaryNotFound`, whose text says what to do.
    """
    for given, source in ((binary, "binary="), (os.environ.get(VARIABLE), f"the environment variable {VARIABLE}")):
        if given:
            found = shutil.which(os.fspath(given))
            if found is None:
                raise BinaryNotFound(f"{source} says {os.fspath(given)!r}, but no program is there that can be run")
            return found
    # A wheel puts it there, which is on the search path only where the environment is activated.
    found = shutil.which("wellfit", path=sysconfig.get_path("scripts")) or shutil.which("wellfit")
    if found is None:
        raise BinaryNotFound(
            "the program `wellfit` is not on the search path: `pip install` a wheel that holds it, or build it with `cargo build --release` in a checkout of Wellfit, "
            f"and put target/release on PATH, or say where it is with {VARIABLE}=/path/to/wellfit or binary=…"
        )
    return found


def diagnose(path, *, n_val=None, classes=None, columns=None, binary=None):
    """The findings of a log or run, as a dictionary: `source`, `format`, `epochs`, `findings`, `not_looked_at`.

    `path` is a log of `wellfit.Log`, a run's directory, or any other log that `wellfit diagnose` reads. `n_val` and
    `classes` are those of the log unless they are given. `columns` says which columns are which series, for tables with
    names of their own: `{"train_loss": "my loss"}`. Findings are sorted, weightiest first.
    """
    path = os.fspath(path)
    known = _facts(path)
    n_val = known.get("n_val") if n_val is None else n_val
    classes = known.get("classes") if classes is None else classes
    command = [find_binary(binary), "diagnose", "--json"]
    command += [] if n_val is None else ["--n-val", str(int(n_val))]
    command += [] if classes is None else ["--classes", str(int(classes))]
    if columns:
        command += ["--columns", ",".join(f"{series}={column}" for series, column in dict(columns).items())]
    # After `--` a name that begins with a dash is no option.
    done = subprocess.run([*command, "--", path], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise WellfitError(done.stderr.strip() or f"wellfit ended with exit code {done.returncode}", done.returncode)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _facts(path):
    """What the last row of one of our logs says beside its figures; nothing of any other file."""
    from wellfit.log import rows

    try:
        last = rows(path)[-1]
    except (OSError, ValueError, IndexError):
        return {}
    return last if isinstance(last, dict) else {}
