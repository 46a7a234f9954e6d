"""Build five folders of pictures to choose the recipes' defaults by: real pictures, few of them, of different kinds.

    apt-get install tuxpaint-stamps-default openclipart-png dataset-fashion-mnist   # and npm, for the emoji
    python3 scripts/recipe_sets.py OUT_DIR                                          # needs numpy, Pillow, scikit-learn

| folder | classes | pictures | train, test |
|---|---|---|---|
| stamps | 6 kinds of things | photographs and drawings cut out, Tux Paint's stamps | 40 a class at most, the rest |
| clipart | 8 kinds of things | drawings of many hands, the Open Clip Art Library | 30, 80 |
| emoji | 5 categories | Google's in train, Twitter's in test: the same things by another hand | 40, 80 |
| fashion | 10 | Fashion-MNIST, 28 x 28, grey | 25, 60 |
| digits | 10 | scikit-learn's digits, 8 x 8, grey | 20, 60 |

Pictures keep their alpha channel. Which picture goes where is drawn with a fixed seed from sorted names.
"""

import gzip
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

import numpy
from PIL import Image

STAMPS = ("animals", "food", "household", "seasonal", "town", "vehicles")
CLIPART = ("animals", "buildings", "food", "people", "plants", "recreation", "tools", "transportation")
EMOJI = {
    "animals": "Animals & Nature",
    "food": "Food & Drink",
    "objects": "Objects",
    "people": "Smileys & Emotion",
    "travel": "Travel & Places",
}


def write(out, part, label, pictures):
    """Pictures are paths or images."""
    folder = out / part / label
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        image = picture if isinstance(picture, Image.Image) else Image.open(picture)
        image = image if image.mode == "L" else image.convert("RGBA")
        image.thumbnail((256, 256))
        image.save(folder / f"{number:03}.png")


def divide(out, label, pictures, train, test):
    pictures = random.Random(label).sample(pictures, len(pictures))
    write(out, "train", label, pictures[:train])
    write(out, "test", label, pictures[train : train + test])


def files(folder):
    """Readable pictures whose name does not say that they are another one's mirror or part."""
    return sorted(p for p in pathlib.Path(folder).rglob("*.png") if not p.is_symlink() and p.stat().st_size < 500_000)


def stamps(out):
    for label in STAMPS:
        found = [p for p in files(f"/usr/share/tuxpaint/stamps/{label}") if "_mirror" not in p.name and "_flip" not in p.name]
        divide(out, label, found, min(40, len(found) * 2 // 3), 80)


def clipart(out):
    for label in CLIPART:
        divide(out, label, files(f"/usr/share/openclipart/png/{label}"), 30, 80)


def emoji(out):
    with tempfile.TemporaryDirectory() as folder:
        for part, vendor, count in (("train", "google", 40), ("test", "twitter", 80)):
            name = f"emoji-datasource-{vendor}@16.0.0"
            packed = subprocess.run(["npm", "pack", "-s", name], cwd=folder, check=True, capture_output=True, text=True)
            with tarfile.open(pathlib.Path(folder) / packed.stdout.strip().splitlines()[-1]) as archive:
                archive.extractall(pathlib.Path(folder) / vendor, filter="data")
            package = pathlib.Path(folder) / vendor / "package"
            listed = json.loads((package / "emoji.json").read_text())
            for label, category in EMOJI.items():
                names = sorted(e["image"] for e in listed if e["category"] == category and e[f"has_img_{vendor}"])
                # One order for both vendors: no emoji of the training part is in the test part.
                names = random.Random(label).sample(names, len(names))
                names = names[:count] if part == "train" else names[40 : 40 + count]
                pictures = [package / "img" / vendor / "64" / n for n in names]
                write(out, part, label, [p for p in pictures if p.exists()])


def idx(path):
    raw = gzip.decompress(pathlib.Path(path).read_bytes())
    shape = [int.from_bytes(raw[4 + 4 * d : 8 + 4 * d], "big") for d in range(raw[3])]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def fashion(out):
    root = "/usr/share/datasets/fashion-mnist"
    for part, name, count in (("train", "train", 25), ("test", "t10k", 60)):
        images, labels = idx(f"{root}/{name}-images-idx3-ubyte.gz"), idx(f"{root}/{name}-labels-idx1-ubyte.gz")
        for label in range(10):
            write(out, part, f"{label}", [Image.fromarray(i) for i in images[labels == label][:count]])


def digits(out):
    from sklearn.datasets import load_digits

    data = load_digits()
    for label in range(10):
        pictures = [Image.fromarray((i * 255 / 16).astype(numpy.uint8)) for i in data.images[data.target == label]]
        divide(out, f"{label}", pictures, 20, 60)


def main(out):
    for build in (stamps, clipart, emoji, fashion, digits):
        build(out / build.__name__)
        counts = {p: len(list((out / build.__name__ / p).rglob("*.png"))) for p in ("train", "test")}
        print(build.__name__, counts)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
