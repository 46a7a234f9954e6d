"""Checkpoints as programs write them, for the tests of crates/wellfit: one small network, wrapped in every way, and the
logits that torch computes with it for one picture. Files that hold no state dict are below `refused`.

Run: python parity/checkpoints.py  (needs torch, lightning, numpy, pillow, safetensors, h5py, onnx, omegaconf)
"""

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import gzip
import json
import pathlib
import pickle
import shutil
import uuid
import warnings
import zipfile

import h5py
import lightning
import numpy as np
import omegaconf
import onnx
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

FIXTURES = pathlib.Path(__file__).parent.parent / "crates/wellfit/tests/fixtures/checkpoints"
SIDE, CLASSES = 1, 3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Mlp(nn.Module):
    """Wellfit's `mlp`: a linear layer to 48, ReLU, to 24, ReLU, to the classes."""

    def __init__(self):
        super().__init__()
        layers = nn.Linear(3 * SIDE * SIDE, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, CLASSES)
        self.classifier = nn.Sequential(*layers)

    def forward(self, images):
        return self.classifier(images.flatten(1))


def network(seed=0):
    """Weights that are exact in bfloat16, so that every float type holds the same network."""
    model = Mlp()
    with torch.no_grad():
        for place, parameter in enumerate(model.parameters()):
            count = torch.arange(parameter.numel())
            values = (count * 37 + 11 * place + 5 * seed) % 61 - 30
            parameter.copy_((values / 64).reshape(parameter.shape))
    return model.eval()


