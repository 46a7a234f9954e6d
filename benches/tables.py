"""From results to tables."""
import math
import statistics
import typing

Result = dict[str, typing.Any]


def values(runs: list[Result], metric: str) -> list[float]:
    return [run[metric] for run in runs if run.get(metric) is not None]


def spread(found: list[float]) -> str:
    """Median with least and most, or the only one."""
    if len(found) < 2:
        return figure(found[0]) if found else "–"
    return f"{figure(statistics.median(found))} ({figure(min(found))}–{figure(max(found))})"


def figure(x: float) -> str:
    """Four digits, or all of those before the point."""
    digits = 3 - math.floor(math.log10(abs(x))) if x else 0
    return f"{x:,.{max(digits, 0)}f}"


def fastest(point: Result, target: Result) -> str | None:
    """The contender among those of a target with the least median."""
    medians = {name: values(point["runs"].get(name, []), target["metric"]) for name in target["against"]}
    medians = {name: statistics.median(found) for name, found in medians.items() if found}
    return min(medians, key=medians.get) if medians else None


def target_row(point: Result, target: Result) -> list[str]:
    name, metric = fastest(point, target), target["metric"]
    ours = values(point["runs"].get("wellfit", []), metric)
    theirs = values(point["runs"].get(name, []), metric)
    row = [target["work"], name or ", ".join(target["against"]), metric, f"{len(ours)}, {len(theirs)}",
           spread(ours), spread(theirs)]
    if not ours or not theirs:
        return [*row, "–", f"{target['at_most']:.2f}", "not measured"]
    ratio = statistics.median(ours) / statistics.median(theirs)
    return [*row, f"{ratio:.3f}", f"{target['at_most']:.2f}", "yes" if ratio <= target["at_most"] else "no"]


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def study(name: str, job: Result) -> str:
    """A table of a study, and where its plot is."""
    contenders = list(dict.fromkeys(name for point in job["points"] for name in point["runs"]))
    head = [job["axis"], "n"] + [f"{who}: {label}" for label in job["metrics"].values() for who in contenders]
    rows = []
    for point in job["points"]:
        cells = [spread(values(point["runs"].get(who, []), key)) for key in job["metrics"] for who in contenders]
        rows.append([f"{point['x']:,}", str(len(point["runs"].get("wellfit", []))), *cells])
    return f"### {name}: {job['about']}\n\n{table(head, rows)}\n\n![{name}]({name}.png)"


def contenders(name: str, job: Result) -> str:
    """What each contender of a job at a single point reached."""
    runs = job["points"][0]["runs"]
    rows = [[who, str(len(found)), *(spread(values(found, key)) for key in job["metrics"])] for who, found in runs.items()]
    return f"### {name}: {job['about']}\n\n{table(['', 'n', *job['metrics'].values()], rows)}"


def readme(results: Result) -> str:
    """The page of a directory of results."""
    machine, jobs = results["machine"], results["jobs"]
    parts = [f"# Measured on {results['date']}"]
    if results["quick"]:
        parts.append("**Tiny settings, to try the runner: these are no measurements.**")
    parts.append(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['vectors']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}; load before the start at most {max(job['load_before'] for job in jobs.values())}.\n"
        f"{machine['wellfit']} at {', '.join(sorted({job['commit'] for job in jobs.values()}))}, {machine['rustc']}; "
        f"PyTorch {machine['torch']}, torchvision {machine['torchvision']}, Python {machine['python']}."
    )
    parts.append(
        "Medians (least–most) of n runs of ours and of the peer in turn; the ratio is ours / theirs, so less is "
        "better. `results.json` has every run; `just bench` makes such a directory."
    )
    rows = [target_row(job["points"][0], target) for job in jobs.values() for target in job["targets"]]
    if rows:
        head = ["work", "against", "figure", "n", "ours", "theirs", "ratio", "at most", "met"]
        parts.append(table(head, rows))
    parts += [(study if job["axis"] else contenders)(name, job) for name, job in jobs.items() if job["metrics"]]
    failures = [
        f"* {name}, {failure['contender']}: `{failure['problem'].strip().splitlines()[-1]}`"
        for name, job in jobs.items() for failure in job["failures"]
    ]
    if failures:
        parts.append("What failed:\n" + "\n".join(failures))
    return "\n\n".join(parts) + "\n"
