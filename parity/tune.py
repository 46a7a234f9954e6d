#!/usr/bin/env python3
"""Searches for settings: Optuna's densities, splits, choices, pruned trials, and its journal."""
import json, logging, math, pathlib, random, warnings
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import TPESampler, _split_trials, default_gamma, default_weights
from optuna.trial import TrialState, create_trial

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "crates/tune/tests/fixtures"
optuna.logging.set_verbosity(logging.ERROR)
warnings.simplefilter("ignore")

# Equal numbers come in an order that depends on the processor; here they stay in that of their trials.
unstable = np.argsort
np.argsort = lambda values, axis=-1, **_: unstable(values, axis=axis, kind="stable")

SPACES = {
    "float": {"x": FloatDistribution(-2.0, 3.0)},
    "log": {"lr": FloatDistribution(1e-4, 0.1, log=True)},
    "steps": {"p": FloatDistribution(0.0, 0.5, step=0.05), "n": IntDistribution(2, 20, step=3)},
    "whole": {"depth": IntDistribution(1, 64, log=True), "size": IntDistribution(16, 128)},
    "words": {"optimizer": CategoricalDistribution(["adam", "adamw", "sgd"])},
    "mixed": {
        "batch_size": CategoricalDistribution([32, 64]),
        "lr": FloatDistribution(1e-4, 0.1, log=True),
        "warmup": IntDistribution(0, 5),
        "weight_decay": FloatDistribution(0.0, 0.3),
    },
}


def draw(rng, one):
    if isinstance(one, CategoricalDistribution):
        return rng.randrange(len(one.choices))
    if isinstance(one, IntDistribution):
        return float(rng.randrange(one.low, one.high + 1, one.step))
    if one.step:
        return one.low + one.step * rng.randrange(round((one.high - one.low) / one.step) + 1)
    if one.log:
        return math.exp(rng.uniform(math.log(one.low), math.log(one.high)))
    return rng.uniform(one.low, one.high)


def densities(rng):
    cases = []
    for name, space in SPACES.items():
        for n in (0, 1, 2, 9, 24, 25, 26, 27, 60):
            columns = {key: [draw(rng, one) for _ in range(n)] for key, one in space.items()}
            points = {key: [draw(rng, one) for _ in range(12)] for key, one in space.items()}
            settings = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
            observed = {key: np.array(column, dtype=float) for key, column in columns.items()}
            found = _ParzenEstimator(observed, space, settings).log_pdf({k: np.array(v, dtype=float) for k, v in points.items()})
            cases.append({"space": name, "columns": columns, "points": points, "log_density": found.tolist()})
    return cases


def normals():
    cases = []
    for a, b in [(-1.0, 1.0), (-8.0, -5.0), (3.0, 9.0), (-1e-3, 30.0), (-40.0, -30.0), (0.0, 0.5), (-3.0, 0.0)]:
        shares = [1e-6, 0.01, 0.3, 0.5, 0.9, 0.999]
        points = _truncnorm.ppf(np.array(shares), np.full(6, a), np.full(6, b)).tolist()
        mass = float(_truncnorm._log_gauss_mass(np.array([a]), np.array([b]))[0])
        cases.append({"ends": [a, b], "log_mass": mass, "shares": shares, "points": points})
    return cases


def study_of(rng, n, direction, space):
    """Trials of all states, with equal values, NaN and trials without any report among them."""
    study = optuna.create_study(direction=direction, study_name="fixture")
    for i in range(n):
        state = rng.choices([TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.FAIL], [6, 3, 1, 1])[0]
        reports = {step: rng.choice([round(rng.random(), 2), math.nan] if rng.random() < 0.1 else [round(rng.random(), 2)])
                   for step in range(1, 1 + (rng.randrange(5) if state != TrialState.COMPLETE else 5))}
        params = {key: one.to_external_repr(draw(rng, one)) for key, one in space.items()}
        value = round(rng.random(), 2) if state == TrialState.COMPLETE else None
        study.add_trial(create_trial(state=state, value=value, params=params, distributions=space, intermediate_values=reports))
    return study


def plain(number):
    """JSON has no NaN."""
    return "NaN" if number is not None and math.isnan(number) else number


def written(trial):
    return {
        "state": trial.state.name,
        "value": trial.values and trial.values[0],
        "reports": {str(step): plain(value) for step, value in trial.intermediate_values.items()},
        "params": {key: trial.distributions[key].to_internal_repr(value) for key, value in trial.params.items()},
    }


