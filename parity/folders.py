"""What torchvision's ImageFolder makes of folders: fixtures for crates/data/tests/image_folder.rs.

    python parity/folders.py        # needs torchvision

Writes random trees of empty files with the classes and the order of the images that ImageFolder finds. Names are in
hexadecimal, since some are no UTF-8. Left out is what Wellfit reads otherwise on purpose (docs/folders.md): names with
a dot in front, junk, two Unicode spellings of one name.
"""

import json
import os
import random
import tempfile
from pathlib import Path

from torchvision.datasets import ImageFolder

OUT = Path(__file__).resolve().parent.parent / "crates/data/tests/fixtures/image_folders.json"
TREES = 40
NAMES = [
    b"a", b"A", b"a-b", b"a_b", b"a b", b"a.b", b"a0", b"b", b"B", b"Zebra", b"cat", b"10", b"2", b"02", b"_x", b"~",
    "é".encode(), "ö".encode(), "ß".encode(), "Ж".encode(), "犬".encode(), "猫".encode(), "！".encode(),
    "\U0001f600".encode(), b"\xff", b"\xe9", b"caf\xe9", b"caf\xe8", b"a\x80b", b"\xed\xa0\x80",
]
ENDS = [b".jpg", b".JPG", b".jpeg", b".png", b".PNG", b".ppm", b".bmp", b".pgm", b".tif", b".tiff", b".TIFF", b".webp"]
OTHERS = [b".txt", b".gif", b"-LICENSE", b".jpg.txt", b".npy"]


def fill(chance, folder, depth):
    """Files and folders with images below `folder`; at least one image directly in it."""
    files = [folder + b"/" + chance.choice(NAMES) + chance.choice(ENDS)]
    for _ in range(chance.randrange(5)):
        files.append(folder + b"/" + chance.choice(NAMES) + chance.choice(ENDS + OTHERS))
    if depth:
        for name in chance.sample(NAMES, chance.randrange(3)):
            files += fill(chance, folder + b"/" + name, depth - 1)
    return files


def found(files):
    """The classes, and the images with their labels, in ImageFolder's order."""
    with tempfile.TemporaryDirectory() as place:
        root = os.fsencode(place)
        for file in files:
            path = root + b"/" + file
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "wb").close()
        folder = ImageFolder(place)
        images = [[os.fsencode(path)[len(root) + 1 :].hex(), label] for path, label in folder.samples]
        return [os.fsencode(name).hex() for name in folder.classes], images


def main():
    chance = random.Random(0)
    trees = []
    for _ in range(TREES):
        names = chance.sample(NAMES, chance.randrange(2, 9))
        files = sorted({file for name in names for file in fill(chance, name, 2)})
        classes, images = found(files)
        trees.append({"files": [file.hex() for file in files], "classes": classes, "images": images})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text("[\n" + ",\n".join(json.dumps(tree) for tree in trees) + "\n]\n")


main()
