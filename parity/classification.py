"""Golden figures of classifiers' answers for crates/policy/src/classification, from scikit-learn, torchmetrics and scipy.

    python parity/classification.py

writes crates/policy/tests/fixtures/classification.json.gz. Outputs are multiples of 1/8, so that they are exact and that
some are equal.
"""

import gzip
import json
import warnings
from pathlib import Path

import numpy
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

warnings.filterwarnings("ignore")
FIXTURE = Path(__file__).parent.parent / "crates/policy/tests/fixtures/classification.json.gz"
# Classes, samples, how much larger the right output is, classes without samples.
CASES = [(2, 40, 1.0, 0), (2, 300, 0.2, 0), (3, 60, 1.5, 0), (4, 25, 6.0, 0), (5, 200, 0.0, 0), (10, 300, 2.5, 0)]
CASES += [(10, 120, 2.0, 3), (25, 150, 3.0, 4), (7, 500, 1.0, 0), (6, 30, -1.0, 1)]


def case(seed, classes, samples, gain, absent):
    random = numpy.random.default_rng(seed)
    labels = random.integers(0, classes - absent, samples)
    outputs = random.normal(0.0, 1.5, (samples, classes))
    outputs[numpy.arange(samples), labels] += gain
    eighths = numpy.round(outputs * 8).astype(int)
    logits = eighths / 8
    # Of equal outputs the first is the answer, in torch and here; probabilities may round to equal ones.
    answers = logits.argmax(1)
    probabilities = softmax(logits, axis=1)
    every = list(range(classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, answers, labels=every, zero_division=0)
    if classes == 2:
        auc = metrics.roc_auc_score(labels, probabilities[:, 1])
    elif absent:
        there = sorted(set(labels))
        auc = float(numpy.mean([metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in there]))
    else:
        auc = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    largest = numpy.sort(logits, axis=1)[:, ::-1]
    # Where the last output of the top and the next one are equal, which of them counts is a matter of taste.
    k = min(5, classes - 1)
    clear = [n for n in range(samples) if largest[n, k - 1] != largest[n, k]]
    top = metrics.top_k_accuracy_score(labels[clear], logits[clear], k=k, labels=every) if classes > 2 else None

    def loss(inverse):
        return -log_softmax(logits * inverse, axis=1)[numpy.arange(samples), labels].mean()

    # The minimum's place to a few 1e-9: the loss is flat there.
    best = minimize_scalar(loss, bounds=(1e-3, 1e3), method="bounded", options={"xatol": 1e-10}).x
    ece = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), classes, n_bins=15, norm="l1", validate_args=False
    )
    right = int((answers == labels).sum())
    wilson = binomtest(right, samples).proportion_ci(0.95, method="wilson")
    resampled = []
    for _ in range(2000):
        chosen = random.integers(0, samples, samples)
        resampled.append(metrics.f1_score(labels[chosen], answers[chosen], average="macro", zero_division=0))
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "eighths": eighths.flatten().tolist(),
        "confusion": metrics.confusion_matrix(labels, answers, labels=every).flatten().tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "accuracy": metrics.accuracy_score(labels, answers),
        "macro_f1": metrics.f1_score(labels, answers, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(labels, answers, average="weighted", zero_division=0),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, answers),
        "auc": float(auc),
        "clear": clear,
        "top": top,
        "ece": float(ece),
        # At a bound there is no minimum.
        "temperature": 1 / best if 0.011 < best < 99 else None,
        "wilson": [float(wilson.low), float(wilson.high)],
        "macro_f1_interval": numpy.percentile(resampled, [2.5, 97.5]).tolist(),
    }


if __name__ == "__main__":
    cases = [case(seed, *given) for seed, given in enumerate(CASES)]
    FIXTURE.write_bytes(gzip.compress(json.dumps(cases).encode(), mtime=0))
