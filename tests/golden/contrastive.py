"""Writes contrastive_pytorch.json: contrastive losses of codes in f64, and their gradients by the codes, as PyTorch has them.

    python tests/golden/contrastive.py

Rows i and i + n of the codes [2n, d] are the two views of an image. NT-Xent is the cross-entropy of each row's cosines over the
temperature, its own left out, against its other view (Chen et al. 2020); decoupled leaves the other view out of the sum too (Yeh
et al. 2022).
"""
import json
from pathlib import Path

import torch
from torch.nn import functional as F


def loss(z, temperature, decoupled):
    n = len(z) // 2
    unit = F.normalize(z)
    similarities = unit @ unit.T / temperature
    similarities = similarities.masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
    partner = (torch.arange(2 * n) + n) % (2 * n)
    if not decoupled:
        return F.cross_entropy(similarities, partner)
    positive = similarities[torch.arange(2 * n), partner]
    others = similarities.scatter(1, partner[:, None], -torch.inf)
    return (torch.logsumexp(others, 1) - positive).mean()


torch.manual_seed(2026)
cases = []
for n, d, temperature, decoupled in [(2, 3, 0.5, False), (2, 3, 0.5, True), (5, 7, 0.1, False), (5, 7, 0.1, True), (16, 4, 0.05, False), (33, 5, 1.0, True)]:
    z = (2 * torch.randn(2 * n, d, dtype=torch.float64)).requires_grad_()
    value = loss(z, temperature, decoupled)
    value.backward()
    cases.append({"n": n, "d": d, "temperature": temperature, "decoupled": decoupled, "z": z.detach().flatten().tolist(),
                  "loss": value.item(), "gradient": z.grad.flatten().tolist()})
text = json.dumps({"made_by": f"tests/golden/contrastive.py, PyTorch {torch.__version__}, seed 2026, f64", "cases": cases})
Path(__file__).with_name("contrastive_pytorch.json").write_text(text + "\n")
