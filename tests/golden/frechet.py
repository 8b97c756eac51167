"""Writes frechet_scipy.json: features of two sets of images, and the Fréchet distance between them with scipy's matrix root.

    python tests/golden/frechet.py
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.linalg import sqrtm


def distance(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    between = ((a.mean(0) - b.mean(0)) ** 2).sum()
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return between + np.trace(first) + np.trace(second) - 2 * np.trace(sqrtm(first @ second).real)


rng = np.random.default_rng(2026)
cases = []
for rows, others, d in [(40, 30, 2), (60, 80, 6), (200, 150, 12)]:
    mixed = lambda n: rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    a, b = mixed(rows).astype(np.float32), mixed(others).astype(np.float32)
    cases.append({"d": d, "a": a.flatten().tolist(), "b": b.flatten().tolist(), "distance": distance(a, b)})
text = json.dumps({"made_by": f"tests/golden/frechet.py, numpy {np.__version__}, scipy {scipy.__version__}, seed 2026", "cases": cases})
Path(__file__).with_name("frechet_scipy.json").write_text(text + "\n")
