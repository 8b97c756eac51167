"""Makes least_squares.json: small decoders, images and starting codes, and what scipy.optimize.least_squares finds from them.

    pip install numpy scipy && python least_squares.py > least_squares.json

Each problem is min over z of 1/2 |decoder(z) - x|^2 for a decoder of two dense layers, y = a(x @ W + b). Images are a
planted code's output with noise, so that the residual does not vanish, and the search starts near that code.
"""

import json

import numpy as np
import scipy
from scipy.optimize import least_squares

SEED = 20260
NUMBER = 50


def leaky(slope):
    return lambda x: np.where(x > 0, x, slope * x), lambda x, y: np.where(x > 0, 1.0, slope)


ACTIVATIONS = {
    "identity": (lambda x: x, lambda x, y: np.ones_like(x)),
    "leaky-relu 0.5": leaky(0.5),
    "elu 1": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x, y: np.where(x > 0, 1.0, y + 1)),
    "tanh": (np.tanh, lambda x, y: 1 - y * y),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x, y: y * (1 - y)),
    "softplus": (lambda x: np.logaddexp(0, x), lambda x, y: -np.expm1(-y)),
}


def forward(layers, z):
    y, jacobian = z, np.eye(len(z))
    for weight, bias, name in layers:
        activation, slope = ACTIVATIONS[name]
        x = y @ weight + bias
        y = activation(x)
        jacobian = slope(x, y)[:, None] * (weight.T @ jacobian)
    return y, jacobian


def rounded(array):
    """Six decimals: exact in the file."""
    return np.round(array, 6)


def main():
    rng = np.random.default_rng(SEED)
    names = list(ACTIVATIONS)
    problems = []
    for number in range(NUMBER):
        code = int(rng.integers(2, 5))
        widths = [code, int(rng.integers(code + 2, 9)), int(rng.integers(9, 14))]
        layers = []
        for depth, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
            name = names[(number + 2 * depth) % len(names)]
            weight = rounded(rng.normal(0, 1 / np.sqrt(fan_in), (fan_in, fan_out)))
            layers.append((weight, rounded(rng.normal(0, 0.3, fan_out)), name))
        planted = rng.normal(0, 1, code)
        image = rounded(forward(layers, planted)[0] + rng.normal(0, 0.05, widths[-1]))
        start = rounded(planted + rng.normal(0, 0.3, code))
        found = least_squares(
            lambda z: forward(layers, z)[0] - image,
            start,
            jac=lambda z: forward(layers, z)[1],
            method="trf",
            x_scale="jac",
            ftol=1e-15,
            xtol=1e-15,
            gtol=1e-15,
            max_nfev=10000,
        )
        problems.append(
            {
                "layers": [{"weight": w.tolist(), "bias": b.tolist(), "activation": n} for w, b, n in layers],
                "image": image.tolist(),
                "start": start.tolist(),
                "code": found.x.tolist(),
                "objective": found.cost,
            }
        )
    source = f"scipy {scipy.__version__} optimize.least_squares (trf, analytic Jacobian), numpy {np.__version__}"
    file = {"source": source, "program": "tests/golden/least_squares.py", "seed": SEED, "dtype": "float64"}
    print(json.dumps({**file, "problems": problems}, separators=(",", ":")))


main()
