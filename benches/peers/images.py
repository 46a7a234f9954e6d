#!/usr/bin/env python3
"""JPEG files to measure with: two classes that differ in hue, waves with noise on them. Needs Pillow.

    python benches/peers/images.py FOLDER COUNT [WIDTH HEIGHT]

The same files for the same arguments and Pillow.
"""
import pathlib
import random
import sys

from PIL import Image


def picture(number: int, size: tuple[int, int]) -> Image.Image:
    """A small random picture scaled up smoothly, with grain."""
    pick = random.Random(number)
    coarse = Image.new("RGB", (16, 12))
    hue = (40, 0, -40) if number % 2 else (-40, 0, 40)
    coarse.putdata([tuple(pick.randrange(60, 190) + shift for shift in hue) for _ in range(16 * 12)])
    grain = Image.frombytes("L", size, pick.randbytes(size[0] * size[1])).convert("RGB")
    return Image.blend(coarse.resize(size, Image.Resampling.BICUBIC), grain, 0.1)


def main() -> None:
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    size = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (500, 375)
    for number in range(count):
        path = folder / "ab"[number % 2] / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, size).save(path, quality=90)


if __name__ == "__main__":
    main()
