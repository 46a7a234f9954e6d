#!/usr/bin/env python3
"""Whether two builds are equally fast.

    python scripts/same_speed.py OLD NEW [--rounds 5] [--only NAME,…] [--json FILE]

Runs the same work with both programs in turn (old, new, old, new …), each time in a process of its own, and prints the
medians, their spread (least–most) and the ratio new / old. Nothing else should run meanwhile; as root, every process
gets real-time priority, so that the scheduler does not decide who wins.
"""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

# A name, what is typed, and the figures in the JSON that are compared; `wall` is the whole process.
JOBS = [
    ("resnet50", ["bench", "resnet50", "--steps", "3"], ["train_step_s", "eval_forward_s", "peak_rss_mib"]),
    ("resnet20", ["bench", "resnet20", "--steps", "30"], ["train_step_s", "eval_forward_s"]),
    ("mobilenet_v3_large", ["bench", "mobilenet_v3_large", "--steps", "3"], ["train_step_s", "eval_forward_s"]),
    ("efficientnet_b0", ["bench", "efficientnet_b0", "--steps", "3"], ["train_step_s", "eval_forward_s"]),
    ("resnext50_32x4d", ["bench", "resnext50_32x4d", "--steps", "2"], ["train_step_s", "eval_forward_s"]),
    ("mlp", ["bench", "mlp", "--steps", "500"], ["train_step_s", "eval_forward_s"]),
    ("dropout", ["bench", "dropout", "--steps", "1000"], ["train_step_s", "eval_forward_s"]),
    ("loader", ["bench", "loader"], ["images_per_s"]),
    ("lab batchnorm", ["lab", "batchnorm", "--out", "RUN"], ["wall"]),
    ("lab dropout", ["lab", "dropout", "--out", "RUN"], ["wall"]),
    ("train sample", ["train", "sample", "--epochs", "2", "--out", "RUN"], ["wall"]),
]


def run(program, words, folder):
    out = folder / "run"
    shutil.rmtree(out, ignore_errors=True)
    command = [program, *(str(out) if word == "RUN" else word for word in words), "--json"]
    if os.geteuid() == 0 and shutil.which("chrt"):
        command = ["chrt", "-r", "50", *command]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1]) | {"wall": wall}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("old")
    options.add_argument("new")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="")
    options.add_argument("--json", help="where all figures go")
    given = options.parse_args()
    programs = [os.path.abspath(given.old), os.path.abspath(given.new)]
    wanted, everything = [name for name in given.only.split(",") if name], {}
    print(f"{'work':32}  {'old':>24}  {'new':>24}  new / old")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, words, figures in JOBS:
            if wanted and name not in wanted:
                continue
            found = [[], []]
            for turn in range(2 * given.rounds):
                found[turn % 2].append(run(programs[turn % 2], words, folder))
            for figure in figures:
                values = [[one[figure] for one in side] for side in found]
                medians = [statistics.median(side) for side in values]
                cells = [f"{m:.4g} ({min(side):.4g}–{max(side):.4g})" for m, side in zip(medians, values)]
                everything[f"{name}, {figure}"] = dict(zip(("old", "new"), values))
                row = f"{name}, {figure}"
                print(f"{row:32}  {cells[0]:>24}  {cells[1]:>24}  {medians[1] / medians[0]:.3f}", flush=True)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
