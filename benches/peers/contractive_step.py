"""Times training steps of the contractive autoencoder 784-256-128-256-784 in PyTorch, on random images.

The penalty is exact and takes the Gram matrix of the first layer, |D2 W2 D1 W1|^2 = sum (A G) * A with A = D2 W2 D1 and
G = W1 W1^T. Usage: contractive_step.py [STEPS] [THREADS]; prints seconds a step with and without the penalty, and what 10
epochs of 60,000 images would take.
"""

import sys
import time

import torch
from torch import nn
from torch.nn.functional import mse_loss

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
BATCH, EPOCH = 128, 469


def run(weight):
    torch.manual_seed(1)
    first, second = nn.Linear(784, 256), nn.Linear(256, 128)
    decoder = nn.Sequential(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
    parameters = [*first.parameters(), *second.parameters(), *decoder.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    images = torch.rand(60_000, 784)

    def step(number):
        x = images[number * BATCH % 59_000 :][:BATCH]
        hidden = torch.relu(first(x))
        code = torch.sigmoid(second(hidden))
        loss = mse_loss(decoder(code), x)
        if weight:
            d1 = (hidden > 0).float()
            d2 = code * (1 - code)
            a = d2[:, :, None] * second.weight[None] * d1[:, None, :]
            gram = first.weight @ first.weight.T
            loss = loss + weight * ((a @ gram) * a).sum() / BATCH
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()

    for number in range(10):
        step(number)
    began = time.perf_counter()
    for number in range(STEPS):
        step(number)
    return (time.perf_counter() - began) / STEPS


for name, weight in [("plain", 0.0), ("contractive", 1e-4)]:
    seconds = run(weight)
    print(f"{name}: {1e3 * seconds:.2f} ms a step, {10 * EPOCH * seconds:.1f} s for 10 epochs of 60,000", flush=True)
