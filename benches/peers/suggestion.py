"""Times a suggestion of Optuna's TPE sampler with its settings left alone: the work of `cargo bench --bench search`.

    python suggestion.py [DIMENSIONS] [TRIALS]
"""

import statistics
import sys
import time
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
DIMENSIONS, TRIALS = (int(value) for value in (sys.argv[1:] + ["40", "1000"][len(sys.argv) - 1:]))
NUMBER = FloatDistribution(-5.0, 5.0)
MIXED = [NUMBER, FloatDistribution(1e-5, 1e-1, log=True), IntDistribution(1, 64), CategoricalDistribution([0, 1, 2, 3])]

for what, distributions in (("numbers", [NUMBER]), ("mixed", MIXED)):
    space = {f"x{at}": distributions[at % len(distributions)] for at in range(DIMENSIONS)}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(TRIALS):
        trial = study.ask(space)
        study.tell(trial, sum(value * value for value in trial.params.values()))
    study.sampler = optuna.samplers.TPESampler(seed=1)
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        trial = study.ask(space)
        seconds.append(time.perf_counter() - began)
        study.tell(trial, sum(value * value for value in trial.params.values()))
    print(f"Optuna {optuna.__version__}: {DIMENSIONS} dimensions ({what}), {TRIALS} trials: median {1e3 * statistics.median(seconds):.1f} ms a suggestion")
