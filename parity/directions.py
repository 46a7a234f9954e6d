"""Which way metrics go by their own packages, for crates/policy/src/direction.rs.

    python parity/directions.py

writes crates/policy/tests/fixtures/directions.json: names with `min` or `max`, by package.

    torchmetrics    every exported metric class that says whether higher is better
    scikit-learn    every scorer (larger is better by definition), and the function behind it
"""

import inspect
import json
import warnings
from pathlib import Path

import sklearn.metrics
import torchmetrics

warnings.filterwarnings("ignore")
FIXTURES = Path(__file__).parent.parent / "crates/policy/tests/fixtures"


def word(rises):
    return "max" if rises else "min"


def of_torchmetrics():
    modules = [torchmetrics, *(part for _, part in inspect.getmembers(torchmetrics, inspect.ismodule))]
    found = {}
    for module in modules:
        for name in getattr(module, "__all__", []):
            rises = getattr(getattr(module, name, None), "higher_is_better", None)
            if isinstance(rises, bool):
                found[name] = word(rises)
    return found


def of_scikit_learn():
    found = {}
    for name in sklearn.metrics.get_scorer_names():
        scorer = sklearn.metrics.get_scorer(name)
        found[name] = "max"
        found[scorer._score_func.__name__] = word(scorer._sign > 0)
    return found


def main():
    packages = {"torchmetrics": of_torchmetrics(), "scikit-learn": of_scikit_learn()}
    text = json.dumps(packages, indent=1, sort_keys=True)
    (FIXTURES / "directions.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
