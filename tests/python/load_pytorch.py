"""A trained model of dense layers in PyTorch, held against the program's codes.

    python tests/python/load_pytorch.py RUN images.npy codes.npy
"""

import sys

import numpy as np
import torch
from safetensors.torch import load_file

run = sys.argv[1]
# The loader.
weights = load_file(f"{run}/model.safetensors")


def dense(name, activation):
    layer = torch.nn.Linear(*weights[f"{name}.weight"].shape)
    layer.weight.data, layer.bias.data = weights[f"{name}.weight"].T, weights[f"{name}.bias"]
    return torch.nn.Sequential(layer, activation)


encoder = torch.nn.Sequential(dense("encoder.0", torch.nn.ReLU()), dense("encoder.1", torch.nn.Tanh()))
# Its end.
images, codes = (np.load(path) for path in sys.argv[2:4])
with torch.no_grad():
    worst = np.abs(encoder(torch.from_numpy(images)).numpy() - codes).max() / np.abs(codes).max()
print(f"PyTorch: {len(codes)} codes, largest difference {worst:.2e} of the largest element")
sys.exit(0 if worst <= 1e-5 else "the codes differ")
