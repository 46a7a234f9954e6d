#!/usr/bin/env python3
"""The drill on a machine with a card: parity, a resumed run's bits, training steps beside PyTorch.

    python3 run.py DIRECTORY              # less than six minutes
    python3 run.py --dry-run DIRECTORY    # a minute on the processor, to try the drill itself

DIRECTORY gets results.jsonl (a line for each result, as soon as it is there), table.md and log.txt. A part that fails or
takes too long is recorded, and the next one follows. PyTorch is that of the Python that runs this.
"""
from __future__ import annotations

import argparse
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import places

HERE = Path(__file__).resolve().parent
CASES = [("resnet18", 32), ("resnet50", 32), ("resnet18", 256), ("resnet50", 256)]
MODES = {
    "f32": "PyTorch eager, f32",
    "eager": "PyTorch eager, TF32 as by default",
    "amp": "PyTorch channels_last, bf16 autocast",
    "compiled": "PyTorch compiled, channels_last, bf16 autocast",
}


class Card:
    """The most memory that the card had in use, read from nvidia-smi ten times a second."""

    def __init__(self) -> None:
        self.most, self.now = 0, 0
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-lms", "100", "-i", "0"]
        try:
            self.process = subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except OSError:
            self.process = None
            return
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.process.stdout:
            if line.strip().isdigit():
                self.now = int(line)
                self.most = max(self.most, self.now)

    def start(self) -> int:
        self.most = self.now
        return self.now

    def end(self) -> None:
        if self.process:
            self.process.kill()


class Drill:
    """Where results go, and how much time is left."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.begun = args, time.monotonic()
        self.out = Path(args.directory)
        self.out.mkdir(parents=True, exist_ok=True)
        self.results: list[dict] = []
        self.file = (self.out / "results.jsonl").open("w")
        self.log = (self.out / "log.txt").open("w")
        self.scratch = Path(tempfile.mkdtemp(prefix="gpu-drill-"))
        self.environment, self.facts = places.find()
        # Kernels that were compiled once are kept for the next process, except where processes are killed.
        self.cached, self.bare = self.scratch / "cached", self.scratch / "bare"
        for folder in (self.cached, self.bare):
            folder.mkdir()
        (self.cached / "cubecl.toml").write_text('[compilation]\ncache = "local"\n')
        self.card = Card()

    def left(self) -> float:
        return self.args.seconds - (time.monotonic() - self.begun)

    def note(self, result: dict) -> None:
        result = {**result, "at_s": round(time.monotonic() - self.begun, 1)}
        self.results.append(result)
        print(json.dumps(result), flush=True)
        self.file.write(json.dumps(result) + "\n")
        self.file.flush()
        (self.out / "table.md").write_text(table(self))

    def write(self, title: str, text: str) -> None:
        self.log.write(f"==== {title}\n{text}\n")
        self.log.flush()

    def run(self, title: str, command: list[str], limit: float, cwd: Path) -> tuple[int | None, str, str]:
        """Exit status (None where time ran out) and what it said; with its children it is gone afterwards."""
        limit = min(limit, self.left())
        # Python's torch brings its own libraries.
        environment = None if command[0] == sys.executable else self.environment
        if limit < 3:
            return None, "", "no time was left"
        begun = time.monotonic()
        try:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment, text=True, errors="replace", start_new_session=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            return 127, "", str(error)
        try:
            said, complaints = process.communicate(timeout=limit)
            status = process.returncode
        except subprocess.TimeoutExpired:
            end(process)
            said, complaints = process.communicate()
            status = None
        seconds = time.monotonic() - begun
        what = f"{title}: {' '.join(command)} ({seconds:.1f} s, status {status})"
        self.write(what, f"{said[-100_000:]}\n---- stderr\n{complaints[-100_000:]}")
        return status, said, complaints


def end(process: subprocess.Popen) -> None:
    """It and its children, which are a group of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def why(status: int | None, said: str, complaints: str) -> str:
    if status is None:
        return complaints if complaints == "no time was left" else "time ran out"
    lines = [line for line in (complaints + said).splitlines() if line.strip()]
    wanted = [line for line in lines if "error" in line.lower() or "panicked" in line]
    return f"exit status {status}: " + " / ".join((wanted or lines)[-3:])[-400:]


def unpack(drill: Drill) -> None:
    for name in ("wellfit", "parity"):
        with lzma.open(HERE / f"{name}.xz") as packed, (drill.scratch / name).open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        (drill.scratch / name).chmod(0o755)


