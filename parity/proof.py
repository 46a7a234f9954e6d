"""Golden statistics of paired trials for crates/proof, from scipy and statsmodels.

    python parity/proof.py

writes crates/proof/tests/fixtures/statistics.json. Where no package has a formula, its definition is computed by other means:
e-values by integrating likelihoods, the variance over seeds and images from statsmodels' analysis of variance.
"""

import json
import math
import warnings
from pathlib import Path

import numpy
import pandas
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

warnings.filterwarnings("ignore")
FIXTURE = Path(__file__).parent.parent / "crates/proof/tests/fixtures/statistics.json"
G = 4.0


def likelihood_ratio(t, n):
    """The e-value by its definition: the noncentral t's density, averaged over effects from N(0, G), over the central one's."""
    freedom = n - 1

    def weighed(effect):
        return stats.nct.pdf(t, freedom, math.sqrt(n) * effect) * stats.norm.pdf(effect, scale=math.sqrt(G))

    centre = t / math.sqrt(n)
    parts = [-16, min(centre, 0) - 1, centre - 0.2, centre + 0.2, max(centre, 0) + 1, 16]
    total = sum(quad(weighed, a, b, epsabs=0, epsrel=1e-10, limit=500)[0] for a, b in zip(parts, parts[1:]) if a < b)
    return total / stats.t.pdf(t, freedom)


def arms(random, n, effect, shared, images):
    common = random.normal(0.0, shared, n)
    baseline = 0.9 + common + random.normal(0.0, 0.01, n)
    treated = 0.9 + common + random.normal(effect, 0.01, n)
    # Accuracies on so many images: many equal differences and ties.
    return (numpy.round(values * images) / images if images else values for values in (baseline, treated))


def paired(seed, n, effect, shared, images):
    random = numpy.random.default_rng(seed)
    baseline, treated = arms(random, n, effect, shared, images)
    d = treated - baseline
    test = stats.ttest_1samp(d, 0.0)
    # In whole images: scipy takes sums for different that rounding alone makes so.
    exact = numpy.round(d * images) if images else d
    flips = stats.permutation_test((exact,), lambda x, axis: numpy.abs(x.sum(axis)), permutation_type="samples",
                                   n_resamples=numpy.inf, alternative="greater", vectorized=True) if n <= 14 else None
    margins = [0.002, 0.005, 0.01, 0.02]
    upper = d.std(ddof=1) * math.sqrt((n - 1) / stats.chi2.ppf(0.2, n - 1))
    return {
        "baseline": baseline.tolist(),
        "treated": treated.tolist(),
        "mean": d.mean(),
        "deviation": d.std(ddof=1),
        "t": test.statistic,
        "p": test.pvalue,
        "intervals": [[alpha, *map(float, test.confidence_interval(1 - alpha))] for alpha in (0.1, 0.05, 0.01, 0.05 / 7)],
        "sign_flip": None if flips is None else flips.pvalue,
        "correlation": stats.pearsonr(baseline, treated).statistic,
        "e": likelihood_ratio(test.statistic, n) if abs(test.statistic) < 15 else None,
        "tost": [[margin, ttost_paired(treated, baseline, -margin, margin)[0]] for margin in margins],
        "cautious": upper,
    }


def crossed(seed, seeds, images, of_seed, of_image, rest, rounded):
    random = numpy.random.default_rng(seed)
    table = 0.01 + random.normal(0, of_seed, (seeds, 1)) + random.normal(0, of_image, images) + random.normal(0, rest, (seeds, images))
    if rounded:
        table = numpy.clip(numpy.round(table), -1, 1)
    rows = [{"seed": s, "image": i, "d": table[s, i]} for s in range(seeds) for i in range(images)]
    squares = anova_lm(ols("d ~ C(seed) + C(image)", pandas.DataFrame(rows)).fit())["sum_sq"] / (
        anova_lm(ols("d ~ C(seed) + C(image)", pandas.DataFrame(rows)).fit())["df"]
    )
    # Mean squares are those of means times what each mean is over.
    parts = {name: (squares[key] / (seeds * images), freedom) for name, key, freedom in
             [("seed", "C(seed)", seeds - 1), ("image", "C(image)", images - 1), ("rest", "Residual", (seeds - 1) * (images - 1))]}
    used = [(*parts["seed"], 1), (*parts["image"], 1), (*parts["rest"], -1)]
    if parts["image"][0] < parts["rest"][0]:
        used = [(*parts["seed"], 1)] if parts["seed"][0] >= parts["rest"][0] else [max(used[:2])]
    elif parts["seed"][0] < parts["rest"][0]:
        used = [(*parts["image"], 1)]
    variance = sum(sign * value for value, _, sign in used)
    freedom = variance**2 / sum(value**2 / freedom for value, freedom, _ in used)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(variance)
    return {"table": table.tolist(), "mean": table.mean(), "variance": variance, "freedom": freedom,
            "interval": [table.mean() - half, table.mean() + half]}


