"""Labels that cleanlab finds wrong, for crates/diagnose/src/probes/suspects.rs.

    pip install cleanlab==2.9.0
    python parity/label_errors.py

writes crates/diagnose/tests/fixtures/label_errors.json. Probabilities are whole numbers of 1/4096, so that they are exact;
some are equal, some classes have no images, and some labels are the answer by less than cleanlab's tolerance.

    python parity/label_errors.py --measure target/release/wellfit [/usr/share/datasets/fashion-mnist]

flips 5, 10 and 20 % of Fashion-MNIST's training labels, trains on them in three folds, and prints precision and recall of the
suspects of `wellfit probe` and of cleanlab on the same probabilities out of fold.
"""

import csv
import gzip
import json
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy
from cleanlab.count import get_confident_thresholds
from cleanlab.filter import find_label_issues

warnings.filterwarnings("ignore")
FIXTURE = Path(__file__).parent.parent / "crates/diagnose/tests/fixtures/label_errors.json"
UNIT = 4096
# Classes, images, how sure the answers are, the share of labels that are wrong, classes without images.
CASES = [(2, 60, 1.0, 0.1, 0), (2, 40, 0.2, 0.4, 0), (3, 120, 2.0, 0.05, 0), (5, 150, 1.5, 0.2, 2), (10, 250, 3.0, 0.2, 0)]
CASES += [(10, 150, 0.5, 0.0, 0), (4, 80, 8.0, 0.3, 0), (7, 100, 0.0, 0.5, 1)]


def case(seed, classes, images, gain, wrong, absent):
    random = numpy.random.default_rng(seed)
    truth = random.integers(0, classes - absent, images)
    labels = truth.copy()
    flipped = random.random(images) < wrong
    labels[flipped] = (truth[flipped] + random.integers(1, classes - absent, flipped.sum())) % (classes - absent)
    logits = random.normal(0, 1, (images, classes))
    logits[numpy.arange(images), truth] += gain
    exact = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
    whole = numpy.round(exact * UNIT).astype(int)
    probabilities = whole / UNIT
    found = find_label_issues(
        labels, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    thresholds = get_confident_thresholds(labels, probabilities)
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "probabilities": whole.reshape(-1).tolist(),
        "thresholds": [None if t > 1 else t for t in thresholds.tolist()],
        "suspects": sorted(int(i) for i in found),
        "confidences": [probabilities[i, labels[i]] for i in found],
    }


def flipped(labels, share, random):
    """Labels of which a share is another class, each of the others as likely."""
    wrong = random.random(len(labels)) < share
    labels = labels.copy()
    labels[wrong] = (labels[wrong] + random.integers(1, 10, wrong.sum())) % 10
    return labels


def idx_labels(path, labels):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write((0x0801).to_bytes(4, "big") + len(labels).to_bytes(4, "big") + labels.astype(numpy.uint8).tobytes())


def measured(binary, data, share, options):
    """Precision and recall of the suspects, ours and cleanlab's."""
    names = {part: f"{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")}
    with gzip.open(data / names["train-labels-idx1"]) as file:
        truth = numpy.frombuffer(file.read(), numpy.uint8, offset=8).astype(int)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        noisy = folder / "noisy"
        noisy.mkdir()
        for part, name in names.items():
            if part != "train-labels-idx1":
                (noisy / name).symlink_to(data / name)
        idx_labels(noisy / names["train-labels-idx1"], flipped(truth, share, numpy.random.default_rng(1)))
        run, table = folder / "run", folder / "p.csv"
        train = [binary, "train", noisy, "--out", run, "--quiet", "--folds", "3", *options]
        subprocess.run([str(word) for word in train], check=True, stdout=subprocess.DEVNULL)
        probe = [binary, "probe", run, "--json", "--no-files", "--probabilities", table]
        done = subprocess.run([str(word) for word in probe], check=True, capture_output=True, text=True)
        ours = {of["position"] for of in json.loads(done.stdout.splitlines()[-1])["labels"]["suspects"]}
        with open(table) as file:
            rows = list(csv.reader(file))[1:]
        labels = numpy.array([int(row[1]) for row in rows])
        probabilities = numpy.array([[float(cell) for cell in row[2:]] for row in rows])
    theirs = set(find_label_issues(labels, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1))
    wrong = set(numpy.flatnonzero(truth != labels).tolist())
    score = lambda found: (len(found & wrong) / max(1, len(found)), len(found & wrong) / max(1, len(wrong)), len(found))
    return len(labels), len(wrong), score(ours), score({int(at) for at in theirs}), ours == {int(at) for at in theirs}


if __name__ == "__main__" and sys.argv[1:2] == ["--measure"]:
    data = Path(sys.argv[3] if len(sys.argv) > 3 else "/usr/share/datasets/fashion-mnist")
    print("share  images  wrong  | ours: precision recall suspects | cleanlab: precision recall suspects | same")
    for share in (0.05, 0.1, 0.2):
        images, wrong, ours, theirs, same = measured(sys.argv[2], data, share, ["--model", "mlp", "--epochs", "5"])
        print(f"{share:5} {images:7} {wrong:6}  | %.4f %.4f %d | %.4f %.4f %d | {same}" % (*ours, *theirs))
elif __name__ == "__main__":
    cases = [case(seed, *of) for seed, of in enumerate(CASES)]
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    fixture = {"cleanlab": version("cleanlab"), "unit": UNIT, "cases": cases}
    FIXTURE.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print([len(of["suspects"]) for of in cases])
