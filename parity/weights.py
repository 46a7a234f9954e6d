"""Weight files written by PyTorch and by the safetensors package, for the tests of crates/weights.

Every tensor is filled by a formula the tests know, so the files need no expected values beside them.
Run: python parity/weights.py  (needs torch and safetensors; the fixtures come out the same each time,
but for the memory addresses that PyTorch uses as keys in its old format)
"""

import argparse
import collections
import datetime
import decimal
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

FIXTURES = Path(__file__).parent.parent / "crates/weights/tests/fixtures"


def filled(shape, seed, dtype=torch.float32):
    """Element k is ((37 k + seed) mod 101 - 50) / 8: exact in every float type (integers: without the / 8)."""
    count = torch.Size(shape).numel()
    values = (torch.arange(count) * 37 + seed) % 101 - 50
    return (values / 8 if dtype.is_floating_point else values).to(dtype).reshape(shape)


def model_state():
    """Convolution, batch norm, linear: what a ResNet's state dict is made of. Seed = position."""
    model = torch.nn.Sequential(
        collections.OrderedDict(conv=torch.nn.Conv2d(3, 4, 3), bn=torch.nn.BatchNorm2d(4), fc=torch.nn.Linear(4, 2))
    )
    state = model.state_dict()
    for seed, tensor in enumerate(state.values()):
        tensor.copy_(filled(tensor.shape, seed, tensor.dtype))
    return state


def dtypes():
    types = "float16 bfloat16 float32 float64 int8 int16 int32 int64".split()
    tensors = {name: filled((3, 5), seed, getattr(torch, name)) for seed, name in enumerate(types)}
    tensors["uint8"] = filled((3, 5), 8, torch.int64).abs().to(torch.uint8)
    tensors["bool"] = filled((3, 5), 9, torch.int64) > 0
    tensors["special"] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 1e-45])
    return tensors


def views():
    base = filled((4, 6), 0)
    return {
        "base": base,
        "tied": base,
        "transposed": base.t(),
        "slice": base[1:3, 2:5],
        "strided": base[::2, ::3],
        "permuted": filled((2, 3, 4), 1).permute(2, 0, 1),
        "expanded": filled((3, 1), 2).expand(3, 4),
        "channels_last": filled((2, 3, 4, 5), 3).to(memory_format=torch.channels_last),
        "scalar": base[3, 5],
        "empty": base[:0],
        "one_wide": base[:, 2:3],
    }


def checkpoint():
    """A training checkpoint of a DataParallel model: the weights among everything else."""
    parameter = torch.nn.Parameter(torch.zeros(2))
    optimiser = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimiser.step()
    return {
        "epoch": 7,
        "best_acc": 0.75,
        "arch": "resnet",
        "nothing": None,
        "flags": (True, False, [1, -2, 300, 70000, 1 << 40, 1 << 80]),
        "optimizer": optimiser.state_dict(),
        "shape": torch.Size([1, 2]),
        "state_dict": collections.OrderedDict((f"module.{name}", value) for name, value in model_state().items()),
    }


def objects():
    """Objects of other classes beside the weights, one dict deeper."""
    return {
        "args": argparse.Namespace(lr=0.1, layers=[1, (2, 3)], inner=argparse.Namespace()),
        "best": np.float64(0.75), "when": datetime.datetime(2026, 1, 2), "where": Path("a/b").__class__("a"),
        "set": {1}, "bytes": b"\xff", "decimal": decimal.Decimal("1.5"), "complex": 1j, "counts": collections.Counter("aab"),
        "checkpoint": {"net": model_state(), "epoch": 3},
    }


class Attack:
    def __reduce__(self):
        return os.system, ("echo this must never run",)


def named_classes():
    """Names of classes beside a weight, as programs save them; the last two are no names of all classes."""
    weight = {"weight": filled((2, 3), 0)}
    return {
        "list": {**weight, "classes": ["cat", "big dog", "フクロウ"]},
        "class_to_idx": {"state_dict": weight, "class_to_idx": {"フクロウ": 2, "cat": 0, "big dog": 1}},
        "names": {"model": weight, "names": {0: "cat", 1: "big dog", 2: "フクロウ"}},
        "meta": {"state_dict": weight, "meta": {"epoch": 3, "CLASSES": ("cat", "big dog", "フクロウ")}},
        "gap": {"state_dict": weight, "class_to_idx": {"cat": 0, "owl": 2}},
        "count": {"state_dict": weight, "classes": 3},
    }


def write_zip(name, data_pkl, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(FIXTURES / name, "w", method) as archive:
        for entry, content in [("archive/data.pkl", data_pkl), ("archive/version", b"3\n")]:
            archive.writestr(zipfile.ZipInfo(entry), content, method)


def write_zip64(name, source):
    """The same entries with Python's limits so low that most fields need zip64."""
    limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 20, 1
    with zipfile.ZipFile(FIXTURES / source) as old, zipfile.ZipFile(FIXTURES / name, "w") as new:
        for entry in old.namelist():
            new.writestr(zipfile.ZipInfo(entry), old.read(entry))
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.serialization.set_crc32_options(True)
    torch.save(model_state(), FIXTURES / "model.pth")
    torch.save(model_state(), FIXTURES / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(model_state(), FIXTURES / "protocol4.pth", pickle_protocol=4)
    torch.save(model_state(), FIXTURES / "legacy_protocol5.pth", pickle_protocol=5, _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), FIXTURES / "checkpoint.pth")
    torch.save({"model": model_state(), "step": 3}, FIXTURES / "wrapped.pth")
    torch.save(dtypes(), FIXTURES / "dtypes.pth")
    torch.save(views(), FIXTURES / "views.pth")
    torch.save(views(), FIXTURES / "legacy_views.pth", _use_new_zipfile_serialization=False)
    for form, checkpoint_of in named_classes().items():
        torch.save(checkpoint_of, FIXTURES / f"classes_{form}.pth")
    torch.save(objects(), FIXTURES / "objects.pth")
    torch.save(objects(), FIXTURES / "objects_protocol5.pth", pickle_protocol=5)
    torch.save({"weight": torch.nn.Parameter(filled((2, 3), 0))}, FIXTURES / "parameter.pth")
    torch.save(torch.nn.Linear(1, 1), FIXTURES / "whole_module.pth")
    torch.save(filled((2,), 0), FIXTURES / "lone_tensor.pth")
    torch.serialization.set_crc32_options(False)
    torch.save(model_state(), FIXTURES / "no_crc.pth")
    save_file(model_state(), FIXTURES / "model.safetensors", metadata={"format": "pt"})
    save_file(dtypes(), FIXTURES / "dtypes.safetensors")
    write_zip64("zip64.pth", "model.pth")
    write_zip("os_system.pth", pickle.dumps({"weight": Attack()}, protocol=2))
    write_zip("compressed.pth", pickle.dumps({"weight": 0}, protocol=2), zipfile.ZIP_DEFLATED)

    halves = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16).float()
    print("HALVES_CRC:", hex(zlib.crc32(halves[~halves.isnan()].numpy().tobytes())))


if __name__ == "__main__":
    main()