def choices(rng):
    """What the next trial tries, among candidates that Optuna drew."""
    cases = []
    for name, n, direction in [("mixed", 14, "maximize"), ("mixed", 40, "minimize"), ("log", 33, "minimize"), ("whole", 15, "maximize")]:
        space = SPACES[name]
        study = study_of(rng, n, direction, space)
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        trials = study.get_trials(deepcopy=False, states=states)
        finished = sum(trial.state != TrialState.RUNNING for trial in trials)
        below, above = _split_trials(study, trials, default_gamma(finished))
        sampler = TPESampler(seed=5)
        ordered = dict(sorted(space.items()))
        good = sampler._build_parzen_estimator(study, ordered, below, handle_below=True)
        others = sampler._build_parzen_estimator(study, ordered, above, handle_below=False)
        drawn = good.sample(np.random.RandomState(7), 24)
        scores = sampler._compute_acquisition_func(drawn, good, others)
        cases.append({
            "space": name, "direction": direction, "trials": [written(trial) for trial in study.trials],
            "good": [trial.number for trial in below], "others": [trial.number for trial in above],
            "candidates": {key: column.tolist() for key, column in drawn.items()}, "scores": scores.tolist(),
            "best": int(np.argmax(scores)),
        })
    return cases


PRUNERS = {
    "median": optuna.pruners.MedianPruner(),
    "median, later and seldom": optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=3, interval_steps=4),
    "halving": optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4),
    "halving, later": optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=3, min_early_stopping_rate=1),
    "hyperband": optuna.pruners.HyperbandPruner(min_resource=1, max_resource=12, reduction_factor=3),
}


def pruned(rng):
    """Which trials end, and where: two at a time, their reports in turn."""
    cases = []
    for name, pruner in PRUNERS.items():
        for direction in ("minimize", "maximize"):
            study = optuna.create_study(direction=direction, pruner=pruner, study_name="fixture")
            trials, steps = [], []
            for _ in range(20):
                pair = [study.ask(), study.ask()]
                curves = [[round(rng.random() * 0.3 + level + 0.03 * step, 3) for step in range(12)] for level in (rng.random(), rng.random())]
                if rng.random() < 0.1:
                    curves[0][4] = math.nan
                trials += curves
                for step in range(1, 13):
                    for place, trial in enumerate(list(pair)):
                        if trial is None:
                            continue
                        trial.report(curves[place][step - 1], step)
                        end = trial.should_prune()
                        steps.append([trial.number, step, end])
                        if end:
                            study.tell(trial, state=TrialState.PRUNED)
                            pair[place] = None
                        elif step == 12:
                            value = curves[place][-1]
                            study.tell(trial, value)
                            pair[place] = None
            assert any(end for _, _, end in steps), name
            ends = [[number, step] for number, step, end in steps if end]
            cases.append({"pruner": name, "direction": direction, "curves": [[plain(x) for x in curve] for curve in trials], "ends": ends})
    return cases


def straight(one):
    """Optuna weighs a logarithmic range by its numbers, so that the upper tenth of it counts for nine tenths; we do by logarithms."""
    if not getattr(one, "log", False):
        return one, lambda value: value
    half = 0.5 if isinstance(one, IntDistribution) else 0.0
    return FloatDistribution(math.log(one.low - half), math.log(one.high + half)), math.log


def importances(rng):
    """Results that depend on two parameters of a space, on one more by itself and with another."""
    cases = []
    for name, result in [
        ("mixed", lambda p: 3 * math.log10(p["lr"]) + 10 * p["weight_decay"] + 0.5 * p["batch_size"] / 32),
        ("mixed", lambda p: (math.log10(p["lr"]) + 2.5) ** 2 + p["warmup"] * p["weight_decay"]),
        ("whole", lambda p: math.log(p["depth"]) + abs(p["size"] - 70) / 40),
    ]:
        space = SPACES[name]
        study, as_given = optuna.create_study(), optuna.create_study()
        ranges = {key: straight(one)[0] for key, one in space.items()}
        for _ in range(120):
            params = {key: one.to_external_repr(draw(rng, one)) for key, one in space.items()}
            as_given.add_trial(create_trial(value=result(params), params=params, distributions=space))
            logs = {key: straight(one)[1](params[key]) for key, one in space.items()}
            study.add_trial(create_trial(value=result(params), params=logs, distributions=ranges))
        found = [optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed)) for seed in range(5)]
        for key in space:
            assert np.ptp([one[key] for one in found]) < 0.03, (name, key)
        mean = {key: float(np.mean([one[key] for one in found])) for key in space}
        cases.append({"space": name, "trials": [written(trial) for trial in as_given.trials], "importances": mean})
    return cases


if __name__ == "__main__":
    rng = random.Random(22)
    FIXTURES.mkdir(parents=True, exist_ok=True)
    fixture = {
        "optuna": optuna.__version__,
        "spaces": {name: {key: distribution_to_json(one) for key, one in space.items()} for name, space in SPACES.items()},
        "normals": normals(), "densities": densities(rng), "choices": choices(rng), "pruned": pruned(rng), "importances": importances(rng),
    }
    (FIXTURES / "optuna.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