class Lit(lightning.LightningModule):
    def __init__(self, hparams):
        super().__init__()
        self.save_hyperparameters(hparams)
        self.model = network()
        self.criterion = nn.CrossEntropyLoss(weight=torch.ones(CLASSES))

    def training_step(self, batch, _):
        return self.criterion(self.model(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


class Colour(enum.Enum):
    RED = 1


class Mode(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    layers: tuple = (1, 2)


Point = collections.namedtuple("Point", "x y")


class Attribute(dict):
    """A dict whose items are attributes, as configurations often are."""


class Slotted:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 1

    def __getstate__(self):
        return None, {"a": self.a}

    def __setstate__(self, state):
        self.a = state[1]["a"]


def objects():
    """What programs put beside weights."""
    values = [
        argparse.Namespace(lr=0.1, layers=[1, 2], nested=argparse.Namespace(a=1)), 3, -1.5, 1 << 70, "text", "naïve ✓",
        None, True, b"bytes \xff", bytearray(b"array"), 2 + 3j, {1, 2}, frozenset({"a"}), (1, (2, 3)), [[], {}], range(3),
        slice(1, 2), collections.OrderedDict(a=1), collections.Counter("aab"), collections.defaultdict(list, a=[1]),
        collections.deque([1, 2], maxlen=3), Point(1, 2), Config(), Colour.RED, Mode.A | Mode.B, Attribute(a=1), Slotted(),
        np.float64(0.75), np.float32(0.5), np.int64(3), np.bool_(True), np.arange(3.0), np.array(["a", "b"]),
        np.dtype("float32"), np.random.RandomState(0).get_state(), datetime.datetime(2026, 1, 2, 3, 4, 5),
        datetime.timedelta(1), datetime.timezone.utc, pathlib.PurePosixPath("a/b"), pathlib.PosixPath("/data"),
        decimal.Decimal("1.5"), uuid.UUID(int=7), functools.partial(int, base=2), torch.nn.functional.relu, nn.ReLU,
        torch.device("cpu"), torch.float16, torch.Size([1, 2]), torch.random.get_rng_state(), nn.ReLU(), Ellipsis,
        omegaconf.OmegaConf.create({"a": [1, {"b": "c"}]}), torch.nn.init.normal_, max, len, int, ValueError("no"),
    ]
    return {f"object {place}": value for place, value in enumerate(values)}


def training(model):
    """The state of training: moments, schedules, scalers."""
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    model(torch.ones(1, 3, SIDE, SIDE)).sum().backward()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer.step()
    scheduler.step()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), before):
            parameter.copy_(value)
    return {"optimizer": optimizer.state_dict(), "lr_scheduler": scheduler.state_dict(), "scaler": {"scale": 65536.0}}


def renamed(state, change):
    return collections.OrderedDict((change(name), value) for name, value in state.items())


def prefixed(state, prefix):
    return renamed(state, lambda name: prefix + name)


def of_lightning():
    model = Lit(argparse.Namespace(lr=0.1, arch="mlp"))
    trainer = lightning.Trainer(max_epochs=0, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    data = torch.utils.data.TensorDataset(torch.zeros(2, 3, SIDE, SIDE), torch.zeros(2, dtype=torch.long))
    trainer.fit(model, torch.utils.data.DataLoader(data))
    trainer.save_checkpoint(FIXTURES / "lightning.ckpt")


def flat(state):
    """Views of one storage, as a flattened optimiser leaves them."""
    whole = torch.cat([value.flatten() for value in state.values()])
    views, at = collections.OrderedDict(), 0
    for name, value in state.items():
        views[name] = whole[at : at + value.numel()].view(value.shape)
        at += value.numel()
    return views


class Noted(torch.Tensor):
    pass


def noted(state):
    """Tensors of a subclass, and with attributes."""
    found = collections.OrderedDict()
    for place, (name, value) in enumerate(state.items()):
        value = value.clone()
        if place % 3 == 1:
            value.note = "kept"
        found[name] = value.as_subclass(Noted) if place % 3 == 2 else value
    parameter = nn.Parameter(state["classifier.0.bias"].clone())
    parameter.tag = 1
    found["classifier.0.bias"] = parameter
    return found


def good():
    """Files that hold the network."""
    model, state, other = network(), network().state_dict(), network(1).state_dict()
    save = {}
    save["plain.pth"] = state
    save["data_parallel.pth"] = nn.DataParallel(network()).state_dict()
    save["compiled.pth"] = torch.compile(network()).state_dict()
    save["compiled_parallel.pth"] = nn.DataParallel(torch.compile(network())).state_dict()
    save["compiled_inside.pth"] = renamed(state, lambda name: name.replace("classifier.", "classifier._orig_mod."))
    save["fsdp.pth"] = renamed(state, lambda name: name.replace("classifier.", "_fsdp_wrapped_module.classifier._checkpoint_wrapped_module."))
    for prefix in ["model", "net", "backbone", "encoder.trunk", "module.model.net", "my own-thing_2", "état"]:
        save[f"prefix_{len(save)}.pth"] = prefixed(state, prefix + ".")
    save["prefix_without_dot.pth"] = prefixed(state, "teacher/")
    for key in ["state_dict", "model_state_dict", "model", "net", "network", "weights", "params", "ema", "generator", "state"]:
        save[f"key_{key}.pth"] = {"epoch": 3, key: state, "acc": 0.5}
    save["training.pth"] = {"epoch": 3, "model": state} | training(network())
    save["keys.pth"] = {"checkpoint": {"model": state, "epoch": 3}}
    save["keys_and_prefix.pth"] = {"state": {"network": prefixed(state, "module.backbone.")}, "best": np.float64(0.5)}
    save["three_keys.pth"] = {"a": {"b": {"c": state}}}
    save["list.pth"] = [state, 3, "note"]
    save["tuple.pth"] = (3, state)
    save["objects.pth"] = objects() | {"state_dict": state}
    save["object_around.pth"] = Attribute(epoch=1, model=Attribute(prefixed(state, "module.")))
    save["default_dict.pth"] = collections.defaultdict(lambda_free, state_dict=state)
    ema = torch.optim.swa_utils.AveragedModel(network(), use_buffers=True)
    save["averaged.pth"] = ema.state_dict()
    save["torchvision.pth"] = {"model": other, "model_ema": ema.state_dict(), "epoch": 1, "args": argparse.Namespace(lr=0.1)}
    save["timm.pth.tar"] = {
        "epoch": 4, "arch": "mlp", "state_dict": other, "version": 2, "args": argparse.Namespace(model="mlp", mean=MEAN),
        "state_dict_ema": state, "metric": 77.5, "amp_scaler": {"scale": 1.0, "_growth_tracker": 0},
    }
    save["ultralytics.pt"] = {
        "epoch": -1, "best_fitness": np.float64(0.9), "model": state, "ema": None, "updates": None, "optimizer": None,
        "train_args": {"task": "classify", "data": pathlib.PosixPath("/data"), "imgsz": 224}, "date": datetime.datetime(2026, 1, 2).isoformat(),
        "train_results": {"epoch": [1, 2], "metrics/accuracy_top1": [0.5, 0.6]}, "version": "8.3.0", "license": "AGPL-3.0",
    }
    save["moco.pth.tar"] = {"state_dict": prefixed(state, "module.encoder_q.") | prefixed(other, "module.encoder_k.") | {"module.queue": torch.zeros(4, 3)}}
    save["parameters.pth"] = dict(model.named_parameters())
    save["attributes.pth"] = noted(state)
    save["half.pth"] = network().half().state_dict()
    save["bfloat16.pth"] = network().bfloat16().state_dict()
    save["double.pth"] = network().double().state_dict()
    save["shared.pth"] = flat(state)
    save["transposed.pth"] = renamed({name: value.t().contiguous().t() if value.dim() == 2 else value for name, value in state.items()}, str)
    save["extra.pth"] = state | {"criterion.weight": torch.ones(3), "classifier.0.total_ops": torch.zeros(1), "aux.weight": torch.ones(5, 5)}
    save["other_head.pth"] = renamed(state, lambda name: name.replace("classifier.4", "head.fc"))
    save["other_head_beside.pth"] = renamed(state, lambda name: name.replace("classifier.4", "fc") if "classifier.4" in name else f"backbone.{name}")
    for name, content in save.items():
        torch.save(content, FIXTURES / name)
    old = {"_use_new_zipfile_serialization": False}
    torch.save(state, FIXTURES / "old.pth", **old)
    torch.save(objects() | {"model": prefixed(state, "module.")} | training(network()), FIXTURES / "old_objects.pth", **old)
    for protocol in [1, 3, 4, 5]:
        torch.save(objects() | {"model": prefixed(state, "module.")}, FIXTURES / f"protocol{protocol}.pth", pickle_protocol=protocol)
    for protocol in [4, 5]:
        torch.save(objects() | {"net": state}, FIXTURES / f"old_protocol{protocol}.pth", pickle_protocol=protocol, **old)
    of_lightning()
    save_file(state, FIXTURES / "plain.safetensors")
    save_file(dict(prefixed(state, "model.")), FIXTURES / "prefix.safetensors", metadata={"format": "pt"})
    save_file(dict(prefixed(network().half().state_dict(), "_orig_mod.module.")) | {"loss.weight": torch.ones(3)}, FIXTURES / "prefix_half.safetensors")


def lambda_free():
    return None


class Attack:
    def __reduce__(self):
        return eval, ("print('this must never run')",)


def outline(path):
    """The same archive with empty entries: their contents differ from machine to machine."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"")


def refused():
    """Files that hold no state dict, or more than data."""
    folder, state = FIXTURES / "refused", network().state_dict()
    folder.mkdir()
    torch.save(network(), folder / "module.pth")
    torch.save(network(), folder / "old_module.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": network(), "epoch": 3, "args": argparse.Namespace()}, folder / "module_in_dict.pt")
    torch.jit.script(network()).save(folder / "script.pt")
    torch.jit.trace(network(), torch.zeros(1, 3, SIDE, SIDE)).save(folder / "trace.pt")
    torch.export.save(torch.export.export(network(), (torch.zeros(1, 3, SIDE, SIDE),)), folder / "exported.pt2")
    for name in ["script.pt", "trace.pt", "exported.pt2"]:
        outline(folder / name)
    torch.save({"state_dict": state, "args": Attack()}, folder / "attack.pth")
    torch.save({"epoch": 3, "best": 0.5}, folder / "no_tensors.pth")
    torch.save(3, folder / "number.pth")
    torch.save(training(network()), folder / "only_optimizer.pth")
    graph = onnx.helper.make_graph([], "g", [], [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])])
    onnx.save(onnx.helper.make_model(graph, producer_name="pytorch"), folder / "model.onnx")
    with h5py.File(folder / "model.h5", "w") as file:
        file.attrs["keras_version"] = "3.15.1"
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name in ["metadata.json", "config.json", "model.weights.h5"]:
            archive.writestr(zipfile.ZipInfo(name), b"{}")
    np.savez(folder / "arrays.npz", a=np.zeros(2))
    np.save(folder / "array.npy", np.zeros(2))
    (folder / "numpy.pkl").write_bytes(pickle.dumps({"model": {"classifier.0.bias": np.zeros(2)}}))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    (folder / "weights.pth.gz").write_bytes(gzip.compress(b"weights", mtime=0))
    (folder / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    (folder / "page.pth").write_text("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n")
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("weights/model.pth"), b"weights")


def main():
    warnings.filterwarnings("ignore")
    # The old format holds the source and its place on the machine that wrote it.
    torch.serialization.get_source_lines_and_file = lambda *_: (["source"], 0, "model.py")
    shutil.rmtree(FIXTURES, ignore_errors=True)
    FIXTURES.mkdir(parents=True)
    torch.manual_seed(0)
    pixels = np.array([[[0, 40, 250]]], dtype=np.uint8)
    Image.fromarray(pixels).save(FIXTURES / "picture.png")
    image = (torch.tensor(pixels).double() / 255 - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
    logits = network().double()(image.permute(2, 0, 1)[None])[0].tolist()
    good()
    refused()
    (FIXTURES / "logits.json").write_text(json.dumps({"logits": logits, "torch": torch.__version__.split("+")[0]}) + "\n")


if __name__ == "__main__":
    main()
