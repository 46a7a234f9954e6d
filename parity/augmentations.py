"""What torchvision's augmentations make of images, and how often: fixtures for crates/data/tests/augmentations.

    python parity/augmentations.py        # needs numpy, pillow, torch, torchvision

Pixels are those of Pillow images (torchvision's tensors round differently). `pixels.json` lists what the bytes in
`pixels.bin.gz` are, in order: first the images, then what became of them for given parameters. `draws.json` has
histograms of the parameters that torchvision draws.
"""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

HERE = Path(__file__).resolve().parent.parent / "crates/data/tests/fixtures/augmentations"
SOURCE = Path(__file__).resolve().parent.parent / "crates/images/tests/fixtures/pillow/source.png"
NEAREST = transforms.InterpolationMode.NEAREST
DRAWS = 200_000


def images():
    """Waves, noise and hard edges; one square, one wide, one grey; one with few levels, as in a drawing."""
    source = Image.open(SOURCE).convert("RGB")
    square = source.resize((20, 20))
    flat = source.quantize(5).convert("RGB").crop((20, 10, 43, 25))
    return {"square": square, "wide": source.crop((25, 10, 48, 25)), "flat": flat, "grey": square.convert("L"),
            "large": source, "tiny": source.crop((30, 20, 32, 22))}


def spaces():
    """The tables of both policies: every operation at some strengths, both ways."""
    trivial, rand = transforms.TrivialAugmentWide(), transforms.RandAugment()
    for name, image in images().items():
        if name == "large":
            continue
        size = image.size[::-1]
        tables = {"trivial": trivial._augmentation_space(31), "rand": rand._augmentation_space(31, size)}
        for space, table in tables.items():
            for operation, (magnitudes, signed) in table.items():
                for bin in (0, 1, 15, 20, 30) if name in ("square", "wide") else (15, 30):
                    if magnitudes.ndim == 0 and bin != 30:
                        continue
                    for negative in (False, True) if signed else (False,):
                        magnitude = float(magnitudes[bin]) if magnitudes.ndim else 0.0
                        magnitude = -magnitude if negative else magnitude
                        case = {"image": name, "what": space, "operation": operation, "bin": bin, "negative": negative}
                        yield case, _apply_op(image, operation, magnitude, NEAREST, None)


def single():
    """The operations with parameters of their own."""
    for name, image in images().items():
        for what, function, values in (
            ("rotate", F.rotate, (-180, -90, -33.25, 0, 0.4, 90, 179.5)),
            ("brightness", F.adjust_brightness, (0.0, 0.63, 1.4)),
            ("contrast", F.adjust_contrast, (0.0, 0.63, 1.4)),
            ("saturation", F.adjust_saturation, (0.0, 0.63, 1.4)),
            ("hue", F.adjust_hue, (-0.5, -0.13, 0.01, 0.3)),
        ):
            for value in values if name != "large" else values[1:2]:
                yield {"image": name, "what": what, "parameters": [value]}, function(image, value)
        for angle, x, y, scale, shear in ((10.3, 2, -1, 1.0, 0.0), (0.0, 0, 0, 0.83, 0.0), (-7.0, -3, 2, 1.27, 12.5)):
            result = F.affine(image, angle, (x, y), scale, (shear, 0.0))
            yield {"image": name, "what": "affine", "parameters": [angle, x, y, scale, shear]}, result
        right, lower = image.width - 1, image.height - 1
        start = [[0, 0], [right, 0], [right, lower], [0, lower]]
        for share in ((1, 2, 3, 4, 1, 0, 2, 5), (0, 0, 0, 0, 0, 0, 0, 0), (5, 5, 0, 3, 5, 1, 4, 2)) if name != "tiny" else ():
            way = [(s % 6) / 10 for s in share]
            ends = [[round(abs(x - way[2 * i] * right)), round(abs(y - way[2 * i + 1] * lower))] for i, (x, y) in enumerate(start)]
            flat = [float(v) for end in ends for v in end]
            yield {"image": name, "what": "perspective", "parameters": flat}, F.perspective(image, start, ends, transforms.InterpolationMode.BILINEAR, 0)
        mode = image.mode == "L"
        yield {"image": name, "what": "grayscale", "parameters": []}, F.to_grayscale(image, 1 if mode else 3)
    for box in ((0, 0, 61, 97), (3, 50, 31, 22), (20, 11, 17, 13), (60, 0, 1, 40)):
        result = F.resized_crop(images()["large"], *box, [24, 24])
        yield {"image": "large", "what": "resized_crop", "parameters": list(box)}, result


def histogram(values, low, high):
    """Counts in ten bins of equal width."""
    return np.histogram(values, np.linspace(low, high, 11))[0].tolist()


def draws():
    """How often torchvision draws what, with this many draws of each."""
    torch.manual_seed(0)
    image = torch.zeros(3, 120, 200)
    result = {"draws": DRAWS}
    for name, scale in (("light", (0.5, 1.0)), ("imagenet", (0.08, 1.0))):
        boxes = np.array([transforms.RandomResizedCrop.get_params(image, scale, (3 / 4, 4 / 3)) for _ in range(DRAWS)], float)
        top, left, height, width = boxes.T
        result[f"crop-{name}"] = {
            "area": histogram(height * width / (120 * 200), scale[0] * 0.99, 1.0),
            "ratio": histogram(np.log(width / height), math.log(0.7), math.log(1.43)),
            "top": histogram(top, -0.5, 90.5),
            "left": histogram(left, -0.5, 180.5),
        }
    boxes = [transforms.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0])[:4] for _ in range(DRAWS)]
    top, left, height, width = np.array(boxes, float).T
    result["erasing"] = {
        "area": histogram(height * width / (120 * 200), 0.018, 0.34),
        "ratio": histogram(np.log(height / width), math.log(0.29), math.log(3.4)),
        "top": histogram(top, -0.5, 115.5),
        "left": histogram(left, -0.5, 190.5),
    }
    for alpha in (0.2, 1.0, 2.5):
        beta = torch.distributions.Beta(torch.tensor([alpha]), torch.tensor([alpha]))
        result[f"beta-{alpha}"] = {"lambda": histogram(beta.sample((DRAWS,)).numpy(), 0.0, 1.0)}
    return result


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    index, blob = [], []
    for case, image in [*(({"image": name, "what": "image"}, image) for name, image in images().items()), *spaces(), *single()]:
        pixels = np.asarray(image)
        index.append(case | {"size": list(pixels.shape[:2]), "channels": 1 if pixels.ndim == 2 else 3})
        blob.append(pixels.tobytes())
    lines = ",\n".join(json.dumps(case) for case in index)
    (HERE / "pixels.json").write_text(f"[\n{lines}\n]\n")
    (HERE / "pixels.bin.gz").write_bytes(gzip.compress(b"".join(blob), 9, mtime=0))
    (HERE / "draws.json").write_text(json.dumps(draws(), indent=1) + "\n")


if __name__ == "__main__":
    main()
