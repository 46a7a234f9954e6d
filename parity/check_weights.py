"""Check that PyTorch and the safetensors package open what crates/weights writes.

Run: cargo run -p wellfit-weights --example write_pth -- DIRECTORY && python parity/check_weights.py DIRECTORY
"""

import collections
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file


def floats(*shape):
    return (torch.arange(torch.Size(shape).numel()) / 8 - 1).reshape(shape)


def expected():
    bits = torch.tensor([0x7FC00001, 0xFF800000 - (1 << 32), -(1 << 31), 1], dtype=torch.int32)
    return {
        "conv.weight": floats(4, 3, 3, 3),
        "conv.bias": floats(4),
        "bn.weight": floats(4),
        "bn.bias": floats(4),
        "bn.running_mean": floats(4),
        "bn.running_var": floats(4),
        "bn.num_batches_tracked": torch.tensor(1 << 40),
        "fc.weight": floats(300, 4),
        "fc.bias": floats(300),
        "extra.special": bits.view(torch.float32),
        "extra.empty": floats(0, 70_000),
        "extra.größe": torch.tensor([[-1], [-(1 << 63)]]),
    }


def same(found, wanted):
    assert (found.dtype, found.shape, found.stride()) == (wanted.dtype, wanted.shape, wanted.stride())
    raw = lambda tensor: tensor.contiguous().reshape(-1).view(torch.uint8)
    assert torch.equal(raw(found), raw(wanted))


def check(state, ordered):
    wanted = expected()
    assert list(state) == list(wanted) if ordered else sorted(state) == sorted(wanted)
    for name, tensor in wanted.items():
        same(state[name], tensor)
    model = torch.nn.Sequential(
        collections.OrderedDict(conv=torch.nn.Conv2d(3, 4, 3), bn=torch.nn.BatchNorm2d(4), fc=torch.nn.Linear(4, 300))
    )
    own = {name: tensor for name, tensor in state.items() if not name.startswith("extra.")}
    model.load_state_dict(own, strict=True)
    same(model.fc.weight.detach(), wanted["fc.weight"])


def main():
    directory = Path(sys.argv[1])
    pth = directory / "model.pth"
    state = torch.load(pth, weights_only=True)
    assert isinstance(state, collections.OrderedDict)
    check(state, ordered=True)
    check(torch.load(pth, weights_only=True, mmap=True), ordered=True)
    check(load_file(directory / "model.safetensors"), ordered=False)
    assert zipfile.ZipFile(pth).testzip() is None
    print(f"PyTorch {torch.__version__} opens what we write: {len(state)} tensors, bit for bit")


if __name__ == "__main__":
    main()
