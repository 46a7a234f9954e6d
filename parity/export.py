#!/usr/bin/env python3
"""Exported weights in PyTorch, timm and onnxruntime.

    export.py WELLFIT_BINARY [NETWORK...]

Trains every kind of network, or those that are named, for an epoch on pictures it makes, exports each in every
format, and compares the logits of `wellfit predict` with those of the exported files: relative to the largest logit,
at most 1e-5. PyTorch loads with weights_only=True and strict=True, timm from the directory with its own preprocessing
(which config.json tells it), onnxruntime all images at once and one by one. A second export from the first must give
the same bytes. When no network is named, torchvision's own weights, saved in PyTorch's zip and legacy formats, are
read by the command as well.
"""
import json, pathlib, subprocess, sys, tempfile
import numpy, onnxruntime, safetensors.torch, timm, torch, torchvision
from PIL import Image
from torch import nn
from torchvision.models.resnet import BasicBlock

BINARY, NAMED = sys.argv[1], sys.argv[2:]
TOLERANCE = 1e-5


class ResNet20(nn.Module):
    """The CIFAR ResNet of He et al. with torchvision's names and projection shortcuts."""

    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = self.stage(16, 16), self.stage(16, 32), self.stage(32, 64)
        self.fc = nn.Linear(64, classes)

    def stage(self, inputs, outputs):
        stride, shortcut = 1, None
        if inputs != outputs:
            stride = 2
            shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))
        first = BasicBlock(inputs, outputs, stride, shortcut)
        return nn.Sequential(first, BasicBlock(outputs, outputs), BasicBlock(outputs, outputs))

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Mlp(nn.Module):
    def __init__(self, inputs, classes, norm):
        super().__init__()
        layers = []
        for features in [48, 24]:
            layers += [nn.Linear(inputs, features), *([nn.BatchNorm1d(features)] if norm else []), nn.ReLU()]
            inputs = features
        self.classifier = nn.Sequential(*layers, nn.Linear(inputs, classes))

    def forward(self, x):
        return self.classifier(x.flatten(1))


# Name, data, the size of its input, the same network in torch.
NETWORKS = [
    ("mlp", "pictures", (3, 32, 32), lambda: Mlp(3072, 2, False)),
    ("mlp-bn", "sample", (1, 28, 28), lambda: Mlp(784, 10, True)),
    ("resnet20", "pictures", (3, 32, 32), lambda: ResNet20(2)),
    ("resnet18", "pictures", (3, 64, 64), lambda: torchvision.models.resnet18(num_classes=2)),
    ("resnet50", "pictures", (3, 64, 64), lambda: torchvision.models.resnet50(num_classes=2)),
    ("mobilenet_v3_large", "pictures", (3, 64, 64), lambda: torchvision.models.mobilenet_v3_large(num_classes=2)),
    ("mobilenet_v3_small", "pictures", (3, 64, 64), lambda: torchvision.models.mobilenet_v3_small(num_classes=2)),
    ("efficientnet_b0", "pictures", (3, 64, 64), lambda: torchvision.models.efficientnet_b0(num_classes=2)),
    ("resnext50_32x4d", "pictures", (3, 64, 64), lambda: torchvision.models.resnext50_32x4d(num_classes=2)),
    ("wide_resnet50_2", "pictures", (3, 64, 64), lambda: torchvision.models.wide_resnet50_2(num_classes=2)),
]