def facts(drill: Drill) -> None:
    code = (
        "import json, torch, torchvision; cuda = torch.cuda.is_available(); print(json.dumps({"
        "'torch': torch.__version__, 'torchvision': torchvision.__version__, 'torch_cuda': torch.version.cuda,"
        "'cudnn': torch.backends.cudnn.version(), 'card': torch.cuda.get_device_name() if cuda else None}))"
    )
    result: dict = {"kind": "facts", "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), **drill.facts}
    result["version"] = (HERE / "version.txt").read_text().split("\n")[:-1]
    status, said, complaints = drill.run("torch", [sys.executable, "-c", code], 40, drill.bare)
    result |= json.loads(said) if status == 0 else {"torch_error": why(status, said, complaints)}
    query = "name,driver_version,memory.total,memory.used,clocks.max.sm,power.limit"
    status, said, complaints = drill.run(
        "nvidia-smi", ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"], 10, drill.bare
    )
    result["nvidia_smi"] = said.strip() if status == 0 else why(status, said, complaints)
    drill.note(result)


def compilers(drill: Drill) -> list[tuple[str, int, subprocess.Popen]]:
    """Peers that compile while the parts that measure no time run; they measure when they are told to."""
    found = []
    environment = dict(os.environ) | {"TORCHINDUCTOR_COMPILE_THREADS": "3"}
    for model, batch in cases(drill):
        command = [sys.executable, str(HERE / "peer.py"), "--models", model, "--batch-sizes", str(batch),
                   "--modes", "compiled", "--wait", *peer_options(drill)]
        errors = (drill.scratch / f"compiled-{model}-{batch}.txt").open("w")
        found.append((model, batch, subprocess.Popen(
            command, cwd=drill.bare, env=environment, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )))
    return found


def cases(drill: Drill) -> list[tuple[str, int]]:
    return [("resnet18", 2)] if drill.args.dry_run else CASES


def peer_options(drill: Drill) -> list[str]:
    if drill.args.dry_run:
        return ["--device", "cpu", "--image-size", "32", "--steps", "5"]
    return []


def parity(drill: Drill) -> None:
    """The tests of outputs, gradients and whole steps against the processor."""
    command = [str(drill.scratch / "parity"), "--nocapture", "--test-threads", "4"]
    if drill.args.dry_run:
        command = [str(drill.scratch / "parity"), "--list"]
    status, said, complaints = drill.run("parity", command, 110, drill.cached)
    distances = sorted({line for line in said.splitlines() if " apart" in line and "panicked" not in line})
    tests = [line for line in said.splitlines() if line.startswith("test ") or line.startswith("test result")]
    result = {"kind": "parity", "ok": status == 0, "distances": distances, "tests": tests}
    if status != 0:
        result["problem"] = why(status, "", complaints)
    drill.note(result)


def resumed(drill: Drill) -> None:
    """A run that is killed and resumed must end with the bits of one that is not."""
    device = "cpu" if drill.args.dry_run else "cuda"
    small = ["--model", "mlp", "--epochs", "1"] if drill.args.dry_run else ["--model", "resnet20", "--epochs", "2"]
    command = [str(drill.scratch / "wellfit"), "verify-resume", "sample", *small, "--batch-size", "128",
               "--device", device, "--kills", "1", "--json"]
    status, said, complaints = drill.run("resumed", command, 80, drill.bare)
    result = {"kind": "resumed", "ok": status == 0}
    result |= json.loads(said) if status == 0 else {"problem": why(status, said, complaints)}
    drill.note(result)


def eager(drill: Drill) -> None:
    """The eager modes of PyTorch."""
    for model in dict.fromkeys(model for model, _ in cases(drill)):
        batches = [str(batch) for name, batch in cases(drill) if name == model]
        command = [sys.executable, str(HERE / "peer.py"), "--models", model, "--batch-sizes", *batches,
                   *peer_options(drill)]
        status, said, complaints = drill.run(f"eager {model}", command, 60, drill.bare)
        for line in said.splitlines():
            if line.startswith("{"):
                drill.note(json.loads(line))
        if status != 0:
            drill.note({"kind": "peer", "job": model, "error": why(status, "", complaints)})


def compiled(drill: Drill, waiting: list[tuple[str, int, subprocess.Popen]]) -> None:
    """Those that are compiled by now, one after the other."""
    for model, batch, process in waiting:
        lines: list[str] = []
        is_ready = threading.Event()

        def listen(process=process, lines=lines, is_ready=is_ready) -> None:
            for line in process.stdout:
                if line.strip() == "ready":
                    is_ready.set()
                else:
                    lines.append(line)
            is_ready.set()

        reader = threading.Thread(target=listen, daemon=True)
        reader.start()
        if is_ready.wait(min(40, max(drill.left() - 150, 1))):
            try:
                process.stdin.write("go\n")
                process.stdin.flush()
            except OSError:
                pass
            reader.join(min(30, max(drill.left(), 1)))
        end(process)
        for line in lines:
            if line.startswith("{"):
                drill.note(json.loads(line))
        if not lines:
            text = (drill.scratch / f"compiled-{model}-{batch}.txt").read_text()
            drill.write(f"compiled {model} {batch}", text[-20_000:])
            problem = [line for line in text.splitlines() if line.strip()][-1:]
            problem = problem or ["it was not compiled in time"]
            drill.note({"kind": "peer", "mode": "compiled", "job": model, "batch_size": batch, "error": problem[0]})


def small(drill: Drill) -> None:
    """Our training steps of the small batch."""
    ours(drill, [case for case in cases(drill) if case[1] <= 32])


def large(drill: Drill) -> None:
    """Those of the large batch: how long they take is estimated from the small one."""
    ours(drill, [case for case in cases(drill) if case[1] > 32])


def ours(drill: Drill, wanted: list[tuple[str, int]]) -> None:
    seconds = {
        result["job"]: result["train_step_s"] for result in drill.results
        if result["kind"] == "ours" and "train_step_s" in result
    }
    device = "cpu" if drill.args.dry_run else "cuda"
    for place, (model, batch) in enumerate(wanted):
        steps, others = 7, len(wanted) - place - 1
        if batch > 32 and model in seconds:
            # A step to warm up and one more pass; an evaluation takes a third of a step.
            a_step = seconds[model] * batch / 32 * 4 / 3
            steps = min(7, int((drill.left() - 15 - 10 * others) / a_step) - 2)
        if steps < 1:
            drill.note({"kind": "ours", "job": model, "batch_size": batch, "error": "it would take too long"})
            continue
        command = [str(drill.scratch / "wellfit"), "bench", model, "--batch-size", str(batch), "--device", device,
                   "--steps", str(steps), "--json"]
        if drill.args.dry_run:
            command += ["--image-size", "32"]
        before = drill.card.start()
        status, said, complaints = drill.run(f"ours {model} {batch}", command, drill.left() - 5 * others, drill.cached)
        found = {"kind": "ours", "job": model, "batch_size": batch, "steps": steps}
        if status == 0:
            found |= json.loads(said)
            found["peak_card_mib"] = drill.card.most - before if drill.card.process else None
        else:
            found["error"] = why(status, said, complaints)
        drill.note(found)


def table(drill: Drill) -> str:
    """The results so far as a page."""
    def time_of(result: dict, key: str) -> str:
        return f"{1000 * result[key]:.1f}" if result.get(key) else "–"

    lines = ["# GPU drill", ""]
    for result in drill.results:
        if result["kind"] == "facts":
            names = ("date", "card", "nvidia_smi", "torch", "torchvision", "torch_cuda", "cudnn", "version", "CUDA_PATH")
            lines += [f"* {name}: {result.get(name)}" for name in names]
            lines += [f"* nvrtc: {', '.join(result['nvrtc'])}", ""]
    for result in drill.results:
        if result["kind"] == "parity":
            counts = [line for line in result["tests"] if line.startswith("test result")]
            said = (counts or ["no result"])[0] + ("" if result["ok"] else f" – {result.get('problem')}")
            lines += [f"Parity: {said}", "", *[f"    {line}" for line in result["distances"]], ""]
        if result["kind"] == "resumed":
            said = "the same bits" if result["ok"] else f"FAILED: {result.get('problem')}"
            lines += [f"Resumed run: {said}", ""]
    for model, batch in cases(drill):
        lines += [
            f"## {model}, batch {batch}", "",
            "| | training step, ms | batch on the card, ms | evaluation, ms | images a second | card memory, MiB |",
            "|---|---|---|---|---|---|",
        ]
        for result in drill.results:
            if result["kind"] not in ("ours", "peer") or result.get("job") != model:
                continue
            if result.get("batch_size", batch) != batch:
                continue
            name = "wellfit, f32" if result["kind"] == "ours" else MODES.get(result.get("mode", ""), "PyTorch")
            if "error" in result:
                lines.append(f"| {name} | {result['error'].replace('|', '/')} | | | | |")
                continue
            rate = batch / result["train_step_s"]
            memory = result.get("peak_card_mib")
            memory = f"{memory:.0f}" if memory else "–"
            cells = [time_of(result, key) for key in ("train_step_s", "train_step_on_card_s", "eval_forward_s")]
            lines.append(f"| {name} | {' | '.join(cells)} | {rate:.0f} | {memory} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="where the results go")
    parser.add_argument("--dry-run", action="store_true", help="on the processor, with tiny settings")
    parser.add_argument("--seconds", type=float, default=340, help="when to be done")
    args = parser.parse_args()
    drill = Drill(args)
    waiting: list[tuple[str, int, subprocess.Popen]] = []
    try:
        unpack(drill)
        facts(drill)
        waiting = compilers(drill)
        # While parity is tested the peers compile; nothing else runs beside what is measured.
        for part in (parity, compiled, eager, small, resumed, large):
            try:
                part(drill, waiting) if part is compiled else part(drill)
            except Exception as error:  # a part that fails stops no other
                drill.note({"kind": "failed", "part": part.__name__, "error": repr(error)[:400]})
    finally:
        for _, _, process in waiting:
            end(process)
        drill.card.end()
        shutil.rmtree(drill.scratch, ignore_errors=True)
        (drill.out / "table.md").write_text(table(drill))


if __name__ == "__main__":
    main()
