"""Running commands in turn, and what is known of the machine."""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time
import typing

from jobs import HERE, Contender, Job, Place, Result


class Failed(Exception):
    """A command that did not end well."""


def run(contender: Contender, folder: pathlib.Path, seed: int) -> Result:
    """What a command's JSON says, and the time and the peak memory of its process."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        command = [word.replace("{seed}", str(seed)) for word in contender.command]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (stdout, stderr):
            stream.seek(0)
        lines, complaint = stdout.read().splitlines(), stderr.read()
    if process.returncode != 0:
        raise Failed(f"{' '.join(contender.command)}\nended with {process.returncode}:\n{complaint[-2000:]}")
    said = json.loads(next(line for line in reversed(lines) if line.strip()))
    said = {key: value for key, value in said.items() if is_figure(value)}
    result = said | {"process_s": seconds, "process_rss_mib": usage.ru_maxrss / 1024}
    return result | contender.derive(result)


def is_figure(value: typing.Any) -> bool:
    """A number or a list of numbers: names, paths and tables within tables are not kept."""
    return isinstance(value, (int, float)) or (isinstance(value, list) and all(map(is_figure, value)))


def measure(job: Job, rounds: int, without: set[str]) -> Result:
    """Every contender at every point once a round, so that a change of the machine's mood meets all alike."""
    points = [{"x": x, "runs": {contender.name: [] for contender in contenders}} for x, contenders in job.points]
    failures = {}
    for number in range(1, rounds + 1):
        for point, (x, contenders) in zip(points, job.points):
            for contender in contenders:
                key = (x, contender.name)
                if contender.name in without or key in failures:
                    continue
                at = "" if x is None else f" at {x}"
                print(f"{job.name}{at}, round {number} of {rounds}: {contender.name}", file=sys.stderr)
                try:
                    with tempfile.TemporaryDirectory() as folder:
                        point["runs"][contender.name].append(run(contender, pathlib.Path(folder), number - 1))
                except Failed as failure:
                    print(failure, file=sys.stderr)
                    failures[key] = str(failure)
    return {
        "about": job.about, "axis": job.axis, "metrics": job.metrics, "points": points,
        "targets": [vars(target) for target in job.targets],
        "failures": [{"x": x, "contender": name, "problem": text} for (x, name), text in failures.items()],
        "date": time.strftime("%Y-%m-%d %H:%M"), "commit": commit(),
    }


def output(*command: str) -> str:
    """What a command prints, or nothing."""
    try:
        return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit() -> str:
    # Results are written while others are measured.
    status = output("git", "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude,top)benches/runs")
    changed = " with changes" if status else ""
    return output("git", "rev-parse", "--short", "HEAD") + changed


def machine(place: Place) -> dict[str, typing.Any]:
    """The machine and the versions."""
    info = pathlib.Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    vectors = [name for name in ("avx2", "avx512f", "amx_tile", "asimd") if re.search(rf"\b{name}\b", text)]
    ask = "import sys, torch, torchvision as v; print(sys.version.split()[0], torch.__version__, v.__version__)"
    python, torch, vision = (output(place.python, "-c", ask) or "? ? ?").split()
    return {
        "cpu": found[1] if found else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "vectors": " ".join(vectors),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "wellfit": output(place.wellfit, "--version"),
        "rustc": output("rustc", "--version"),
        "python": python, "torch": torch, "torchvision": vision,
    }
