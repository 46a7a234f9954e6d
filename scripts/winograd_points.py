#!/usr/bin/env python3
"""Errors in float32 of Winograd's F(m, r) with given interpolation points, and the best points of a grid. Needs numpy.

The figures in `points.rs` of crates/kernels, docs/kernels.md and docs/bf16.md are from here. `--search` takes half a
minute; `--bf16` shows the errors with bf16 inputs, weights and products instead.
"""
import itertools
import sys

import numpy as np

F = np.float32
# Outputs, taps, whether zero is a point, the pairs; infinity always is one. As in points.rs, then the usual ones and what
# was left.
USED = [(4, 2, False, (0.375, 1.3125)), (4, 3, True, (0.6875, 1.375)), (4, 4, False, (0.25, 0.875, 2.0))]
LEFT = [(4, 3, True, (1.0, 2.0)), (6, 3, True, (0.5, 1.0, 2.125)), (7, 3, False, (0.25, 0.75, 1.125, 2.125))]


def matrices(outputs: int, taps: int, points: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lavin & Gray's A, G and B (all not transposed where they multiply from the left)."""
    count = outputs + taps - 1
    a, g, b = np.zeros((outputs, count)), np.zeros((count, taps)), np.zeros((count, count))
    for i, p in enumerate(points):
        others = [q for q in points if q != p]
        a[:, i] = [p**k for k in range(outputs)]
        g[i] = [p**k / np.prod([p - q for q in others]) for k in range(taps)]
        b[i, : count - 1] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1
    b[-1] = np.poly(points)[::-1]
    return a, g, b


def both_axes(x: np.ndarray, m: np.ndarray) -> np.ndarray:
    return np.matmul(np.matmul(m, x), m.T)


def errors(outputs: int, taps: int, points: list[float], channels: int, tiles: int = 40) -> tuple[float, float]:
    """RMS of Winograd's way and of a direct sum, relative to that of the outputs: inputs past a ReLU, normal weights."""
    a, g, b = matrices(outputs, taps, points)
    random = np.random.default_rng(0)
    size = outputs + taps - 1
    d = np.maximum(random.standard_normal((tiles, channels, size, size)), 0).astype(F)
    w = random.standard_normal((channels, 8, taps, taps)).astype(F)
    v, u = both_axes(d, b.astype(F)), both_axes(w, g.astype(F))
    m = np.zeros((tiles, 8, size, size), F)
    direct = np.zeros((tiles, 8, outputs, outputs), F)
    exact = np.zeros(direct.shape)
    for c in range(channels):
        m += v[:, c, None] * u[None, c]
        for y, x in itertools.product(range(taps), repeat=2):
            part, weight = d[:, c, None, y : y + outputs, x : x + outputs], w[None, c, :, y, x, None, None]
            direct += part * weight
            exact += part.astype(float) * weight
    scale = np.sqrt((exact**2).mean())
    return tuple(np.sqrt(((found - exact) ** 2).mean()) / scale for found in (both_axes(m, a.astype(F)), direct))


def bf16(x: np.ndarray) -> np.ndarray:
    """Rounded to bf16."""
    bits = np.ascontiguousarray(x, F).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32).view(F).astype(float)


def bf16_errors(outputs: int, taps: int, points: list[float], channels: int, tiles: int = 40) -> tuple[float, ...]:
    """RMS, relative to that of the outputs with exact weights, of: Winograd's way with points in bf16, the same in f32 and
    a direct sum, both with weights in bf16, and of rounding the outputs."""
    a, g, b = matrices(outputs, taps, points)
    random = np.random.default_rng(0)
    size = outputs + taps - 1
    d = bf16(np.maximum(random.standard_normal((tiles, channels, size, size)), 0))
    w = random.standard_normal((channels, 8, taps, taps)).astype(F).astype(float)
    exact, direct = np.zeros((2, tiles, 8, outputs, outputs))
    for y, x in itertools.product(range(taps), repeat=2):
        part = d[:, :, y : y + outputs, x : x + outputs]
        exact += np.einsum("tcij,co->toij", part, w[..., y, x])
        direct += np.einsum("tcij,co->toij", part, bf16(w)[..., y, x])

    def winograd(v: np.ndarray, u: np.ndarray) -> np.ndarray:
        return both_axes(np.einsum("tcij,coij->toij", v, u), a)

    rounded = winograd(bf16(both_axes(d, b)), bf16(both_axes(w, g)))
    wide = winograd(both_axes(d, b), both_axes(bf16(w), g))
    scale = np.sqrt((exact**2).mean())
    found = (rounded, wide, direct, bf16(exact))
    return tuple(np.sqrt(((y - exact) ** 2).mean()) / scale for y in found)


def with_signs(zero: bool, pairs: tuple[float, ...]) -> list[float]:
    return [0.0] * zero + [sign * p for p in pairs for sign in (1, -1)]


def main() -> None:
    if "--bf16" in sys.argv:
        for outputs, taps, zero, pairs in [(2, 3, True, (1.0,)), (4, 3, True, (0.6875, 1.375))]:
            figures = bf16_errors(outputs, taps, with_signs(zero, pairs), 128)
            line = "points in bf16 {:.1e}, in f32 {:.1e}, direct {:.1e}, rounding the output {:.1e}".format(*figures)
            print(f"F({outputs}, {taps}) at ±{pairs}: {line}")
        return
    for outputs, taps, zero, pairs in USED + LEFT:
        channels = 12 if taps == 4 else 128
        winograd, direct = errors(outputs, taps, with_signs(zero, pairs), channels)
        print(f"F({outputs}, {taps}) at ±{pairs}: {winograd:.1e}, direct {direct:.1e}, {channels} channels")
        if "--search" in sys.argv:
            grid = [i / 16 for i in range(4, 40)] if len(pairs) == 2 else [i / 8 for i in range(2, 20)]
            tried = itertools.combinations(grid, len(pairs))
            best = min(tried, key=lambda p: errors(outputs, taps, with_signs(zero, p), 16, 8)[0])
            print(f"    best of a grid with 16 channels: ±{best}")


if __name__ == "__main__":
    main()
