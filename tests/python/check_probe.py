"""Compares `narrows probe` with scikit-learn on the same codes.

    narrows encode RUN --part train --out train.npy --labels train-labels.npy
    narrows encode RUN --part test --out test.npy --labels test-labels.npy
    narrows probe RUN
    python tests/python/check_probe.py RUN/probe.json train.npy train-labels.npy test.npy test-labels.npy

Needs scikit-learn. Fails when an accuracy differs by more than 0.3 points.
"""

import json
import sys
from time import perf_counter

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

probe = json.load(open(sys.argv[1]))
train, train_labels, test, test_labels = (np.load(path) for path in sys.argv[2:6])
started = perf_counter()
model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000))
model.fit(train.astype(np.float64), train_labels)
seconds = perf_counter() - started
worst = 0.0
for part, codes, labels in [("train", train, train_labels), ("test", test, test_labels)]:
    theirs, ours = model.score(codes.astype(np.float64), labels), probe[f"{part}_accuracy"]
    worst = max(worst, abs(theirs - ours))
    print(f"{part}: scikit-learn {100 * theirs:.2f} %, narrows {100 * ours:.2f} %")
print(f"scikit-learn: {model[-1].n_iter_[0]} iterations, {seconds:.1f} s")
sys.exit(0 if worst <= 0.003 else "the accuracies differ by more than 0.3 points")
