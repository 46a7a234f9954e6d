#!/usr/bin/env python3
"""A convolutional network's training step and evaluation pass in PyTorch on random pixels, as `wellfit bench` measures its own.

Two classes, cross-entropy, Adam with learning rate 0.001; one step and one pass to warm up. Prints one line of JSON.
"""
import argparse
import json
import resource
import statistics
import time

import torch
import torchvision

MODES = ("eager", "channels_last", "compile", "bf16", "bf16_compile")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=MODES, help="compile means torch.compile on channels_last, bf16 autocast on it")
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 takes all cores")
    return parser.parse_args()


def timed(work, steps: int) -> list[float]:
    """Seconds of each call after a first one."""
    work()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def main() -> None:
    args = options()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    network = torchvision.models.get_model(args.model, weights=None, num_classes=2)
    images = torch.randn(args.batch_size, 3, args.image_size, args.image_size)
    labels = torch.randint(0, 2, (args.batch_size,))
    if args.mode != "eager":
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    run = torch.compile(network) if "compile" in args.mode else network
    precision = torch.autocast("cpu", dtype=torch.bfloat16, enabled="bf16" in args.mode)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def train_step() -> None:
        optimizer.zero_grad()
        with precision:
            loss = torch.nn.functional.cross_entropy(run(images), labels)
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def evaluate() -> None:
        with precision:
            run(images)

    steps = timed(train_step, args.steps)
    network.eval()
    passes = timed(evaluate, args.steps)
    print(json.dumps({
        "train_step_s": statistics.median(steps),
        "eval_forward_s": statistics.median(passes),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": torch.get_num_threads(),
        "samples": {"train_step_s": steps, "eval_forward_s": passes},
    }))


if __name__ == "__main__":
    main()
