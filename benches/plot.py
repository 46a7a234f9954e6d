#!/usr/bin/env python3
"""The studies in a results.json as pictures beside it: medians with bars from least to most. Needs matplotlib."""
import json
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def plot(job: dict, path: pathlib.Path) -> None:
    figure, panels = plt.subplots(1, len(job["metrics"]), figsize=(5.5 * len(job["metrics"]), 4), squeeze=False)
    for panel, (metric, label) in zip(panels[0], job["metrics"].items()):
        for name in dict.fromkeys(name for point in job["points"] for name in point["runs"]):
            found = [(point["x"], [run[metric] for run in point["runs"].get(name, []) if run.get(metric) is not None])
                     for point in job["points"]]
            found = [(x, values) for x, values in found if values]
            if not found:
                continue
            middle = [statistics.median(values) for _, values in found]
            below = [m - min(values) for m, (_, values) in zip(middle, found)]
            above = [max(values) - m for m, (_, values) in zip(middle, found)]
            panel.errorbar([x for x, _ in found], middle, (below, above), marker="o", capsize=3, label=name)
        places = [point["x"] for point in job["points"]]
        if max(places) > 20 * min(places):
            panel.set_xscale("log")
        else:
            panel.set_xticks(places)
        # From zero, with room for the highest point and the legend.
        panel.set_ylim(0, 1.25 * panel.get_ylim()[1])
        panel.set_xlabel(job["axis"])
        panel.set_ylabel(label)
        panel.grid(alpha=0.3)
        if panel.has_data():
            panel.legend()
    figure.suptitle(job["about"])
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    results = pathlib.Path(sys.argv[1])
    for name, job in json.loads(results.read_text())["jobs"].items():
        if job["axis"]:
            plot(job, results.parent / f"{name}.png")


if __name__ == "__main__":
    main()
