"""Pillow's own test images through Wellfit's decoder: which are refused, which differ.

    cargo build -p wellfit-images --example decode
    python scripts/pillow_images.py DIRECTORY [PROGRAM] [--all]      # needs numpy and pillow

DIRECTORY is `Tests/images` of Pillow's source (in the archive that `pip download --no-binary pillow --no-deps pillow`
gets); PROGRAM is the example's path. Files with torchvision's extensions are tried, with `--all` those of GIF and JFIF
as well. Whatever Pillow opens and converts to RGB is compared. The exit status is 1 if more than 20 of those are
refused or one differs by more than two levels, the documented ones (below) aside.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
MORE = (".gif", ".jfif")
LEVELS = 2
REFUSED = 20
# Files that may differ, and why.
DOCUMENTED = {}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    directory = Path(arguments[0])
    program = arguments[1] if len(arguments) > 1 else "target/debug/examples/decode"
    wanted = EXTENSIONS + (MORE if "--all" in sys.argv else ())
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.suffix.lower() in wanted)
    warnings.simplefilter("ignore")
    ours = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    equal, near, apart, refused, neither, more = 0, 0, [], [], 0, []
    for path in files:
        got, want = decoded(ours, path), by_pillow(path)
        name = path.relative_to(directory).as_posix()
        if isinstance(want, str):
            neither += isinstance(got, str)
            if not isinstance(got, str):
                more.append(f"{name}: {want}")
        elif isinstance(got, str):
            refused.append(f"{name}: {got}")
        elif got.shape != want.shape:
            apart.append((name, f"{got.shape} instead of {want.shape}"))
        else:
            largest = int(np.abs(got.astype(int) - want).max(initial=0))
            equal, near = equal + (largest == 0), near + (0 < largest <= LEVELS)
            if largest > LEVELS:
                apart.append((name, f"{largest} levels"))
    unknown = [name for name, _ in apart if name not in DOCUMENTED]
    print(f"{len(files)} files, {len(files) - neither - len(more)} that Pillow opens: {equal} equal, {near} within {LEVELS} "
          f"levels, {len(apart)} differ more, {len(refused)} refused; {neither} refused by both, {len(more)} by Pillow only")
    for name, how in apart:
        print(f"differs: {name}: {how}{' (documented: ' + DOCUMENTED[name] + ')' if name in DOCUMENTED else ''}")
    for kind, lines in (("refused", refused), ("refused by Pillow only", more)):
        for line in lines:
            print(f"{kind}: {line}")
    sys.exit(len(refused) > REFUSED or bool(unknown))


def decoded(program, path):
    """Our pixels, or why there are none."""
    program.stdin.write(f"{path}\n".encode())
    program.stdin.flush()
    line = program.stdout.readline().decode().strip()
    if line.startswith("refused") or not line:
        return line.removeprefix("refused ") or "the process ended"
    height, width = map(int, line.split())
    return np.frombuffer(program.stdout.read(height * width * 3), np.uint8).reshape(height, width, 3)


def by_pillow(path):
    """Pillow's pixels, or why there are none."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # whatever a plugin raises
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
