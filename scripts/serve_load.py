"""What `wellfit serve` takes: its throughput beside that of the bare forward pass, what twice the load does to it, and a FastAPI
server with torch beside it (docs/serve.md).

    python scripts/serve_load.py WELLFIT RUN IMAGE [--peer PYTHON] [--clients 16] [--seconds 20] [--rounds 3]

Needs wrk. RUN is a run with resnet18 at 224 pixels, IMAGE a JPEG; PYTHON has what serve_peer.py needs.
"""

import argparse
import asyncio
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

POST = 'wrk.method="POST" wrk.headers["Content-Type"]="image/jpeg" local f=io.open("{image}","rb") wrk.body=f:read("*a") f:close()'


def wrk(url, image, clients, seconds):
    """Requests a second, and how many were not answered with 200, from `clients` that each wait for their answer."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(POST.format(image=image.resolve()))
        script.flush()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "-s", script.name, url], capture_output=True, text=True, check=True
        ).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]), int(bad[1]) if bad else 0


def forward(wellfit, batch):
    """Images a second of the bare forward pass."""
    line = [wellfit, "bench", "resnet18", "--batch-size", str(batch), "--steps", "5", "--json"]
    result = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return batch / result["eval_forward_s"]


async def arrivals(port, image, rate, seconds):
    """Requests that come at a rate whatever becomes of those before: seconds of the answered ones by status."""
    body, took = image.read_bytes(), []
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def one():
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        status = int((await reader.readline()).split()[1])
        await reader.read()
        writer.close()
        took.append((status, time.monotonic() - began))

    began, tasks = time.monotonic(), []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one()))
    failed = [result for result in await asyncio.gather(*tasks, return_exceptions=True) if result]
    return took, len(failed)


def memory(program):
    """Resident MiB of a process."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{program.pid}/status").read_text())[1]) / 1024


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wellfit")
    parser.add_argument("run")
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--peer")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    server = subprocess.Popen([args.wellfit, "serve", args.run, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
    peer = None
    try:
        url = json.loads(server.stdout.readline())["url"]
        port, ours = int(url.rsplit(":", 1)[1]), url + "/predict"
        if args.peer:
            command = [args.peer, "-m", "uvicorn", "--app-dir", str(pathlib.Path(__file__).parent), "serve_peer:app", "--port", "8001"]
            peer = subprocess.Popen([*command, "--log-level", "warning"])
            time.sleep(20)
        wrk(ours, args.image, args.clients, 3)
        rows = []
        for _ in range(args.rounds):
            # In turn, so that what else the machine does meets all of them.
            row = [forward(args.wellfit, args.clients), wrk(ours, args.image, args.clients, args.seconds)[0]]
            if peer:
                row.append(wrk("http://127.0.0.1:8001/predict", args.image, args.clients, args.seconds)[0])
            rows.append(row)
            print("forward, serve, peer, images a second:", *(f"{value:.1f}" for value in row), flush=True)
        served = statistics.median(row[1] for row in rows)
        ratios = [row[1] / row[0] for row in rows]
        print(f"serve / forward: median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), n = {len(rows)}")
        if peer:
            times = [row[1] / row[2] for row in rows]
            print(f"serve / peer: median {statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f})")
        before = memory(server)
        for number in range(3):
            took, failed = asyncio.run(arrivals(port, args.image, 2 * served, args.seconds))
            good = [seconds for status, seconds in took if status == 200]
            refused = [seconds for status, seconds in took if status == 503]
            others = len(took) - len(good) - len(refused)
            print(
                f"twice the load, {args.seconds} s: {len(good)} answered (median {1e3 * percentile(good, 0.5):.0f} ms, p99 "
                f"{1e3 * percentile(good, 0.99):.0f} ms), {len(refused)} times 503 (p99 {1e3 * percentile(refused, 0.99):.0f} ms), "
                f"{others} others, {failed} failed; memory {before:.0f} -> {memory(server):.0f} MiB",
                flush=True,
            )
    finally:
        server.terminate()
        if peer:
            peer.terminate()
    sys.exit(server.wait())


if __name__ == "__main__":
    main()
