"""The network of the preset `classifier` in PyTorch on all 60,000 training images of Fashion-MNIST: seconds an epoch, test accuracy.

    python benches/peers/classifier.py FOLDER [EPOCHS] [SEED] [THREADS]

FOLDER holds the four files of Fashion-MNIST, with or without .gz. The same layers, initialisation (Glorot uniform, biases of zero), optimizer
(Adam with the defaults of Keras), batches of 128 and shuffling as

    narrows train classifier --set 'data.split={ train = 1, validation = 0 }' --set train.max_epochs=EPOCHS
"""
import gzip
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

folder = Path(sys.argv[1])
epochs, seed, threads = (int(value) for value in (sys.argv[2:] + ["10", "2026", "2"][len(sys.argv) - 2:]))
torch.set_num_threads(threads)
torch.manual_seed(seed)


def read(name, skip):
    path = folder / name
    raw = path.read_bytes() if path.exists() else gzip.decompress((folder / (name + ".gz")).read_bytes())
    return np.frombuffer(raw, np.uint8, offset=skip)


def part(name):
    images = read(f"{name}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = read(f"{name}-labels-idx1-ubyte", 8)
    return torch.tensor(images / np.float32(255), dtype=torch.float32), torch.tensor(labels.astype(np.int64))


x, y = part("train")
test_x, test_y = part("t10k")
net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
)
for layer in net:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
net = net.to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, eps=1e-7)
for epoch in range(epochs):
    began = time.perf_counter()
    net.train()
    total = 0.0
    for batch in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[batch].contiguous(memory_format=torch.channels_last)), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    seconds = time.perf_counter() - began
    net.eval()
    with torch.no_grad():
        right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(test_x.split(500), test_y.split(500)))
    print(f"epoch {epoch + 1}  seconds {seconds:.2f}  loss {total / len(x):.4f}  test accuracy {right / len(test_y):.4f}", flush=True)
