"""Seconds of one step of Adam on all 60,000 training images of Fashion-MNIST, 784-392-196-8 and back, in PyTorch.

    python benches/peers/full_batch.py FOLDER [STEPS] [THREADS]

FOLDER holds the four files of Fashion-MNIST, with or without .gz. The same layers, initialisation and optimizer as

    narrows train inversion --set train.max_epochs=STEPS

whose steps are its epochs (`seconds` in `history.csv`). The first step is not counted.
"""
import gzip
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

folder = Path(sys.argv[1])
steps, threads = (int(value) for value in (sys.argv[2:] + ["6", "2"][len(sys.argv) - 2:]))
torch.set_num_threads(threads)
torch.manual_seed(1)
path = folder / "train-images-idx3-ubyte"
raw = path.read_bytes() if path.exists() else gzip.decompress((folder / (path.name + ".gz")).read_bytes())
x = torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784).astype(np.float32) / 255)
x = (x - x.mean()) / x.std()
x = (x - x.min()) / (x.max() - x.min())

widths = [784, 392, 196, 8, 196, 392, 784]
net = nn.Sequential(*(part for a, b in zip(widths, widths[1:]) for part in (nn.Linear(a, b), nn.LeakyReLU(0.5))))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
seconds = []
for _ in range(steps):
    began = time.perf_counter()
    optimizer.zero_grad()
    nn.functional.mse_loss(net(x), x).backward()
    optimizer.step()
    seconds.append(time.perf_counter() - began)
print(f"median {np.median(seconds[1:]):.3f} s, fastest {min(seconds[1:]):.3f} s a step, {threads} threads, torch {torch.__version__}")
