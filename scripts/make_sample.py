#!/usr/bin/env python3
"""Make the built-in `sample` dataset: the first images of each class of Fashion-MNIST.

Usage: make_sample.py SOURCE_DIR TARGET_DIR

SOURCE_DIR holds Fashion-MNIST's four IDX files (gzipped). The result depends on nothing else: the images keep
their order, and the gzip headers carry neither name nor time.
"""

import gzip
import pathlib
import struct
import sys

CLASSES = 10
PER_CLASS = {"train": 580, "t10k": 100}
PIXELS = 28 * 28
MAX_BYTES = 3_000_000


def read(path, header):
    """The bytes after the header of an IDX file."""
    return gzip.decompress(path.read_bytes())[header:]


def first_of_each_class(labels, per_class):
    """Indices of the first `per_class` images of each class, in file order."""
    taken = [0] * CLASSES
    chosen = []
    for index, label in enumerate(labels):
        if taken[label] < per_class:
            taken[label] += 1
            chosen.append(index)
    assert taken == [per_class] * CLASSES, taken
    return chosen


def write(path, content):
    """Write gzipped bytes and return how many."""
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    path.write_bytes(packed)
    return len(packed)


def main(source, target):
    total = 0
    for part, per_class in PER_CLASS.items():
        images = read(source / f"{part}-images-idx3-ubyte.gz", 16)
        labels = read(source / f"{part}-labels-idx1-ubyte.gz", 8)
        chosen = first_of_each_class(labels, per_class)
        pixels = b"".join(images[i * PIXELS : (i + 1) * PIXELS] for i in chosen)
        total += write(
            target / f"sample-{part}-images-idx3-ubyte.gz",
            struct.pack(">IIII", 0x803, len(chosen), 28, 28) + pixels,
        )
        total += write(
            target / f"sample-{part}-labels-idx1-ubyte.gz",
            struct.pack(">II", 0x801, len(chosen)) + bytes(labels[i] for i in chosen),
        )
        print(f"{part}: {len(chosen)} images")
    print(f"{total} bytes")
    assert total <= MAX_BYTES, total


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
