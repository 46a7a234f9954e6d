"""Labels that cleanlab finds wrong, for crates/diagnose/src/probes/suspects.rs.

    pip install cleanlab==2.9.0
    python parity/label_errors.py

writes crates/diagnose/tests/fixtures/label_errors.json. Probabilities are whole numbers of 1/4096, so that they are exact;
some are equal, some classes have no images, and some labels are the answer by less than cleanlab's tolerance.
"""

import json
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


if __name__ == "__main__":
    cases = [case(seed, *of) for seed, of in enumerate(CASES)]
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    fixture = {"cleanlab": version("cleanlab"), "unit": UNIT, "cases": cases}
    FIXTURE.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print([len(of["suspects"]) for of in cases])
