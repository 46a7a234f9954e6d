#!/usr/bin/env python3
"""Make all fixtures from the real packages.

    python parity/generate.py            # in place
    python parity/generate.py DIRECTORY  # a copy of the project there, with new fixtures
    python parity/generate.py --check    # in a temporary copy; compare with the fixtures here, fail on a difference

The packages must be those of requirements.txt. Text, integers, pixels and 64-bit floats written as text must be equal.
Other floats may differ by NOISE of the largest in their list or tensor: sums are rounded in another order on
another machine.
"""
import argparse, gzip, importlib.metadata, json, math, pathlib, pickle, re, shutil, subprocess, sys, tempfile, time, types

ROOT = pathlib.Path(__file__).resolve().parent.parent
GENERATORS = ["policy.py", "directions.py", "classification.py", "proof.py", "replay.py", "layers.py", "optimizers.py", "averages.py", "runs.py", "lr_finder.py", "models.py", "images.py"]
GENERATORS += ["augmentations.py", "folders.py", "weights.py", "checkpoints.py"]
GENERATORS += ["architectures.py", "grad_cam.py", "tune.py"]
NOISE, FLOOR = 1e-6, 1e-9


def require_pins():
    for line in (ROOT / "parity/requirements.txt").read_text().split():
        package, version = line.split("==")
        found = importlib.metadata.version(package).split("+")[0]
        if found != version:
            sys.exit(f"{package} is {found}, but the fixtures are made with {version} (parity/requirements.txt)")


def run(root: pathlib.Path):
    for name in GENERATORS:
        if not (root / "parity" / name).exists():
            continue
        start = time.monotonic()
        subprocess.run([sys.executable, name], cwd=root / "parity", check=True, stdout=subprocess.DEVNULL)
        print(f"{name:14} {time.monotonic() - start:6.1f} s", flush=True)


def copy(target: pathlib.Path):
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    )
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


# ---- comparing ---------------------------------------------------------------------------------------


def differs(old, new, scale=None):
    """The largest difference of two trees over its scale, None if they differ otherwise. `scale` is what a float is
    judged by: the largest of its list."""
    if type(old) is not type(new):
        return None
    if isinstance(old, (dict, list)):
        if len(old) != len(new) or (isinstance(old, dict) and list(old) != list(new)):
            return None
        pairs = [(old[key], new[key]) for key in old] if isinstance(old, dict) else list(zip(old, new))
        scale = max((abs(a) for a, _ in pairs if isinstance(a, float) and math.isfinite(a)), default=0.0)
        found = [differs(a, b, scale) for a, b in pairs]
        return None if None in found else max(found, default=0.0)
    if old == new or old != old and new != new:
        return 0.0
    if not isinstance(old, float):
        return None
    off = max(abs(old - new) - FLOOR, 0.0) / max(scale or abs(old), 1e-300)
    return off if off <= NOISE else None


class Careful(pickle.Unpickler):
    """Reads torch's own objects only. (`weights_only=True` would not know every pickle protocol.)"""

    def find_class(self, module, name):
        if module.split(".")[0] not in ("torch", "collections"):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


CAREFUL = types.ModuleType("careful")
CAREFUL.Unpickler, CAREFUL.load = Careful, lambda file, **options: Careful(file, **options).load()


def tensors(path):
    """Tensors as lists, whatever holds them."""
    import safetensors, torch

    if path.suffix == ".pth":
        found = {"": torch.load(path, weights_only=False, pickle_module=CAREFUL)}
    else:
        with safetensors.safe_open(path, "pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()} | {"metadata": file.metadata()}

    def plain(value):
        if isinstance(value, torch.Tensor):
            return [str(value.dtype), list(value.shape), value.double().flatten().tolist()]
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value

    return plain(found)


def difference(old: pathlib.Path, new: pathlib.Path):
    """As `differs`, for two files."""
    contents = [path.read_bytes() for path in (old, new)]
    if contents[0] == contents[1]:
        return 0.0
    if old.suffix == ".gz":
        contents = [gzip.decompress(data) for data in contents]
        if contents[0] == contents[1]:
            return 0.0
    if ".json" in old.suffixes:
        return differs(*map(json.loads, contents))
    if old.suffix in (".pth", ".safetensors"):
        try:
            return differs(tensors(old), tensors(new))
        except pickle.UnpicklingError:  # more than tensors: only equal bytes will do, but for addresses as names
            plain = [re.sub(rb"(X.\0\0\0|\x8c.)\d{9,}", b"", data, flags=re.DOTALL) for data in contents]
            return 0.0 if plain[0] == plain[1] else None
    return None


def check():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        copy(root)
        fixtures = [path for path in root.glob("crates/*/tests/fixtures/**/*") if path.is_file()]
        for path in fixtures:
            path.unlink()
        run(root)
        made = [path for path in root.glob("crates/*/tests/fixtures/**/*") if path.is_file()]
        bad, worst = [], 0.0
        for path in made:
            old = ROOT / path.relative_to(root)
            found = difference(old, path) if old.exists() else None
            bad += [] if found is not None else [f"{path.relative_to(root)} {'differs' if old.exists() else 'is missing here'}"]
            worst = max(worst, found or 0.0)
        for path in sorted(set(fixtures) - set(made)):
            print(f"not made by a generator: {path.relative_to(root)}")
    print(f"{len(made)} fixtures made again, {len(bad)} differ; the others by at most {worst:.0e} (noise: {NOISE:.0e})")
    print(*bad, sep="\n")
    return bool(bad)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Make all fixtures from the real packages.")
    arguments.add_argument("directory", nargs="?", type=pathlib.Path)
    arguments.add_argument("--check", action="store_true")
    given = arguments.parse_args()
    require_pins()
    if given.check:
        sys.exit(check())
    if given.directory:
        copy(given.directory.resolve())
    run(given.directory.resolve() if given.directory else ROOT)
