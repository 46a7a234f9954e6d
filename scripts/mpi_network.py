#!/usr/bin/env python3
"""What does a slower network cost a training that machines share, does a simple model foretell it, and how fast is torch's DDP there?

    scripts/mpi_network.py BINARY SUMS DATA [--python PYTHON] [--rates 1 10 0] [--delays 0 0.1 1] [--hosts 2 4] [--model resnet18] [--image-size 64]

Each machine is a network namespace of this one with one thread; a bridge joins them, and `tc` limits what each sends (Gb/s; 0 is no
limit). With a delay (ms, one way) what a machine sends goes through `delay.c`, as a kernel without netem has none. BINARY and SUMS (`cargo build --example sums -p wellfit-cluster`) were built with `--features mpi` for Open MPI; PYTHON has torch
and torchvision. Needs Linux, root, iproute2, and a C compiler for delays. More hosts than processor cores share the cores: their times are then no model's.
Prints the constants, a table of steps, and what the model foretells for more machines."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("binary", type=Path)
parser.add_argument("sums", type=Path)
parser.add_argument("data", type=Path)
parser.add_argument("--python", default=sys.executable)
parser.add_argument("--mpirun", default="mpirun.openmpi")
parser.add_argument("--rates", type=float, nargs="+", default=[1, 10, 0])
parser.add_argument("--delays", type=float, nargs="+", default=[0])
parser.add_argument("--hosts", type=int, nargs="+", default=[2])
parser.add_argument("--model", default="resnet18")
parser.add_argument("--image-size", type=int, default=64)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--times", type=int, default=3)
options = parser.parse_args()

folder = Path(tempfile.mkdtemp(prefix="wellfit-network-"))
# A bucket of gradients, and the first one (crates/cluster).
BUCKET, FIRST = 25 << 20, 1 << 20
# A backward pass takes about twice as long as a forward pass: one product becomes two.
FORWARD = 1 / 3


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **more).stdout


def wire(one, other, delay):
    """Two devices that are joined by a process, each way so many ms late."""
    program = folder / "delay"
    if not program.exists():
        run("cc", "-O2", "-o", program, Path(__file__).resolve().parent / "delay.c")
    process = subprocess.Popen([program, one, other, f"{1000 * delay:.0f}"], stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        sys.exit("the devices of a delayed wire cannot be made")
    return process


class Network:
    """A bridge with a namespace for each machine, and one for the launcher."""

    def __init__(self, hosts, delay):
        self.wires = []
        self.names = [f"wellfit{number}" for number in range(hosts)] + ["wellfit-launch"]
        self.close()
        run("ip", "link", "add", "wellfit-br", "type", "bridge")
        run("ip", "link", "set", "wellfit-br", "up")
        for number, name in enumerate(self.names):
            run("ip", "netns", "add", name)
            bridged, own = f"wellfit-v{number}", f"wellfit-e{number}"
            if delay and name != self.names[-1]:
                self.wires.append(wire(own, bridged, delay))
            else:
                run("ip", "link", "add", bridged, "type", "veth", "peer", "name", own)
            run("ip", "link", "set", own, "netns", name, "name", "eth0")
            run("ip", "link", "set", bridged, "master", "wellfit-br", "up")
            run("ip", "-n", name, "address", "add", f"10.77.0.{number + 1}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.agent = folder / "agent"
        # What Open MPI takes for ssh: HOST, then a command. Each machine has a name of its own.
        self.agent.write_text('#!/bin/sh\nhost=$1; shift\nexec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"\n')
        self.agent.chmod(0o755)

    def limit(self, rate):
        for name in self.names[:-1]:
            subprocess.run(["tc", "-n", name, "qdisc", "del", "dev", "eth0", "root"], capture_output=True)
            if rate:
                run("tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", f"{rate}gbit", "burst", "256kb", "latency", "50ms")

    def launch(self, hosts, *words):
        """Run a program as one process on each of so many machines."""
        own = ["--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.77.0.0/24", "--mca", "oob_tcp_if_include", "10.77.0.0/24"]
        where = ["-H", ",".join(f"{name}:1" for name in self.names[:hosts]), "-n", hosts, "--bind-to", "none"]
        root = ["--allow-run-as-root", "--mca", "plm_rsh_agent", self.agent]
        return run("ip", "netns", "exec", self.names[-1], options.mpirun, *root, *own, *where, *words, cwd=folder)

    def close(self):
        for process in self.wires:
            process.kill()
            process.wait()
        subprocess.run(["ip", "link", "del", "wellfit-br"], capture_output=True)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def constants(network):
    """Seconds before the first byte of a message, and bytes a second, from sums of two machines: of 4 KiB and of 25 MiB. Such a sum is two
    messages in turn (half of the numbers is added by each), together as many bytes as its numbers have."""
    told = network.launch(2, options.sums.resolve())
    found = {int(size): float(time) / 1e3 for size, time in re.findall(r"(\d+) bytes: ([\d.]+) ms", told)}
    small, large = min(found), max(found)
    latency = found[small] / 2
    return latency, (large - small) / (found[large] - found[small])


def step(out, hosts, batch, network=None):
    """Seconds a step of the second epoch (the first opens files), and bytes of the weights."""
    words = [options.binary.resolve(), "train", options.data.resolve(), "--model", options.model, "--image-size", options.image_size]
    words += ["--batch-size", batch, "--epochs", 2, "--threads", 1, "--no-report", "--no-statistics", "--shards", hosts if network else 1, "--force", "--out", out]
    network.launch(hosts, *words) if network else run(*words)
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    first, second = [event for event in events if event["event"] == "epoch"][:2]
    return second["train_seconds"] / (second["step"] - first["step"]), (out / "model.safetensors").stat().st_size


def foretold(compute, size, hosts, latency, speed):
    """The model: buckets leave as the backward pass fills them, one after the other. A sum is an exchange of every machine with every
    other and a gathering, each hosts − 1 messages in turn, by which a machine sends 2(hosts − 1)/hosts of the bytes (pairwise exchange
    and ring in Thakur, Rabenseifner, Gropp 2005). Before the loss, outputs and statistics wait for two such sums of few bytes."""
    messages = 2 * (hosts - 1)
    backward = compute * (1 - FORWARD)
    sent, now = 0, compute * FORWARD + 2 * messages * latency
    began = now
    while sent < size:
        bucket = min(FIRST if sent == 0 else BUCKET, size - sent)
        sent += bucket
        ready = began + backward * sent / size
        now = max(now, ready) + messages * latency + 2 * (hosts - 1) / hosts * bucket / speed
    return now


def torch_step(network, hosts):
    """The same by PyTorch: a process on each machine, gradients summed by Gloo."""
    peer = Path(__file__).resolve().parent / "ddp_peer.py"
    jobs = []
    for rank, name in enumerate(network.names[:hosts]):
        settings = {"MASTER_ADDR": "10.77.0.1", "MASTER_PORT": "29500", "RANK": str(rank), "WORLD_SIZE": str(hosts)}
        settings |= {"GLOO_SOCKET_IFNAME": "eth0", "OMP_NUM_THREADS": "1"}
        words = ["ip", "netns", "exec", name, options.python, peer, options.model, options.image_size, options.batch_size // hosts]
        jobs.append(subprocess.Popen([str(word) for word in words], env=os.environ | settings, stdout=subprocess.PIPE, text=True))
    return [float(job.communicate()[0]) for job in jobs][0]


def median(work):
    found = sorted(work() for _ in range(options.times))
    return statistics.median(found), found[0], found[-1]


def rows_of(network, delay, known):
    """A row for each rate and number of machines."""
    for rate in options.rates:
        network.limit(rate)
        latency, speed = constants(network)
        print(f"{rate or 'no limit'} Gb/s, {delay:g} ms: a message takes {1e6 * latency:.0f} µs and {8e-9 * speed:.2f} Gb/s", flush=True)
        for hosts in options.hosts:
            compute, size = known[hosts]
            ours = median(lambda: step(folder / "shared", hosts, options.batch_size, network)[0])
            theirs = median(lambda: torch_step(network, hosts))
            told = foretold(compute, size, hosts, latency, speed)
            ms = lambda times: f"{1e3 * times[0]:.0f} ({1e3 * times[1]:.0f}–{1e3 * times[2]:.0f})"
            measured = f"{1e3 * compute:.0f} | {ms(ours)} | {1e3 * told:.0f} | {ms(theirs)} | {ours[0] / theirs[0]:.2f}"
            yield f"| {rate:g} | {delay:g} | {hosts} | {1e6 * latency:.0f} µs, {8e-9 * speed:.2f} Gb/s | {measured} |"


known = {}
for hosts in options.hosts:
    alone = [step(folder / "alone", 1, options.batch_size // hosts) for _ in range(options.times)]
    known[hosts] = statistics.median(seconds for seconds, _ in alone), alone[0][1]
rows = []
for delay in options.delays:
    network = Network(max(options.hosts), delay)
    try:
        for row in rows_of(network, delay, known):
            rows.append(row)
            print(row, flush=True)
    finally:
        network.close()
print(f"\n{options.model}, {options.image_size} px, a batch of {options.batch_size}, ms a step, median of {options.times}\n")
print("| Gb/s | ms one way | machines | a message, bytes of sums | computing alone | step | the model | torch DDP, Gloo | ratio |\n|---|---|---|---|---|---|---|---|---|")
print("\n".join(rows))
compute, size = known[options.hosts[0]]
share = options.batch_size // options.hosts[0]
rates, latency = [1, 10, 25, 100], 5e-5
print(f"\nForetold with {share} images a machine and 50 µs a message: share of the step that is computing\n")
print("| machines | " + " | ".join(f"{rate} Gb/s" for rate in rates) + " |\n|---" + "|---" * len(rates) + "|")
for hosts in [16, 32, 64, 128, 256]:
    shares = [compute / foretold(compute, size, hosts, latency, rate * 1e9 / 8) for rate in rates]
    print(f"| {hosts} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |")
