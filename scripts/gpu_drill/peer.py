#!/usr/bin/env python3
"""A ResNet's training step and evaluation pass in PyTorch on a card, as `wellfit bench --device cuda` measures ours.

Two classes, cross-entropy, Adam with learning rate 0.001, random pixels. A line of JSON for each network, batch and
mode, as soon as it is measured. Modes:

    f32       eager, all products in f32: what ours computes
    eager     eager, as torch comes: convolutions may use TF32, whose factors have 11 bits
    amp       eager, channels_last, bf16 autocast
    compiled  torch.compile on channels_last, bf16 autocast

A step is measured twice: with the batch copied from pinned memory in each step, as ours and as in training, and with
the batch on the card already. With --wait everything is compiled and warmed up first, `ready` is printed, and a line on
standard input starts the measurements.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import time

import torch
import torchvision

MODES = ("f32", "eager", "amp", "compiled")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["resnet18", "resnet50"])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[32, 256])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["f32", "eager", "amp"])
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--wait", action="store_true")
    return parser.parse_args()


class Work:
    """A network with its batch in ordinary memory and on the card."""

    def __init__(self, args: argparse.Namespace, model: str, batch: int, mode: str) -> None:
        self.args, self.model, self.batch, self.mode = args, model, batch, mode
        self.cuda = args.device.startswith("cuda")
        torch.manual_seed(0)
        layout = torch.contiguous_format if mode in ("f32", "eager") else torch.channels_last
        network = torchvision.models.get_model(model, weights=None, num_classes=2)
        self.network = network.to(args.device, memory_format=layout)
        self.run = torch.compile(self.network) if mode == "compiled" else self.network
        images = torch.randn(batch, 3, args.image_size, args.image_size).contiguous(memory_format=layout)
        labels = torch.randint(0, 2, (batch,))
        self.here = (images.pin_memory(), labels.pin_memory()) if self.cuda else (images, labels)
        self.there = self.copied()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3, fused=self.cuda)

    def copied(self) -> list[torch.Tensor]:
        return [tensor.to(self.args.device, non_blocking=True) for tensor in self.here]

    def precision(self) -> contextlib.AbstractContextManager:
        torch.backends.cudnn.allow_tf32 = self.mode != "f32"
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        if self.mode in ("f32", "eager"):
            return contextlib.nullcontext()
        return torch.autocast(self.args.device.split(":")[0], torch.bfloat16)

    def step(self, copy: bool) -> None:
        images, labels = self.copied() if copy else self.there
        self.optimizer.zero_grad()
        with self.precision():
            loss = torch.nn.functional.cross_entropy(self.run(images), labels)
        loss.backward()
        self.optimizer.step()
        loss.item()  # ours reads the loss in each step, too

    def evaluate(self) -> None:
        with torch.no_grad(), self.precision():
            self.run(self.copied()[0]).cpu()

    def finish(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def timed(self, work) -> list[float]:
        """Seconds of each call."""
        seconds = []
        for _ in range(self.args.steps):
            self.finish()
            start = time.perf_counter()
            work()
            self.finish()
            seconds.append(time.perf_counter() - start)
        return sorted(seconds)

    def warm_up(self) -> None:
        self.network.train()
        for _ in range(3):
            self.step(copy=True)
        self.network.eval()
        self.evaluate()
        self.evaluate()
        self.finish()

    def measure(self) -> dict:
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        self.network.train()
        self.step(copy=True)
        copied, there = self.timed(lambda: self.step(True)), self.timed(lambda: self.step(False))
        self.network.eval()
        self.evaluate()
        passes = self.timed(self.evaluate)
        return {
            "kind": "peer",
            "mode": self.mode,
            "job": self.model,
            "batch_size": self.batch,
            "image_size": self.args.image_size,
            "train_step_s": statistics.median(copied),
            "train_step_on_card_s": statistics.median(there),
            "eval_forward_s": statistics.median(passes),
            "peak_card_mib": torch.cuda.max_memory_reserved() / 2**20 if self.cuda else None,
            "samples": {"train_step_s": copied, "train_step_on_card_s": there, "eval_forward_s": passes},
        }


def main() -> None:
    args = options()
    say = lambda line: print(line, flush=True)
    wanted = [(m, b, mode) for m in args.models for b in args.batch_sizes for mode in args.modes]
    ready = []
    for place, (model, batch, mode) in enumerate(wanted):
        try:
            work = Work(args, model, batch, mode)
            work.warm_up()
            if args.wait:
                ready.append(work)
            else:
                say(json.dumps(work.measure()))
        except Exception as error:  # the others are still worth measuring
            what = {"kind": "peer", "mode": mode, "job": model, "batch_size": batch, "error": str(error)[:300]}
            say(json.dumps(what))
        work = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    if args.wait:
        say("ready")
        sys.stdin.readline()
        for work in ready:
            say(json.dumps(work.measure()))


if __name__ == "__main__":
    main()
