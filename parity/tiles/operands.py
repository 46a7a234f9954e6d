"""The operands of products of tiles; with the name of what the program printed, each with its result behind it.

A case is two tiles of pairs of bf16, a tile of f32 (little endian, 1,024 bytes each) and a tile of results. A third of the
cases has ordinary numbers, a third numbers of all sizes, a third zeros, numbers below the smallest normal one and infinities.
"""
import pathlib, random, struct, sys

CASES = 12
random.seed(7)


def number(kind):
    x = random.uniform(-2, 2)
    if kind == 0:
        return x
    if kind == 1:
        return x * 2.0 ** random.randint(-70, 30)
    large = float("inf") if random.random() < 0.01 else 1.0
    return random.choice([x, x * 2.0 ** -random.randint(60, 126), 0.0, -0.0, large])


def bf16(x):
    bits = struct.unpack("<I", struct.pack("<f", x))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF


results = []
if len(sys.argv) > 1:
    lines = pathlib.Path(sys.argv[1]).read_text().split("\n")
    results = [struct.pack("<256I", *(int(word, 16) for word in line.split())) for line in lines[:CASES]]
for case in range(CASES):
    kind = case % 3
    pairs = struct.pack("<1024H", *(bf16(number(kind)) for _ in range(1024)))
    sums = struct.pack("<256f", *(number(kind) for _ in range(256)))
    sys.stdout.buffer.write(pairs + sums + (results[case] if results else b""))
