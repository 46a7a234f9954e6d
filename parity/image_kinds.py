"""Small files of the rarer kinds of TIFF, BMP, PNM, JPEG, GIF and JPEG XL, for parity/images.py.

What Pillow cannot write is put together here from the formats' own definitions.
"""

import io
import struct
import zlib

import numpy as np
import pillow_jxl  # noqa: F401  teaches Pillow JPEG XL
from PIL import Image, TiffImagePlugin

SHORT, LONG, RATIONAL = 3, 4, 5


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def scene(height, width):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 7 + y / 11 + 2 * k) * np.cos(y / 5 - x / 13 + k) for k in range(3)]
    return np.clip(np.stack(waves, -1) + np.random.default_rng(2).normal(0, 6, (height, width, 3)), 0, 255).astype(np.uint8)


def packed(values, bits):
    """Rows of numbers of fewer than eight bits, or of twelve, each row a whole number of bytes."""
    rows = []
    for row in values:
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return b"".join(rows)


def tiff(chunks, width, height, tags, order="<", tile=None, rows=None):
    """A TIFF file of these strips or tiles; `tags` are numbers, or tuples of them, by tag."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    counts = tuple(map(len, chunks))
    offsets = tuple(8 + sum(counts[:i]) for i in range(len(chunks)))
    tags = {256: width, 257: height, **tags}
    if tile:
        tags |= {322: tile[0], 323: tile[1], 324: offsets, 325: counts}
    else:
        tags |= {273: offsets, 278: rows or height, 279: counts}
    body, entries, extra = b"".join(chunks), b"", b""
    body += bytes(len(body) % 2)
    start = 8 + len(body)
    extra_at = start + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        kind = LONG if tag in (273, 279, 324, 325, 513, 514, 519, 520, 521) else RATIONAL if tag in (529, 532) else SHORT
        if isinstance(values, bytes):
            kind, count, data = 7, len(values), values
        else:
            values = values if isinstance(values, tuple) else (values,)
            count = len(values)
            if kind == RATIONAL:
                data = b"".join(struct.pack(order + "II", round(v * 1000), 1000) for v in values)
            else:
                data = struct.pack(order + str(count) + ("H" if kind == SHORT else "I"), *values)
        if len(data) > 4:
            place = struct.pack(order + "I", extra_at + len(extra))
            extra += data + bytes(len(data) % 2)
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, count) + place
    return head + struct.pack(order + "I", start) + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + extra


def cut(array, width, height):
    """Tiles of an array, filled up at the edges."""
    padded = np.pad(array, [(0, -array.shape[0] % height), (0, -array.shape[1] % width), (0, 0)], mode="edge")
    across = range(0, padded.shape[1], width)
    return [np.ascontiguousarray(padded[y : y + height, x : x + width]) for y in range(0, padded.shape[0], height) for x in across]


def differences(array):
    """Numbers of a row less those of the pixel on the left."""
    out = array.copy()
    out[:, 1:] -= array[:, :-1]
    return out


def subsampled(ycc, h, v):
    """Blocks of h·v luma and the two chroma of their first pixel."""
    ycc = np.pad(ycc, [(0, -ycc.shape[0] % v), (0, -ycc.shape[1] % h), (0, 0)], mode="edge")
    out = b""
    for y in range(0, ycc.shape[0], v):
        for x in range(0, ycc.shape[1], h):
            out += ycc[y : y + v, x : x + h, 0].tobytes() + ycc[y, x, 1:].tobytes()
    return out


def tiffs():
    rgb, deep = scene(13, 17), np.random.default_rng(3).integers(0, 65536, (13, 17, 4)).astype(np.uint16)
    image, grey = Image.fromarray(rgb), np.asarray(Image.fromarray(rgb).convert("L"))
    for orientation in range(2, 9):
        yield f"orientation-{orientation}.tiff", saved(image.crop((0, 0, 7, 5)), "tiff", tiffinfo={274: orientation})
    color = {258: (8, 8, 8), 262: 2, 277: 3}
    yield "tiles.tiff", tiff([t.tobytes() for t in cut(rgb, 16, 16)], 17, 13, color, tile=(16, 16))
    planes = [np.ascontiguousarray(rgb[..., i : i + 1]) for i in range(3)]
    yield "planes.tiff", tiff([p[y : y + 5].tobytes() for p in planes for y in (0, 5, 10)], 17, 13, color | {284: 2}, rows=5)
    yield "planes-tiles.tiff", tiff([t.tobytes() for p in planes for t in cut(p, 16, 16)], 17, 13, color | {284: 2}, tile=(16, 16))
    wide = {258: (16, 16, 16), 262: 2, 277: 3, 284: 2}
    # Compressed, since Pillow's own reader takes raw planes of 16 bits for 8.
    tiles = [zlib.compress(t.tobytes()) for i in range(3) for t in cut(deep[..., i : i + 1], 16, 16)]
    yield "planes-tiles-16.tiff", tiff(tiles, 17, 13, wide | {259: 8}, tile=(16, 16))
    yield "rgb-16-big-endian.tiff", tiff([deep[..., :3].astype(">u2").tobytes()], 17, 13, {258: (16,) * 3, 262: 2, 277: 3}, ">")
    alpha = np.dstack([rgb, grey])
    alpha[0] = 0
    for name, extra, data, bits in (
        ("premultiplied", 1, alpha, 8), ("unknown-extra", 0, alpha, 8), ("premultiplied-16", 1, deep, 16),
    ):
        yield f"{name}.tiff", tiff([data.tobytes()], 17, 13, {258: (bits,) * 4, 262: 2, 277: 4, 338: extra})
    yield "grey-extra.tiff", tiff([alpha[..., 2:].tobytes()], 17, 13, {258: (8, 8), 262: 1, 277: 2, 338: 0})
    yield "grey-alpha.tiff", tiff([alpha[..., 2:].tobytes()], 17, 13, {258: (8, 8), 262: 1, 277: 2, 338: 2})
    reverse = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))
    for bits in (1, 2, 4, 8):
        data, kind = packed(grey >> (8 - bits), bits), {258: bits, 277: 1}
        yield f"grey-{bits}.tiff", tiff([data], 17, 13, kind | {262: 1})
        yield f"inverted-{bits}.tiff", tiff([data], 17, 13, kind | {262: 0})
        yield f"reversed-{bits}.tiff", tiff([data.translate(reverse)], 17, 13, kind | {262: 1, 266: 2})
        colors = np.random.default_rng(bits).integers(0, 65536, 3 << bits)
        yield f"palette-{bits}.tiff", tiff([data], 17, 13, kind | {262: 3, 320: tuple(map(int, colors))})
    yield "signed-8.tiff", tiff([grey.tobytes()], 17, 13, {258: 8, 262: 1, 277: 1, 339: 2})
    for bits, format, data in (
        (16, 2, (deep[..., 0].astype(int) // 100 - 200).astype("<i2")), (32, 2, (deep[..., 0].astype(int) // 100 - 200).astype("<i4")),
        (32, 1, (deep[..., 0] // 100).astype("<u4")), (32, 3, (deep[..., 0] / 200).astype("<f4")),
    ):
        yield f"kind-{format}-{bits}.tiff", tiff([data.tobytes()], 17, 13, {258: bits, 262: 1, 277: 1, 339: format})
    yield "grey-12.tiff", tiff([packed(deep[..., 0] % 400, 12)], 17, 13, {258: 12, 262: 1, 277: 1})
    yield "grey-16-big-endian.tiff", tiff([(deep[..., 0] // 100).astype(">u2").tobytes()], 17, 13, {258: 16, 262: 1, 277: 1}, ">")
    yield "cmyk-16.tiff", tiff([deep.tobytes()], 17, 13, {258: (16,) * 4, 262: 5, 277: 4})
    lab = np.dstack([grey, rgb[..., :2]])
    yield "lab.tiff", tiff([lab.tobytes()], 17, 13, {258: (8, 8, 8), 262: 8, 277: 3})
    yield from ycbcr_tiffs(rgb)
    yield from compressed_tiffs(image, grey, deep)


def ycbcr_tiffs(rgb):
    ycc = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    # Compressed, since Pillow's own reader takes raw pixels for such without subsampling.
    kind = {258: (8, 8, 8), 262: 6, 277: 3, 259: 8, 532: (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)}
    for h, v in ((1, 1), (2, 1), (2, 2), (4, 2)):
        strips = [zlib.compress(subsampled(ycc[y : y + 8], h, v)) for y in (0, 8)]
        yield f"ycbcr-{h}{v}.tiff", tiff(strips, 17, 13, kind | {530: (h, v)}, rows=8)
    yield "ycbcr-video.tiff", tiff([zlib.compress(ycc.tobytes())], 17, 13, kind | {530: (1, 1), 532: (16.0, 235.0, 128.0, 240.0, 128.0, 240.0)})
    large = Image.fromarray(scene(37, 53))
    for h, v, subsampling in ((1, 1, 0), (2, 1, 1), (2, 2, 2)):
        strips = [saved(large.crop((0, y, 53, min(y + 16, 37))), "jpeg", subsampling=subsampling) for y in (0, 16, 32)]
        yield f"jpeg-{h}{v}.tiff", tiff(strips, 53, 37, kind | {259: 7, 530: (h, v)}, rows=16)
        tiles = [saved(Image.fromarray(t), "jpeg", subsampling=subsampling) for t in cut(np.asarray(large), 32, 32)]
        yield f"jpeg-tiles-{h}{v}.tiff", tiff(tiles, 53, 37, kind | {259: 7, 530: (h, v)}, tile=(32, 32))
        jpeg = saved(large, "jpeg", subsampling=subsampling)
        yield f"old-jpeg-{h}{v}.tiff", tiff([jpeg], 53, 37, kind | {259: 6, 513: 8, 514: len(jpeg), 512: 1, 530: (h, v)})
    grey = saved(large.convert("L"), "tiff", compression="jpeg")
    yield "jpeg-grey.tiff", grey


def compressed_tiffs(image, grey, deep):
    """What libtiff compresses; the numbers are those of tags that Pillow passes on."""
    one = image.convert("1")
    for name, compression, info in (
        ("fax-runs", "tiff_ccitt", {}), ("fax-3", "group3", {}), ("fax-3-mixed", "group3", {292: 1}), ("fax-3-filled", "group3", {292: 4}),
        ("fax-4", "group4", {}),
    ):
        yield f"{name}.tiff", saved(one, "tiff", compression=compression, tiffinfo=info)
    wide = Image.fromarray(np.where(scene(40, 1700)[..., 0] > 100, 255, 0).astype(np.uint8)).convert("1")
    yield "fax-3-wide.tiff", saved(wide, "tiff", compression="group3", tiffinfo={292: 1})
    yield "fax-4-wide.tiff", saved(wide, "tiff", compression="group4")
    yield "lzma.tiff", saved(image, "tiff", compression="lzma")
    yield "lzma-16.tiff", saved(Image.fromarray(deep[..., 0] // 100), "tiff", compression="lzma")
    yield "zstd.tiff", saved(image, "tiff", compression="zstd")
    yield "predictor-16.tiff", saved(Image.fromarray(deep[..., 0] // 100), "tiff", compression="tiff_adobe_deflate", tiffinfo={317: 2})
    floats = Image.fromarray((deep[..., 0] / 200).astype(np.float32))
    yield "predictor-float.tiff", saved(floats, "tiff", compression="tiff_adobe_deflate", tiffinfo={317: 3})


def bitmap(width, height, bits, compression, colors, data, size=40, masks=b""):
    start = 14 + size + len(masks) + len(colors)
    if size == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(data), 0, 0, len(colors) // 4, 0)
        info = info.ljust(size, b"\0")
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + masks + colors + data


def bitmaps():
    rgb = scene(9, 14)
    palette = bytes(np.random.default_rng(4).integers(0, 256, 64, dtype=np.uint8))
    colors = b"".join(palette[i : i + 3] + b"\0" for i in range(0, 48, 3))
    nibbles = packed(np.pad(rgb[..., 0] >> 4, [(0, 0), (0, 2)]), 4)
    yield "os2-1.bmp", bitmap(14, 9, 4, 0, palette[:48], nibbles, size=12)
    yield "os2-2.bmp", bitmap(14, 9, 4, 0, colors, nibbles, size=64)
    # Ten pixels, a jump over part of two rows, a list, a new row, the end.
    eight = bytes([10, 3, 0, 2, 3, 2, 1, 7]) + bytes([0, 5, 1, 2, 3, 4, 5, 0]) + bytes([0, 0, 9, 6, 0, 0, 14, 2, 0, 0]) + bytes([14, 5, 0, 0]) * 3 + bytes([0, 1])
    yield "runs-8.bmp", bitmap(14, 9, 8, 1, colors, eight)
    yield "runs-8-wide.bmp", bitmap(300, 2, 8, 1, colors, bytes([255, 3, 45, 4, 0, 0, 255, 5, 45, 6, 0, 1]))
    yield "runs-8-down.bmp", bitmap(14, -9, 8, 1, colors, eight)
    four = bytes([10, 0x3A, 0, 2, 3, 2, 1, 0x77]) + bytes([0, 5, 0x12, 0x34, 0x50, 0]) + bytes([0, 0, 9, 0x61, 0, 0, 14, 0x2F, 0, 0]) + bytes([14, 0x51, 0, 0]) * 3 + bytes([0, 1])
    yield "runs-4.bmp", bitmap(14, 9, 4, 2, colors, four)
    yield "runs-4-down.bmp", bitmap(14, -9, 4, 2, colors, four)
    words = np.random.default_rng(5).integers(0, 65536, (9, 14), dtype=np.uint16).tobytes()
    yield "5-5-5.bmp", bitmap(14, 9, 16, 0, b"", words)
    yield "fields-5-5-5.bmp", bitmap(14, 9, 16, 3, b"", words, masks=struct.pack("<III", 0x7C00, 0x3E0, 0x1F))
    four_bytes = np.dstack([rgb, rgb[..., :1]]).tobytes()
    for name, masks in (("bgrx", (0xFF0000, 0xFF00, 0xFF)), ("xbgr", (0xFF000000, 0xFF0000, 0xFF00)), ("rgbx", (0xFF, 0xFF00, 0xFF0000))):
        info = struct.pack("<IIII", *masks, 0 if name != "rgbx" else 0xFF000000)
        yield f"fields-{name}.bmp", fielded(four_bytes, info)
    yield "few-colors.bmp", bitmap(14, 9, 8, 0, colors[:40], packed(np.pad(rgb[..., 1] >> 4, [(0, 0), (0, 2)]), 8))


def fielded(data, masks):
    """32 bits a pixel with the masks in a header of the fifth version."""
    info = struct.pack("<IiiHHIIiiII", 124, 14, 9, 1, 32, 3, len(data), 0, 0, 0, 0) + masks
    return b"BM" + struct.pack("<IHHI", 138 + len(data), 0, 0, 138) + info.ljust(124, b"\0") + data


def pnms():
    rgb = scene(5, 7)
    grey, bits = rgb[..., 0], rgb[..., 1] > 127
    deep = (rgb.astype(int) * 3).clip(0, 700)
    yield "plain.pbm", b"P1 # bits\n7 5\n" + b"\n".join(bytes(48 + row) for row in bits.astype(np.uint8))
    yield "packed.pbm", b"P4\n7 5\n" + packed(bits, 1)
    yield "plain.pgm", b"P2\n7 5\n#why\n255\n" + " ".join(map(str, grey.ravel())).encode()
    yield "plain-700.pgm", b"P2\n7 5\n700\n" + " ".join(map(str, deep[..., 0].ravel())).encode()
    yield "plain.ppm", b"P3\n7 5\n15\n" + " ".join(map(str, (rgb // 17).ravel())).encode()
    yield "grey-16.pgm", b"P5\n7 5\n65535\n" + (deep[..., 0] // 2).astype(">u2").tobytes()
    yield "grey-700.pgm", b"P5\n7 5\n700\n" + deep[..., 0].astype(">u2").tobytes()
    yield "rgb-700.ppm", b"P6\n7 5\n700\n" + deep.astype(">u2").tobytes()
    yield "rgb-100.ppm", b"P6\n7 5\n100\n" + (rgb // 3).tobytes()


def segments(jpeg):
    """The segments of a JPEG: marker, and where each begins and ends; scans with their data."""
    at, out = 2, []
    while at + 4 <= len(jpeg):
        marker, end = jpeg[at + 1], at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        if marker == 0xDA:
            while not (jpeg[end] == 0xFF and jpeg[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        out.append((marker, at, end))
        at = end
    return out


def jpegs():
    image = Image.fromarray(scene(45, 67))
    plain = saved(image, "jpeg", quality=85)
    parts = [plain[at:end] for marker, at, end in segments(plain) if marker != 0xC4]
    yield "no-tables.jpg", plain[:2] + b"".join(parts) + b"\xff\xd9"
    yield "exif-length.jpg", plain[:2] + b"\xff\xe1\0\0" + plain[2:]
    yield "exif-nonsense.jpg", plain[:2] + b"\xff\xe1\0\x12Exif\0\0MM\0*\xff\xff\xff\xff\xff\xff" + plain[2:]
    for name, mode, subsampling in (("grey", "L", 0), ("444", "RGB", 0), ("420", "RGB", 2)):
        whole = saved(image.convert(mode), "jpeg", quality=60, progressive=True, subsampling=subsampling)
        scans = [end for marker, _, end in segments(whole) if marker == 0xDA]
        for count in sorted({1, 2, 3, len(scans) // 2, len(scans) - 1}):
            yield f"unfinished-{name}-{count}.jpg", whole[: scans[count - 1]] + b"\xff\xd9"


def gifs():
    image = Image.fromarray(scene(13, 17)).quantize(40)
    yield "plain.gif", saved(image, "gif", interlace=0)
    yield "interlaced.gif", saved(image, "gif", interlace=1)
    yield "transparent.gif", saved(image, "gif", transparency=3)
    yield "animated.gif", saved(image, "gif", save_all=True, append_images=[image.rotate(180)])
    yield "grey.gif", saved(image.convert("L"), "gif")
    whole = saved(image, "gif", interlace=0)
    # A screen larger than the frame, which begins at (3, 2).
    frame = whole.index(b",\0\0\0\0")
    moved = whole[:6] + struct.pack("<HH", 25, 19) + whole[10:frame] + b"," + struct.pack("<HH", 3, 2) + whole[frame + 5 :]
    yield "off-center.gif", moved


def webps():
    # Small, so that damage often hits what says how large a frame is.
    image = Image.fromarray(scene(9, 7))
    alpha = image.copy()
    alpha.putalpha(image.getchannel(0))
    for name, first, lossless in (("lossy", image, False), ("lossy-alpha", alpha, False), ("lossless-alpha", alpha, True)):
        more = [first.rotate(180)]
        yield f"animated-{name}.webp", saved(first, "webp", lossless=lossless, save_all=True, append_images=more)


def jxls():
    image = Image.fromarray(scene(37, 53))
    alpha = image.copy()
    alpha.putalpha(image.getchannel(0))
    yield "lossless.jxl", saved(image, "jxl", lossless=True)
    yield "lossless-alpha.jxl", saved(alpha, "jxl", lossless=True)
    yield "lossless-grey.jxl", saved(image.convert("L"), "jxl", lossless=True)
    yield "lossy.jxl", saved(image, "jxl", quality=80)


def kinds():
    """Name and bytes of every file."""
    TiffImagePlugin.WRITE_LIBTIFF = False
    for part in (tiffs, bitmaps, pnms, jpegs, gifs, webps, jxls):
        yield from part()