def wellfit(*words):
    done = subprocess.run([BINARY, *map(str, words), "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wellfit {' '.join(map(str, words))}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def make_pictures(folder):
    """Two classes that differ in colour, of odd sizes, so that they are resized."""
    noise = numpy.random.default_rng(0)
    for label, name in enumerate(["cat", "dog"]):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            pixels = noise.integers(0, 160, (41 + number, 87, 3), dtype=numpy.uint8)
            pixels[..., label] += 90
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def prepared(images, config):
    """The input that config.json asks for, by torchvision."""
    cfg = json.loads(config.read_text())["pretrained_cfg"]
    channels, *size = cfg["input_size"]
    path = torchvision.transforms.Compose([
        torchvision.transforms.Resize(size), torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize(cfg["mean"], cfg["std"]),
    ])
    return torch.stack([path(Image.open(image).convert("RGB" if channels == 3 else "L")) for image in images])


def by_torch(make, state, x):
    model = make().eval()
    model.load_state_dict(state, strict=True)
    with torch.no_grad():
        return model(x)


def by_onnxruntime(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    run = lambda x: torch.from_numpy(session.run(["logits"], {"input": x.numpy()})[0])
    singly = torch.cat([run(image[None]) for image in x])
    together = run(x)
    assert (singly - together).abs().max() <= TOLERANCE * together.abs().max()
    return together, session.get_modelmeta().custom_metadata_map


def by_timm(directory, images):
    model = timm.create_model(f"local-dir:{directory}", pretrained=True).eval()
    path = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    with torch.no_grad():
        logits = model(torch.stack([path(Image.open(image).convert("RGB")) for image in images]))
    return logits, model.pretrained_cfg["label_names"]


def check(folder, name, data, shape, make):
    source = folder / "pictures" if data == "pictures" else data
    options = ["--image-size", shape[1]] if data == "pictures" else []
    run = folder / name
    wellfit("train", source, "--model", name, *options, "--epochs", 1, "--out", run)
    out, again = run / "export", folder / f"{name}-again"
    for kind in ["safetensors", "pth", "onnx"]:
        classes = wellfit("export", run, "--format", kind)["classes"]
        wellfit("export", out, "--format", kind, "--out", again)
    assert len(list(out.iterdir())) == 4
    for file in out.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes(), f"{file} is not what a second export gives"

    images = sorted((folder / "pictures").glob("*/1*.png"))
    ours = wellfit("predict", run, *images)["predictions"]
    ours = torch.tensor([prediction["logits"] for prediction in ours])
    x = prepared(images, out / "config.json")
    assert x.shape[1:] == shape
    onnx, metadata = by_onnxruntime(out / "model.onnx", x)
    assert (metadata["model"], json.loads(metadata["classes"])) == (name, classes)
    found = {
        "safetensors": by_torch(make, safetensors.torch.load_file(out / "model.safetensors"), x),
        "pth": by_torch(make, torch.load(out / "model.pth", weights_only=True), x),
        "onnx": onnx,
    }
    if timm.is_model(name):
        found["timm"], labels = by_timm(out, images)
        assert list(labels) == classes
    return {kind: ((logits - ours).abs().max() / ours.abs().max()).item() for kind, logits in found.items()}


def check_reading(folder):
    """The other way: torchvision's own .pth files, of both formats PyTorch has had."""
    torch.manual_seed(0)
    model = torchvision.models.resnet18()
    images = sorted((folder / "pictures").glob("*/1*.png"))
    x = prepared(images, folder / "resnet18/export/config.json")
    with torch.no_grad():
        for _ in range(10):  # fresh running statistics make all logits alike
            model.train()(torch.randn(4, *x.shape[1:]))
        logits = model.eval()(x)
    worst = 0.0
    for zipped in [True, False]:
        file = folder / f"resnet18-{zipped}.pth"
        torch.save(model.state_dict(), file, _use_new_zipfile_serialization=zipped)
        found = wellfit("predict", file, "--model", "resnet18", "--image-size", x.shape[2], *images)["predictions"]
        found = torch.tensor([prediction["logits"] for prediction in found])
        worst = max(worst, ((found - logits).abs().max() / logits.abs().max()).item())
    return worst


def main():
    kinds = ["safetensors", "pth", "onnx", "timm"]
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, "
          f"onnxruntime {onnxruntime.__version__}")
    print("The largest difference of a logit, relative to the largest logit:\n")
    print("| network |", " | ".join(kinds), "| second export |\n|---|" + "---|" * 5)
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_pictures(folder / "pictures")
        for name, data, shape, make in [network for network in NETWORKS if not NAMED or network[0] in NAMED]:
            found = check(folder, name, data, shape, make)
            worst = max(worst, *found.values())
            print(f"| {name} {list(shape)} |",
                  " | ".join(f"{found[kind]:.1e}" if kind in found else "–" for kind in kinds), "| same bytes |", flush=True)
        if not NAMED:
            worst = max(worst, read := check_reading(folder))
            print(f"\ntorchvision's resnet18 as .pth, zip and legacy format, read by wellfit: {read:.1e}")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
