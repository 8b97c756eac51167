"""Makes tests/golden/*.mat with scipy.io.savemat: python tests/golden/matlab.py"""

from pathlib import Path

import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_matrix

here = Path(__file__).parent
greys = (np.arange(36).reshape(9, 4) * 7 % 251).astype(np.uint8)
savemat(here / "plain.mat", {"notes": "faces of nobody", "X": greys})
savemat(here / "compressed.mat", {"ff": greys / 255.0, "labels": np.arange(4)}, do_compression=True)
savemat(
    here / "strange.mat",
    {
        "cells": np.array([1, "two"], dtype=object),
        "record": {"a": 1},
        "wave": np.array([[1 + 2j]]),
        "stack": (np.arange(24).reshape(2, 3, 4)).astype(np.int16),
        "mask": np.array([[True, False, True]]),
        "thin": csc_matrix(np.eye(3)),
        "cold": np.array([[-3.0, 0.0]]),
    },
    do_compression=True,
)
