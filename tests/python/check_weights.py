"""Applies a run's weights with numpy alone and compares the test MSE with the run's own.

    narrows data export RUN --out IMAGES
    python tests/python/check_weights.py RUN IMAGES/t10k-images-idx3-ubyte

Needs numpy and safetensors. Shows how weights are named and laid out: a weight is [in, out], so a layer is x @ weight + bias.
That is the `kernel` of a Keras Dense layer as it is, and the transpose of the `weight` of a torch.nn.Linear:

    keras_layer.set_weights([w["encoder.0.weight"], w["encoder.0.bias"]])
    torch_layer.weight.data = torch.from_numpy(w["encoder.0.weight"].T.copy())

The last layer of a variational encoder has two heads: `encoder.1.mean.weight` and `encoder.1.log_variance.weight` (and biases). The
mean is the code that is decoded.
"""
import json
import pathlib
import struct
import sys

import numpy as np
from safetensors import safe_open

run, images = map(pathlib.Path, sys.argv[1:])
with safe_open(run / "model.safetensors", "np") as file:
    activations = json.loads(file.metadata()["narrows"])["activations"]
    weights = {name: file.get_tensor(name) for name in file.keys()}

raw = images.read_bytes()
magic, count, height, width = struct.unpack(">IIII", raw[:16])
assert magic == 2051, f"{images} is no IDX file of images"
x = np.frombuffer(raw, np.uint8, offset=16).reshape(count, height * width).astype(np.float32) / np.float32(255)


def activate(name, x):
    name, _, number = name.partition(" ")
    return {
        "linear": lambda: x,
        "relu": lambda: np.maximum(x, 0),
        "leaky-relu": lambda: np.where(x > 0, x, float(number) * x),
        "elu": lambda: np.where(x > 0, x, float(number) * np.expm1(np.minimum(x, 0))),
        "tanh": lambda: np.tanh(x),
        "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        "softplus": lambda: np.logaddexp(0, x),
    }[name]()


y = x
for layer in sorted(activations, key=lambda layer: (layer.split(".")[0] != "encoder", int(layer.split(".")[1]))):
    name = layer + ".mean" if layer + ".mean.weight" in weights else layer
    y = activate(activations[layer], y @ weights[name + ".weight"] + weights[name + ".bias"])

found = float(np.mean((y.astype(np.float64) - x) ** 2))
expected = json.loads((run / "metrics.json").read_text())["evaluation"]["test"]["mse"]
print(f"test MSE {found:.9f} with numpy, {expected:.9f} in metrics.json, relative difference {abs(found / expected - 1):.1e}")
sys.exit(0 if abs(found / expected - 1) <= 1e-5 else 1)
