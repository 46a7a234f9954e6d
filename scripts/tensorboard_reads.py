"""Whether TensorBoard itself reads what `wellfit export --format tensorboard` wrote: every scalar against the run's record.

    pip install tensorboard
    python scripts/tensorboard_reads.py RUN EVENT_FILE
"""

import json
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

NAMES = {"train_loss": "loss/train", "val_loss": "loss/validation", "train_accuracy": "accuracy/train",
         "val_accuracy": "accuracy/validation", "lr": "learning_rate", "seconds": "time/epoch_seconds"}


def single(value):
    return struct.unpack("<f", struct.pack("<f", float(value)))[0]


def rows(path, kind):
    events = [json.loads(line) for line in path.read_text().splitlines()]
    return [event for event in events if kind is None or event.get("event") == kind]


def same(found, expected):
    return found == expected or (math.isnan(found) and math.isnan(expected))


def main():
    run, file = pathlib.Path(sys.argv[1]), sys.argv[2]
    read = EventAccumulator(file, size_guidance={"scalars": 0}).Reload()
    compared = 0
    epochs = rows(run / "events.jsonl", "epoch")
    for name, tag in NAMES.items():
        found = {event.step: event.value for event in read.Scalars(tag)}
        assert len(found) == len(epochs), (tag, len(found), len(epochs))
        for epoch in epochs:
            assert same(found[epoch["epoch"]], single(epoch[name])), (tag, epoch["epoch"], found[epoch["epoch"]], epoch[name])
            compared += 1
    steps = {event.step: event.value for event in read.Scalars("step/loss")}
    for step in rows(run / "steps.jsonl", None):
        assert same(steps[step["step"]], single(step["losses"]["loss"])), step
        compared += 1
    times = [event.wall_time for event in read.Scalars("loss/train")]
    assert times == sorted(times) and times[0] > 1.6e9, times[:3]
    print(f"ok: {compared} values of {len(read.Tags()['scalars'])} tags are the record's")


if __name__ == "__main__":
    main()
