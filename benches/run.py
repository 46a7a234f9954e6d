#!/usr/bin/env python3
"""Measure Wellfit and its PyTorch peers in turn; benches/README.md tells how. Needs only Python itself."""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import jobs
import photos
from jobs import HERE, Place
from measure import machine, measure
from tables import readme


MAKERS = {maker.__name__: maker for maker in (*jobs.ALL, *photos.ALL)}


def options() -> argparse.Namespace:
    names, on_photos = list(MAKERS), [maker.__name__ for maker in photos.ALL]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"which to measure [default: all]: {', '.join(names)}")
    parser.add_argument("--python", default="python3", help="an interpreter with torch, torchvision, matplotlib")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender [default: 5]")
    parser.add_argument("--wellfit", type=pathlib.Path, metavar="FILE", help="a binary [default: build a release]")
    parser.add_argument("--fashion-mnist", default="/usr/share/datasets/fashion-mnist", metavar="DIR",
                        help="the four .gz files [default: %(default)s]")
    parser.add_argument("--photos", type=pathlib.Path, metavar="DIR",
                        help=f"a folder with train/ and test/, for {', '.join(on_photos)}")
    parser.add_argument("--without", action="append", default=[], metavar="NAME",
                        help="leave a contender out, such as compile")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        help="add to these results [default: a new benches/runs/<date>-<machine>]")
    parser.add_argument("--quick", action="store_true",
                        help="tiny settings and one round, to try the runner, in a temporary directory")
    parser.add_argument("--list", action="store_true", help="name the jobs and their targets")
    args = parser.parse_args()
    for name in args.jobs:
        if name not in names:
            parser.error(f"there is no job {name}; known are {', '.join(names)}")
        if name in on_photos and not args.photos:
            parser.error(f"{name} needs --photos DIR")
    args.jobs = args.jobs or [name for name in names if args.photos or name not in on_photos]
    return args


def build() -> str:
    subprocess.run(["cargo", "build", "--release", "-p", "wellfit"], cwd=HERE.parent, check=True)
    said = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=HERE.parent,
                          check=True, capture_output=True, text=True).stdout
    return f"{json.loads(said)['target_directory']}/release/wellfit"


def new_folder(facts: dict) -> pathlib.Path:
    """One that is not there yet, named after the day and the processor."""
    cpu = re.sub(r"\(r\)|\(tm\)|processor|@.*", "", facts["cpu"].lower())
    words = [time.strftime("%Y-%m-%d"), *re.findall(r"[a-z0-9]+", cpu), f"{facts['cores']}cores"]
    base = HERE / "runs" / "-".join(words)
    number = 1
    while (folder := base if number == 1 else base.with_name(f"{base.name}-{number}")).exists():
        number += 1
    return folder


def save(results: dict, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (folder / "README.md").write_text(readme(results))


def list_jobs(place: Place) -> None:
    for name, maker in MAKERS.items():
        job = maker(place)
        print(f"{name}: {job.about}" + (f", by {job.axis}" if job.axis else ""))
        for target in job.targets:
            print(f"    {target.work}: {target.metric} at most {target.at_most} of {' or '.join(target.against)}")


def main() -> None:
    args = options()
    # A virtual environment's interpreter is a link: made absolute, but not followed.
    photographs = args.photos.resolve() if args.photos else "PHOTOS"
    python = str(pathlib.Path(args.python).absolute()) if "/" in args.python else args.python
    with tempfile.TemporaryDirectory() as scratch:
        place = Place("wellfit", python, args.fashion_mnist, photographs, pathlib.Path(scratch), args.quick)
        if args.list:
            return list_jobs(place)
        place.wellfit = str(args.wellfit.resolve()) if args.wellfit else build()
        facts = machine(place)
        if facts["load_before"] > 0.5:
            print(f"warning: the machine is busy (load {facts['load_before']})", file=sys.stderr)
        folder = args.out or (pathlib.Path(tempfile.mkdtemp()) if args.quick else new_folder(facts))
        results = {"date": time.strftime("%Y-%m-%d"), "quick": args.quick, "machine": facts, "jobs": {}}
        if (earlier := folder / "results.json").exists():
            results["jobs"] = json.loads(earlier.read_text())["jobs"]
        for name in args.jobs:
            job = MAKERS[name](place)
            place.prepare()
            measured = measure(job, 1 if args.quick else args.rounds, set(args.without))
            results["jobs"][name] = measured | {"load_before": facts["load_before"]}
            save(results, folder)
    subprocess.run([python, str(HERE / "plot.py"), str(folder / "results.json")], check=True)
    print((folder / "README.md").read_text())
    print(folder)


if __name__ == "__main__":
    main()
