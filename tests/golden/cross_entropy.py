"""Writes cross_entropy_pytorch.json: the softmax cross-entropy of labels with label smoothing, its value and gradient in f64.

    python tests/golden/cross_entropy.py

Logits are drawn here with numpy's PCG64 and kept in the file; one case has logits far beyond the range of exp.
"""
import json
from pathlib import Path

import numpy as np
import torch

cases = []
rng = np.random.default_rng(2026)
for rows, classes, spread, smoothing in [
    (1, 1, 1.0, 0.0), (4, 3, 1.0, 0.0), (5, 10, 4.0, 0.0), (5, 10, 4.0, 0.1), (3, 70, 2.0, 0.3), (4, 10, 2000.0, 0.0), (4, 10, 2000.0, 0.2),
]:
    logits = torch.tensor(rng.normal(size=(rows, classes)) * spread, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor(rng.integers(classes, size=rows))
    loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    loss.backward()
    cases.append({
        "classes": classes, "smoothing": smoothing, "logits": logits.detach().flatten().tolist(), "labels": labels.tolist(),
        "loss": loss.item(), "gradient": logits.grad.flatten().tolist(),
    })
source = f"torch {torch.__version__}"
text = json.dumps({"source": source, "dtype": "float64", "cases": cases})
Path(__file__).with_name("cross_entropy_pytorch.json").write_text(text + "\n")
