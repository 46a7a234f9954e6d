"""Write the pictures of the benchmark of diagnoses as plain files, which the example `curves` of crate `train` reads.

    apt-get install dataset-fashion-mnist
    python3 scripts/curves/sets.py EMOJI_DIR OUT_DIR      # needs numpy, Pillow, scikit-learn

EMOJI_DIR has train/ and test/ with a folder of PNG pictures for each of two classes. A file is five little-endian numbers of
32 bits (pictures, height, width, channels, classes), then a byte a label, then the pictures' bytes.
"""

import gzip
import pathlib
import sys

import numpy
from PIL import Image
from sklearn.datasets import load_digits

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def write(path, images, labels):
    """`images`: bytes of shape (pictures, height, width, channels)."""
    head = numpy.array([*images.shape, labels.max() + 1], "<u4")
    path.write_bytes(head.tobytes() + labels.astype(numpy.uint8).tobytes() + images.astype(numpy.uint8).tobytes())
    print(path.name, images.shape, numpy.bincount(labels))


def idx(name):
    raw = gzip.decompress((FASHION / f"{name}.gz").read_bytes())
    shape = [int.from_bytes(raw[4 + 4 * d : 8 + 4 * d], "big") for d in range(raw[3])]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def fashion(out):
    parts = [(idx(f"{part}-images-idx3-ubyte"), idx(f"{part}-labels-idx1-ubyte")) for part in ("train", "t10k")]
    images, labels = (numpy.concatenate(of) for of in zip(*parts))
    # 30,000 are enough: no training takes more than 6,000 and 2,000 to judge it.
    images, labels = images[:30000], labels[:30000].astype(int)
    write(out / "fashion28.bin", images[..., None], labels)
    halves = images.reshape(-1, 14, 2, 14, 2).mean((2, 4)).round()
    write(out / "fashion14.bin", halves[..., None], labels)


def digits(out):
    data = load_digits()
    write(out / "digits8.bin", (data.images * 255 / 16).round()[..., None], data.target)


def emoji(source, out):
    files = sorted(source.rglob("*.png"))
    classes = sorted({file.parent.name for file in files})
    images = []
    for file in files:
        picture = Image.open(file).convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        images.append(numpy.array(Image.alpha_composite(white, picture).convert("RGB").resize((24, 24))))
    write(out / "emoji24.bin", numpy.stack(images), numpy.array([classes.index(file.parent.name) for file in files]))


if __name__ == "__main__":
    source, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    fashion(out)
    digits(out)
    emoji(source, out)
