"""What Pillow and torchvision make of images: fixtures for crates/images/tests/pillow.rs and crates/data/tests/torchvision.rs.

    python parity/images.py        # needs numpy, pillow, pillow-jxl-plugin, torch, torchvision

Writes small images of every format and, in one file, the pixels that Pillow gives for them, resized images
and one whole torchvision transform. `expected.txt` lists what the bytes in `expected.bin.gz` are, in order.
"""

import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import torchvision
from image_kinds import kinds
from PIL import Image
from torchvision import transforms
from torchvision.models import EfficientNet_B0_Weights

HERE = Path(__file__).resolve().parent.parent / "crates/images/tests/fixtures/pillow"
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def scene(height, width, noise):
    """Waves of all colours, some noise, and two patches with hard edges, where decoders differ most."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 7 + y / 11 + 2 * k) * np.cos(y / 5 - x / 13 + k) for k in range(3)]
    pixels = np.stack(waves, -1) + np.random.default_rng(0).normal(0, noise, (height, width, 3))
    pixels[height // 4 : height // 2, width // 3 : 2 * width // 3] = [250, 10, 20]
    pixels[height // 2 : 3 * height // 4, width // 2 :] = [10, 20, 250]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def reframed(jpeg, width, height, sampling):
    """The same JPEG data read with another size and luma sampling, for layouts that Pillow cannot write."""
    at = jpeg.index(b"\xff\xc0") + 5
    frame = struct.pack(">HH", height, width) + jpeg[at + 4 : at + 6] + bytes([sampling])
    return jpeg[:at] + frame + jpeg[at + 7 :]


def jpegs():
    odd, even = scene(37, 53, 6), scene(40, 64, 6)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"baseline-{name}.jpg", saved(odd, "jpeg", quality=90, subsampling=subsampling)
        yield f"progressive-{name}.jpg", saved(even, "jpeg", quality=75, subsampling=subsampling, progressive=True)
    yield "coarse-420.jpg", saved(even, "jpeg", quality=20)
    yield "restart-420.jpg", saved(odd, "jpeg", quality=60, restart_marker_blocks=2)
    yield "tiny-420.jpg", saved(scene(3, 4, 6), "jpeg")
    yield "grey.jpg", saved(odd.convert("L"), "jpeg", quality=85)
    yield "rgb.jpg", saved(odd, "jpeg", quality=85, keep_rgb=True)
    inks = np.asarray(odd.convert("CMYK")).copy()
    inks[..., 3] = np.linspace(0, 200, inks.shape[1])
    cmyk = Image.fromarray(inks, "CMYK")
    yield "cmyk.jpg", saved(cmyk, "jpeg", quality=85)
    adobe = saved(cmyk, "jpeg", quality=85, subsampling=2)
    assert adobe.count(b"Adobe") == 1, "the colour transform is the last byte of Adobe's marker"
    transform = adobe.index(b"Adobe") + 11
    yield "ycck-420.jpg", adobe[:transform] + b"\2" + adobe[transform + 1 :]
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: convert("RGB") and torchvision leave the pixels as they are stored
    yield "exif-rotated.jpg", saved(odd, "jpeg", quality=85, exif=exif)
    yield "progressive-grey.jpg", saved(odd.convert("L"), "jpeg", quality=85, progressive=True)
    yield "progressive-cmyk.jpg", saved(cmyk, "jpeg", quality=85, progressive=True)
    yield "layout-440.jpg", reframed(saved(even, "jpeg", subsampling=1), 31, 77, 0x12)
    yield "layout-411.jpg", reframed(saved(scene(32, 48, 6), "jpeg", subsampling=2), 91, 13, 0x41)


def png(pixels, color_type, depth, interlaced=False, before=(), width=None):
    """A PNG file of raw samples, for the kinds that Pillow cannot write."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    passes = [pixels[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [pixels]
    rows = [b"\0" + row.tobytes() for part in passes if part.size for row in part]
    height, width = pixels.shape[0], width or pixels.shape[1]
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    head = chunk(b"IHDR", header) + b"".join(chunk(*part) for part in before)
    body = head + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def others():
    image = scene(13, 17, 6)
    grey, palette = image.convert("L"), image.quantize(37)
    alpha = image.copy()
    alpha.putalpha(grey)
    grey_alpha = grey.copy()
    grey_alpha.putalpha(image.getchannel(0))
    deep = np.random.default_rng(1).integers(0, 65536, (13, 17, 4)).astype(">u2")
    yield "rgb.png", saved(image, "png")
    yield "grey.png", saved(grey, "png")
    yield "grey-alpha.png", saved(grey_alpha, "png")
    yield "alpha.png", saved(alpha, "png")
    yield "palette.png", saved(palette, "png")
    yield "palette-4-bits.png", saved(image.quantize(11), "png", bits=4)
    yield "palette-transparent.png", saved(palette, "png", transparency=3)
    yield "1-bit.png", saved(image.convert("1"), "png")
    yield "interlaced.png", png(np.asarray(image), 2, 8, interlaced=True)
    yield "palette-1-bit.png", saved(image.quantize(2), "png", bits=1)
    yield "palette-alphas.png", saved(palette, "png", transparency=bytes(range(0, 250, 10)))
    yield "grey-transparent.png", saved(grey, "png", transparency=100)
    yield "rgb-transparent.png", saved(image, "png", transparency=image.getpixel((0, 0)))
    yield "grey-4-bits.png", png(np.asarray(grey)[:, :16] // 2, 0, 4, width=32)
    yield "interlaced-grey.png", png(np.asarray(grey)[..., None], 0, 8, interlaced=True)
    yield "interlaced-alpha.png", png(np.asarray(alpha), 6, 8, interlaced=True)
    yield "interlaced-grey-16.png", png(deep[..., :1] // 100, 0, 16, interlaced=True)
    yield "interlaced-palette.png", png(
        np.asarray(palette)[..., None], 3, 8, interlaced=True, before=[(b"PLTE", bytes(palette.getpalette())), (b"tRNS", bytes([0, 99]))]
    )
    yield "alpha-16.png", png(deep, 6, 16)
    yield "grey-alpha-16.png", png(np.ascontiguousarray(deep[..., :2]), 4, 16)
    yield "grey-16.png", png(deep[..., :1] // 100, 0, 16)
    yield "rgb-16.png", png(np.ascontiguousarray(deep[..., :3]), 2, 16)
    yield "rgb.bmp", saved(image, "bmp")
    yield "palette.bmp", saved(image.quantize(16), "bmp")
    yield "alpha.bmp", saved(alpha, "bmp")
    yield "grey.bmp", saved(grey, "bmp")
    yield "1-bit.bmp", saved(image.convert("1"), "bmp")
    yield "top-down.bmp", top_down(saved(image, "bmp"))
    yield "5-6-5.bmp", bitmap(17, 13, 16, 3, struct.pack("<III", 0xF800, 0x07E0, 0x001F), deep[..., :1].tobytes(), 17 * 2)
    yield "run-length.bmp", run_length(palette)
    yield "rgb.tiff", saved(image, "tiff")
    yield "packbits.tiff", saved(image, "tiff", compression="packbits")
    yield "deflate-grey.tiff", saved(grey, "tiff", compression="tiff_deflate")
    yield "predictor.tiff", saved(image, "tiff", compression="tiff_lzw", tiffinfo={317: 2})
    yield "big.tiff", saved(image, "tiff", big_tiff=True)
    yield "pages.tiff", saved(image, "tiff", save_all=True, append_images=[grey])
    yield "jpeg.tiff", saved(scene(37, 53, 6), "tiff", compression="jpeg", quality=85)
    yield "lzw.tiff", saved(image, "tiff", compression="tiff_lzw")
    yield "deflate-alpha.tif", saved(alpha, "tiff", compression="tiff_adobe_deflate")
    yield "cmyk.tiff", saved(image.convert("CMYK"), "tiff")
    yield "grey-16.tiff", saved(Image.fromarray((deep[..., 0] // 100).astype(np.uint16)), "tiff")
    yield "1-bit.tiff", saved(image.convert("1"), "tiff", compression="group4")
    yield "lossy.webp", saved(scene(37, 53, 6), "webp", quality=70)
    yield "lossy-alpha.webp", saved(alpha, "webp", quality=80)
    yield "lossless.webp", saved(image, "webp", lossless=True)
    yield "animated.webp", saved(image, "webp", lossless=True, save_all=True, append_images=[grey.convert("RGB")])
    yield "lossless-alpha.webp", saved(alpha, "webp", lossless=True)
    yield "rgb.ppm", saved(image, "ppm")
    yield "grey.pgm", saved(grey, "ppm")
    yield "rgb-16.ppm", b"P6\n17 13\n65535\n" + deep[..., :3].tobytes()


def bitmap(width, height, depth, compression, colours, data, row):
    """A BMP file, for the kinds that Pillow cannot write; rows come bottom up and end at multiples of four."""
    if row:
        data = b"".join(data[at : at + row] + bytes(-row % 4) for at in range(0, len(data), row))
    start = 14 + 40 + len(colours)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, depth, compression, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + colours + data


def run_length(palette):
    """An 8-bit BMP of runs (BI_RLE8)."""
    colours = bytearray()
    for red, green, blue in np.asarray(palette.getpalette(), np.uint8).reshape(-1, 3):
        colours += bytes([blue, green, red, 0])
    colours += bytes(1024 - len(colours))
    rows = np.asarray(palette)[::-1]
    data = b"".join(b"".join(bytes([1, level]) for level in row) + b"\0\0" for row in rows) + b"\0\1"
    return bitmap(palette.width, palette.height, 8, 1, bytes(colours), data, 0)


def top_down(bmp):
    """The same BMP data with a negative height: the first row comes first."""
    return bmp[:22] + struct.pack("<i", -struct.unpack("<i", bmp[22:26])[0]) + bmp[26:]


def transforms_of(size, grey, *flips):
    """torchvision's usual chain, each flip certain."""
    mean, std = ([0.5], [0.25]) if grey else ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    first = [transforms.Grayscale(1)] if grey else []
    last = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    return transforms.Compose([*first, transforms.Resize(size), *[flip(p=1.0) for flip in flips], *last])


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    index, blob = [f"# Pillow {PIL.__version__}, torchvision {torchvision.__version__}"], []

    def expect(what, name, array):
        index.append(f"{what} {name} {array.shape[0]} {array.shape[1]}")
        blob.append(np.ascontiguousarray(array).tobytes())

    for name, data in [*jpegs(), *others(), *kinds()]:
        (HERE / name).write_bytes(data)
        expect("decode", name, np.asarray(Image.open(HERE / name).convert("RGB")))
    source = scene(61, 97, 20)
    source.save(HERE / "source.png")
    scene(1, 5, 20).save(HERE / "line.png")
    for name, size in (
        ("source.png", (24, 24)), ("source.png", (31, 48)), ("source.png", (97, 61)), ("source.png", (61, 40)),
        ("source.png", (70, 97)), ("source.png", (1, 1)), ("source.png", (7, 150)), ("source.png", (17, 90)), ("line.png", (3, 9)),
        ("source.png", (64, 101)), ("source.png", (33, 97)), ("line.png", (1, 1)),
    ):
        image = Image.open(HERE / name).convert("RGB")
        for what, mode in (("resize", "BILINEAR"), ("bicubic", "BICUBIC")):
            resize = transforms.Resize(size, transforms.InterpolationMode[mode])
            expect(what, name, np.asarray(resize(image)))
            expect(f"{what}-grey", name, np.asarray(resize(image.convert("L"))))
    mirror, flip = transforms.RandomHorizontalFlip, transforms.RandomVerticalFlip
    for name, size in (("source.png", (32, 32)), ("line.png", (15, 11)), ("baseline-444.jpg", (21, 31)), ("alpha.png", (13, 17))):
        image = Image.open(HERE / name).convert("RGB")
        for what, grey, flips in (
            ("transform", False, []), ("transform-h", False, [mirror]), ("transform-v", False, [flip]),
            ("transform-hv", False, [mirror, flip]), ("transform-grey-h", True, [mirror]),
        ):
            expect(what, name, transforms_of(size, grey, *flips)(image).permute(1, 2, 0).numpy())
    for name, side, size in (("source.png", 40, (32, 32)), ("source.png", 33, (33, 30)), ("baseline-444.jpg", 37, (24, 31)), ("source.png", 80, (21, 80)), ("line.png", 6, (6, 5))):
        chain = transforms_of(side, False).transforms
        chain.insert(1, transforms.CenterCrop(size))
        image = Image.open(HERE / name).convert("RGB")
        expect(f"transform-crop-{side}", name, transforms.Compose(chain)(image).permute(1, 2, 0).numpy())
    # The transforms that belong to weights, in small.
    image = Image.open(HERE / "source.png").convert("RGB")
    transform = EfficientNet_B0_Weights.IMAGENET1K_V1.transforms(crop_size=32, resize_size=40)
    expect("transform-bicubic-40", "source.png", transform(image).permute(1, 2, 0).numpy())
    (HERE / "expected.txt").write_text("\n".join(index) + "\n")
    (HERE / "expected.bin.gz").write_bytes(gzip.compress(b"".join(blob), 9, mtime=0))


if __name__ == "__main__":
    main()