def flips(fixed, broken):
    return [fixed, broken, float(mcnemar([[50, fixed], [broken, 50]], exact=True).pvalue)]


def powers():
    solver, found = TTestPower(), []
    for pairs, effect, alpha in [(6, 0.5, 0.05), (6, 1.5, 0.05), (10, 1.5, 0.05), (10, 1.5, 0.025), (30, 0.5, 0.05), (2, 1, 0.05),
                                 (3, 4, 0.1), (200, 0.1, 0.05), (500, 0.2, 0.01), (20, 0, 0.05)]:
        found.append([pairs, effect, alpha, float(solver.power(effect, pairs, alpha))])
    return found


def needed():
    found = []
    for effect, alpha in [(0.1, 0.05), (0.3, 0.05), (0.5, 0.05), (1.0, 0.05), (1.5, 0.05), (1.0, 0.01), (2.5, 0.05), (0.05, 0.025)]:
        power = lambda n: float(TTestPower().power(effect, n, alpha))
        found.append([effect, alpha, next(n for n in range(2, 100_000) if power(n) >= 0.8)])
    return found


def boundaries():
    """|t| at which the integrated e-value is 1/α; none where no t is enough."""
    found = []
    for pairs, alpha in [(5, 0.05), (6, 0.05), (8, 0.05), (10, 0.05), (20, 0.05), (30, 0.05), (10, 0.01), (12, 0.025)]:
        found.append([pairs, alpha, brentq(lambda t: math.log(likelihood_ratio(t, pairs) * alpha), 0.1, 30, xtol=1e-11)])
    return found


def factorial(seed, switches):
    random = numpy.random.default_rng(seed)
    cells = random.normal(0.9, 0.02, 2**switches)
    signs = numpy.array([[1 if cell >> j & 1 else -1 for j in range(switches)] for cell in range(2**switches)])
    columns = [signs[:, [j for j in range(switches) if contrast >> j & 1]].prod(1) for contrast in range(2**switches)]
    # With switches coded ±1 an effect is twice the coefficient; the mean is its own.
    coefficients = numpy.linalg.solve(numpy.array(columns).T, cells)
    return {"cells": cells.tolist(), "contrasts": [coefficients[0], *(2 * coefficients[1:])]}


def holm(p):
    return [p, multipletests(p, method="holm")[1].tolist()]


if __name__ == "__main__":
    cases = [(6, 0.0, 0.02, 0), (6, 0.02, 0.02, 0), (7, 0.01, 0.0, 0), (10, 0.01, 0.05, 0), (10, 0.0, 0.01, 0), (2, 0.01, 0.01, 0),
             (3, 0.0, 0.1, 0), (12, 0.005, 0.01, 100), (13, 0.0, 0.02, 60), (8, 0.01, 0.02, 200), (6, 0.03, 0.0, 0), (14, -0.01, 0.01, 0),
             (25, 0.004, 0.01, 0), (60, -0.004, 0.01, 500)]
    tables = [(6, 40, 0.05, 0.3, 0.2, False), (6, 40, 0.0, 0.3, 0.3, False), (10, 25, 0.3, 0.0, 0.3, False), (2, 30, 0.1, 0.2, 0.4, False),
              (8, 60, 0.02, 0.4, 0.3, True), (5, 30, 0.0, 0.0, 0.5, False), (6, 20, 0.0, 0.0, 0.4, True), (12, 80, 0.1, 0.1, 0.1, False)]
    found = {
        "paired": [paired(seed, *case) for seed, case in enumerate(cases)],
        "crossed": [crossed(100 + seed, *case) for seed, case in enumerate(tables)],
        "flips": [flips(*pair) for pair in [(0, 0), (1, 0), (3, 9), (9, 3), (6, 6), (40, 70), (0, 12), (900, 1000), (5000, 5003)]],
        "power": powers(),
        "needed": needed(),
        "boundaries": boundaries(),
        "factorial": [factorial(200 + switches, switches) for switches in (1, 2, 3, 4)],
        "holm": [holm(p) for p in ([0.04], [0.01, 0.04], [0.04, 0.01, 0.03], [0.5, 0.001, 0.02, 0.02, 0.9], [1.0, 1.0], [0.02, 0.013, 0.011])],
    }
    FIXTURE.write_text(json.dumps(found, indent=None) + "\n")
