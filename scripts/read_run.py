"""What a run's directory and exported files hold, as SHA-256 sums: for `same_bits.py`.

Every function returns a dictionary from the name of an item (a tensor, an epoch, a picture) to the SHA-256 of its
content, so that two runs can be compared item by item. Left out is what may differ between two runs that computed the
same: times, versions, paths, and the metadata of weight files.
"""

import hashlib
import json
import re
import struct
import zipfile

# Fields of JSON objects that tell a time or a path, and those that older versions do not write.
TIMES_AND_PATHS = {"run", "seconds", "data_wait_share", "config", "weights", "picture", "image"}
NEWER = {"by", "trained_on"}
EPOCH_FIGURES = ["epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"]
STOP_FIGURES = ["reason", "epoch", "best_epoch", "best_value"]


def sha(content):
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def sha_json(value):
    """The SHA-256 of a JSON value; Python writes every float64 with all its digits."""
    return sha(json.dumps(value, sort_keys=True).encode())


def plain_name(name):
    """The name of a file without the options that older versions put into it.

    >>> plain_name("model_lr_scheduler_early_stopping.safetensors")
    'model.safetensors'
    """
    return re.sub(r"^(model|accuracy|loss)((_lr_scheduler)?(_early_stopping)?)(?=\.)", r"\1", name)


def safetensors(path):
    """Name, type, shape and bytes of each tensor of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    sums = {}
    for name, tensor in header.items():
        start, end = (8 + length + offset for offset in tensor["data_offsets"])
        kind = f"{name} {tensor['dtype']} {tensor['shape']} ".encode()
        sums[name] = sha(kind + content[start:end])
    return sums


def safetensors_in(folder):
    """The tensors of all safetensors files that lie directly in a folder."""
    sums = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, digest in safetensors(path).items():
            sums[f"{plain_name(path.name)}: {name}"] = digest
    return sums


def newest_checkpoint(run):
    """The directory of the newest checkpoint to resume from, or None."""
    found = sorted(run.glob("checkpoints/[0-9]*-last"))
    return found[-1] if found else None


def saved_state(run):
    """The tensors of the newest checkpoint: weights, running statistics, the optimiser's moments."""
    checkpoint = newest_checkpoint(run)
    return safetensors_in(checkpoint) if checkpoint else {}


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def flat(value, into=None):
    """All fields of an object and of the objects in it, in one dictionary."""
    into = {} if into is None else into
    for key, field in value.items():
        if isinstance(field, dict):
            flat(field, into)
        else:
            into[key] = field
    return into


def epochs(run):
    """Losses, accuracies and learning rate of each epoch, and why the run stopped, from events.jsonl."""
    sums = {}
    for event in json_lines(run / "events.jsonl"):
        fields = flat(event)
        if event["event"] == "epoch":
            name = f"epoch {fields['epoch']}"
            while name in sums:
                name += " again"
            sums[name] = sha_json([fields.get(name) for name in EPOCH_FIGURES])
        elif event["event"] == "stop":
            sums["stop"] = sha_json([fields.get(name) for name in STOP_FIGURES])
    return sums


def steps(run):
    """Losses and learning rate of each step, from steps.jsonl."""
    return {f"line {number}": sha_json(step) for number, step in enumerate(json_lines(run / "steps.jsonl"), 1)}


def pictures(run):
    """The bytes of each PNG and GIF of a run."""
    found = sorted(path for path in run.rglob("*") if path.suffix in {".png", ".gif"})
    return {plain_name(str(path.relative_to(run))): sha(path.read_bytes()) for path in found}


def summary(run):
    """The lines of a lab's summary."""
    path = run / "summary.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return {f"line {number}": sha(line.encode()) for number, line in enumerate(lines, 1)}


def without_times_and_paths(value):
    """A JSON value without the fields that tell a time or a path."""
    if isinstance(value, dict):
        kept = (key for key in value if key not in TIMES_AND_PATHS | NEWER)
        return {key: without_times_and_paths(value[key]) for key in kept}
    if isinstance(value, list):
        return [without_times_and_paths(element) for element in value]
    return value


def result(value):
    """Each field of what a command printed with --json; each element of a list by itself."""
    sums = {}
    for key, field in without_times_and_paths(value).items():
        elements = {f"{key} {number}": part for number, part in enumerate(field, 1)} if isinstance(field, list) else {}
        sums.update({name: sha_json(part) for name, part in (elements or {key: field}).items()})
    return sums


def run(folder):
    """All that a run left: what it is, and the sums of its items."""
    return {
        "weights": safetensors_in(folder),
        "checkpoint": saved_state(folder),
        "epochs": epochs(folder),
        "steps": steps(folder),
        "pictures": pictures(folder),
        "summary": summary(folder),
    }


def exported(folder):
    """The contents of `wellfit export`'s files; of an ONNX file its graph, of a .pth file the members of its archive."""
    sums = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".safetensors":
            items = safetensors(path)
        elif path.suffix == ".onnx":
            items = {"graph": sha(onnx_graph(path.read_bytes()))}
        elif path.suffix == ".pth":
            with zipfile.ZipFile(path) as archive:
                items = {member: sha(archive.read(member)) for member in archive.namelist()}
        else:
            items = {"content": sha(path.read_bytes())}
        sums.update({f"{path.name}: {name}": digest for name, digest in items.items()})
    return sums


def onnx_graph(content):
    """What an ONNX model computes, as bytes: operators, attributes and weights. Version and metadata are left out, and
    values between operators are numbered, since their names mean nothing."""
    graph = next(body for field, body in protobuf(content) if field == 7)
    parts, numbers = [], {}
    fields = list(protobuf(graph))
    # Initialisers (5), inputs (11) and outputs (12) keep their names; in all three the name is field 8 or 1.
    fixed = {name_of(body, 8 if field == 5 else 1) for field, body in fields if field in (5, 11, 12)}
    for field, body in fields:
        if field != 1:
            parts.append(body if field != 2 else b"")  # 2 is the graph's name
            continue
        for part, value in protobuf(body):
            if part in (1, 2) and value not in fixed:  # an operator's inputs and outputs
                value = b"#%d" % numbers.setdefault(value, len(numbers))
            if part != 3:  # the operator's own name
                parts.append(b"%d " % part + value)
    return b"\n".join(parts)


def name_of(message, number):
    return next((body for field, body in protobuf(message) if field == number), b"")


def protobuf(content):
    """The fields of a protobuf message: (number, bytes). Numbers and floats come as the bytes they are."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = content[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(content):
        tag = varint()
        start, kind = position, tag & 7
        if kind == 2:
            length = varint()
            start, position = position, position + length
        elif kind == 0:
            varint()
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError(f"a protobuf message has no field of type {kind}")
        yield tag >> 3, content[start:position]
