#!/usr/bin/env python3
"""How long one f32 training step of every architecture takes, beside PyTorch's best f32 mode on the CPU.

    python scripts/architectures.py WELLFIT [--only NAME,…] [--sizes 16x64,8x224] [--rounds 3] [--steps 3] [--json FILE]

Both train on random pixels, two classes, with Adam. PyTorch's best mode is the faster one of `channels_last` and
`torch.compile` on it (inductor; needs a C++ compiler), with a fused Adam. In every round our program and both modes are measured one
after the other, so that what else happens on the machine hits all of them. A size is images × pixels. Prints the
median seconds of a step, the ratio ours / PyTorch's best with the least and the greatest ratio of a round, and the
geometric mean of the ratios. Needs torch and torchvision, and for EfficientNet-Lite0 `efficientnet_lite_pytorch`.
"""
import argparse, json, math, os, pathlib, shutil, statistics, subprocess, sys, time

NAMES = ["resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "mobilenet_v3_small", "mobilenet_v3_large",
         "efficientnet_b0", "efficientnet_lite0"]
MODES = ["channels_last", "compile"]


def hurry() -> None:
    """As root, real-time priority for all threads of this process, so that the scheduler does not decide who wins."""
    if os.geteuid() == 0 and hasattr(os, "sched_setscheduler"):
        for thread in os.listdir("/proc/self/task"):
            os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(50))


def peer(name: str, batch: int, pixels: int, modes: list[str]) -> None:
    """Answer each line `MODE STEPS` with the seconds of so many training steps, as a line of JSON."""
    import torch, torchvision

    torch.manual_seed(0)
    if name == "efficientnet_lite0":
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name("efficientnet-lite0", num_classes=2, image_size=[pixels, pixels])
    else:
        model = torchvision.models.get_model(name, weights=None, num_classes=2)
    model = model.to(memory_format=torch.channels_last).train()
    images = torch.randn(batch, 3, pixels, pixels).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 2, (batch,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    runs = {"channels_last": model}
    if "compile" in modes:
        runs["compile"] = torch.compile(model)

    def step(run) -> float:
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(run(images), labels).backward()
        optimizer.step()
        return time.perf_counter() - start

    for mode in modes:
        step(runs[mode])
    hurry()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        mode, steps = line.split()
        step(runs[mode])
        print(json.dumps([step(runs[mode]) for _ in range(int(steps))]), flush=True)


class Peer:
    """A process with the network in PyTorch, compiled once; it sleeps between measurements."""

    def __init__(self, name: str, batch: int, pixels: int, modes: list[str]) -> None:
        command = [sys.executable, __file__, "--peer", name, str(batch), str(pixels), ",".join(modes)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("PyTorch's process ended")
        return json.loads(line)

    def seconds(self, mode: str, steps: int) -> float:
        self.process.stdin.write(f"{mode} {steps}\n")
        self.process.stdin.flush()
        return statistics.median(self.answer())

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def ours(program: str, name: str, batch: int, pixels: int, steps: int) -> float:
    words = ["bench", name, "--batch-size", batch, "--image-size", pixels, "--steps", steps, "--json"]
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, preexec_fn=hurry)
    if done.returncode:
        sys.exit(f"{program} {words} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])["train_step_s"]


def compare(program: str, name: str, batch: int, pixels: int, modes: list[str], rounds: int, steps: int) -> dict:
    other = Peer(name, batch, pixels, modes)
    found = {who: [] for who in ["wellfit", *modes]}
    for _ in range(rounds):
        found["wellfit"].append(ours(program, name, batch, pixels, steps))
        for mode in modes:
            found[mode].append(other.seconds(mode, steps))
    other.end()
    best = min(modes, key=lambda mode: statistics.median(found[mode]))
    ratios = [a / b for a, b in zip(found["wellfit"], found[best])]
    ratio = statistics.median(found["wellfit"]) / statistics.median(found[best])
    return {"model": name, "batch": batch, "pixels": pixels, "seconds": found, "best": best, "ratio": ratio, "ratios": ratios}


def main() -> None:
    if sys.argv[1:2] == ["--peer"]:
        name, batch, pixels, modes = sys.argv[2:]
        return peer(name, int(batch), int(pixels), modes.split(","))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--only", default=",".join(NAMES), help="names of architectures")
    parser.add_argument("--sizes", default="16x64,8x224", help="images x pixels of a batch, one or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="measured in a round, after one to warm up")
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out")
    parser.add_argument("--json", help="where all figures go")
    given = parser.parse_args()
    program, everything = os.path.abspath(given.program), []
    compiles = not given.eager and any(map(shutil.which, ["g++", "clang++", "c++"]))
    modes = MODES if compiles else MODES[:1]
    print(f"{'architecture':20} {'batch':>8} {'wellfit':>9}" + "".join(f" {mode:>13}" for mode in modes) + "  ratio (of the rounds)")
    for size in given.sizes.split(","):
        batch, pixels = map(int, size.split("x"))
        for name in given.only.split(","):
            one = compare(program, name, batch, pixels, modes, given.rounds, given.steps)
            everything.append(one)
            cells = " ".join(f"{statistics.median(one['seconds'][mode]):13.4f}" for mode in modes)
            ours_s, least, most = statistics.median(one["seconds"]["wellfit"]), min(one["ratios"]), max(one["ratios"])
            print(f"{name:20} {size:>8} {ours_s:9.4f} {cells}  {one['ratio']:.2f} ({least:.2f}–{most:.2f})", flush=True)
    logs = [math.log(one["ratio"]) for one in everything]
    least, most = (f(one["ratio"] for one in everything) for f in (min, max))
    spread = math.exp(statistics.stdev(logs)) if len(logs) > 1 else 1.0
    print(f"geometric mean {math.exp(statistics.fmean(logs)):.3f}, n = {len(logs)}, {least:.2f}–{most:.2f}, standard deviation a factor of {spread:.2f}")
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
