"""Planted duplicates among Fashion-MNIST's images: how many `wellfit data dedupe` finds, and what else it takes for one.

    python parity/duplicates.py target/release/wellfit [/usr/share/datasets/fashion-mnist]

Two measurements:

* 3,000 images as PNG files with 200 planted ones: 50 copies, 50 saved again as JPEG (quality 75), 50 of 1.5 times the size, 50
  mirrored;
* all 60,000 training images as they come: the time, and every set, which are true duplicates of the data or false pairs. A sheet
  of them is drawn to be looked at.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image, ImageOps

KINDS = {
    "copy": lambda image, path: image.save(path.with_suffix(".png")),
    "jpeg": lambda image, path: image.save(path.with_suffix(".jpg"), quality=75),
    "large": lambda image, path: image.resize((42, 42), Image.BICUBIC).save(path.with_suffix(".png")),
    "mirrored": lambda image, path: ImageOps.mirror(image).save(path.with_suffix(".png")),
}


def pixels(folder):
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)


def found(binary, *arguments):
    begin = time.monotonic()
    done = subprocess.run([binary, "data", "dedupe", *map(str, arguments), "--json"], capture_output=True, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]), time.monotonic() - begin


def planted(binary, images):
    random = numpy.random.default_rng(0)
    places = random.permutation(len(images))[:3000]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "data"
        for kind in ("one", "two"):
            (root / kind).mkdir(parents=True)
        for number, place in enumerate(places):
            image = Image.fromarray(images[place])
            image.save(root / "one" / f"{number}.png")
            if number < 200:
                name = list(KINDS)[number % 4]
                KINDS[name](image, root / "one" / f"{number}-{name}")
        for number in range(2):
            Image.fromarray(images[places[-1 - number]]).rotate(90).save(root / "two" / f"{number}.png")
        result, _ = found(binary, root)
    hits, others = dict.fromkeys(KINDS, 0), []
    for group in result["sets"]:
        names = [pathlib.Path(image["path"]).stem for image in group]
        originals = {name.split("-")[0] for name in names}
        for name in names:
            kind = name.partition("-")[2]
            if kind and name.split("-")[0] in names:
                hits[kind] += 1
        if len(originals) > 1:
            others.append(names)
    return hits, others


if __name__ == "__main__":
    binary = sys.argv[1]
    data = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/datasets/fashion-mnist")
    hits, others = planted(binary, pixels(data))
    print("planted, found of 50 each:", hits)
    print("sets that join different images:", len(others), others[:10])
    with tempfile.TemporaryDirectory() as folder:
        sheet = pathlib.Path("duplicates-sheet.png")
        result, seconds = found(binary, "fashion-mnist", "--data", data, "--sheet", sheet, "--force")
        across = {"-".join(pair["parts"]): pair["images"] for pair in result["across_parts"]}
        print(f"Fashion-MNIST, train and test: {seconds:.1f} s; {len(result['sets'])} sets, {result['extra']} duplicates:")
        print({kind: result[kind] for kind in ("copies", "near", "mirrored", "across_classes")}, across)
