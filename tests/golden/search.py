"""Writes search.json: what Optuna 5.0.0 says of given histories of trials.

    python tests/golden/search.py > tests/golden/search.json

* ln l(x) - ln g(x) of TPESampler(multivariate=True, group=True), other settings left alone, at candidates given here in the place of those it draws; the
  histories have complete, pruned, failed and running trials.
* Which trials MedianPruner and SuccessiveHalvingPruner(min_resource=1) give up, when, in a study whose trials report after every step, for the
  median from step 0 on, for successive halving from step 1 on.
* get_param_importances, which is PED-ANOVA.

Equal values of a parameter are sorted by trial: numpy's default sort leaves their order open, which decides which of two kernels gets
which width.
"""

import json
import sys
import warnings

import numpy as np
import optuna
import optuna.samplers._tpe.parzen_estimator as parzen
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
assert optuna.__version__ == "5.0.0"
unstable = np.argsort
np.argsort = lambda x, **options: unstable(x, **{**options, "kind": "stable"})

FLAT = {
    "u": {"low": -5.0, "high": 10.0},
    "v": {"low": 1e-4, "high": 1.0, "log": True},
    "i": {"int": [1, 30]},
    "j": {"int": [2, 200], "log": True},
    "c": {"choices": 3},
}
CONDITIONAL = {
    "optimizer": {"choices": 3},
    "rate": {"low": 1e-4, "high": 1.0, "log": True},
    "momentum": {"low": 0.0, "high": 0.99, "when": [1]},
    "nesterov": {"choices": 2, "when": [1]},
    "steps": {"int": [1, 8], "when": [2]},
}


def distribution(one):
    if "choices" in one:
        return CategoricalDistribution(list(range(one["choices"])))
    if "int" in one:
        return IntDistribution(*one["int"], log=one.get("log", False))
    return FloatDistribution(one["low"], one["high"], log=one.get("log", False))


def draw(space, rng):
    point = {}
    for name, one in space.items():
        if "when" in one and point["optimizer"] not in one["when"]:
            continue
        of = distribution(one)
        if "choices" in one:
            point[name] = int(rng.integers(one["choices"]))
        else:
            low, high = (np.log(of.low), np.log(of.high)) if of.log else (of.low, of.high)
            value = rng.uniform(low, high)
            value = np.exp(value) if of.log else value
            point[name] = int(np.clip(np.round(value), of.low, of.high)) if "int" in one else float(value)
    return point


def score(point, rng):
    sizes = [abs(np.log(abs(value) + 0.5) - 0.7) for value in point.values()]
    return float(np.round(sum(sizes) + 0.3 * rng.normal(), 6))


def history(space, count, rng, ends):
    trials = []
    for number in range(count):
        point = draw(space, rng)
        trial = {"point": point, "state": "complete", "value": score(point, rng), "reports": []}
        end = rng.uniform()
        if end < ends[0]:
            steps = int(rng.integers(0, 4))
            reports = [float(np.round(trial["value"] + 1.0 / (step + 1), 6)) for step in range(steps)]
            trial |= {"state": "pruned", "value": None, "reports": reports}
        elif end < ends[1]:
            trial |= {"state": "failed", "value": None}
        trials.append(trial)
    return trials


STATES = {
    "complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL, "running": TrialState.RUNNING,
}


def add(study, space, trial):
    study.add_trial(create_trial(
        params=trial["point"],
        distributions={name: distribution(space[name]) for name in trial["point"]},
        value=trial["value"],
        state=STATES[trial["state"]],
        intermediate_values=dict(enumerate(trial["reports"])),
    ))


def gains(space, trials, running, candidates):
    """By the first parameter of each group: ln l - ln g at the candidates."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0, multivariate=True, group=True))
    for trial in trials:
        add(study, space, trial)
    for point in running:
        add(study, space, {"point": point, "state": "running", "value": None, "reports": []})
    found = {}
    sample, gain = parzen._ParzenEstimator.sample, optuna.samplers.TPESampler._compute_acquisition_func

    def given(self, rng, size):
        sample(self, rng, size)
        own = [point for point in candidates if set(self._search_space) <= set(point)]
        return {name: np.array([point[name] for point in own], dtype=float) for name in self._search_space}

    def kept(self, samples, below, above):
        values = gain(self, samples, below, above)
        found[min(samples, key=list(space).index)] = [float(value) for value in values]
        return values

    parzen._ParzenEstimator.sample, optuna.samplers.TPESampler._compute_acquisition_func = given, kept
    # The points of all groups are drawn when the first value is asked for.
    study.ask(dict([(name, distribution(one)) for name, one in space.items()][:1]))
    parzen._ParzenEstimator.sample, optuna.samplers.TPESampler._compute_acquisition_func = sample, gain
    return found


def case(name, space, count, running, seed, ends=(0.0, 0.0)):
    rng = np.random.default_rng(seed)
    trials = history(space, count, rng, ends)
    running = [draw(space, rng) for _ in range(running)]
    candidates = [draw(space, rng) for _ in range(40)]
    return {
        "name": name, "space": space, "trials": trials, "running": running, "candidates": candidates,
        "gains": gains(space, trials, running, candidates),
    }


def pruning(name, pruner, first, seed):
    """Of each trial the reports up to its end, and whether it was given up there; steps are counted from `first`."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    trials = []
    for _ in range(60):
        trial = study.ask()
        level, reports, given_up = rng.uniform(), [], False
        for step in range(20):
            reports.append(float(np.round(level + 1.0 / (step + 1) + 0.2 * rng.normal(), 6)))
            trial.report(reports[-1], first + step)
            if trial.should_prune():
                given_up = True
                break
        if given_up:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, reports[-1])
        trials.append({"reports": reports, "given_up": given_up})
    return {"name": name, "trials": trials}


def importances(count, seed):
    rng = np.random.default_rng(seed)
    study = optuna.create_study()
    trials = history(FLAT, count, rng, (0.1, 0.15))
    for trial in trials:
        add(study, FLAT, trial)
    return {"space": FLAT, "trials": trials, "importances": optuna.importance.get_param_importances(study)}


json.dump({
    "made_by": f"tests/golden/search.py with Optuna {optuna.__version__}, numpy {np.__version__}",
    "gains": [
        case("few", FLAT, 12, 0, 1),
        case("many", FLAT, 150, 0, 2),
        case("pruned, failed and running", FLAT, 60, 3, 3, (0.6, 0.7)),
        case("conditional", CONDITIONAL, 90, 2, 4, (0.2, 0.25)),
    ],
    "pruning": [
        pruning("median", optuna.pruners.MedianPruner(), 0, 5),
        pruning("median, later", optuna.pruners.MedianPruner(n_startup_trials=8, n_warmup_steps=4, interval_steps=3), 0, 6),
        pruning("asha", optuna.pruners.SuccessiveHalvingPruner(min_resource=1), 1, 7),
        pruning("asha, 2 from 3 on", optuna.pruners.SuccessiveHalvingPruner(min_resource=3, reduction_factor=2), 1, 8),
    ],
    "importances": [importances(40, 9), importances(200, 10)],
}, sys.stdout, separators=(",", ":"))
print()
