"""The search of the preset `search` by Optuna's TPESampler over the same autoencoder in PyTorch: seconds, lowest validation loss, and the
loss of the best trial on the test images.

    python benches/peers/search.py FOLDER [TRIALS] [SEED] [THREADS]

FOLDER holds the four files of Fashion-MNIST, with or without .gz. The space, the 12,000 images to train on, the 10,000 to validate on after
each of 10 epochs, initialisation (Glorot uniform, biases of zero) and the optimizers' constants (those of Keras) are those of

    narrows search search --sampler tpe --pruner none --trials TRIALS

whose images are others of the same published 60,000.
"""
import gzip
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import torch
from torch import nn

folder = Path(sys.argv[1])
trials, seed, threads = (int(value) for value in (sys.argv[2:] + ["40", "2026", "2"][len(sys.argv) - 2:]))
torch.set_num_threads(threads)
optuna.logging.set_verbosity(optuna.logging.ERROR)


def images(name):
    path = folder / f"{name}-images-idx3-ubyte"
    raw = path.read_bytes() if path.exists() else gzip.decompress((folder / (path.name + ".gz")).read_bytes())
    return torch.tensor(np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784) / np.float32(255), dtype=torch.float32)


published = images("train")[torch.randperm(60_000, generator=torch.Generator().manual_seed(seed))]
train, validation, test = published[:12_000], published[50_000:], images("t10k")


def loss_of(net, x):
    with torch.no_grad():
        return nn.functional.binary_cross_entropy_with_logits(net(x), x).item()


nets = {}


def objective(trial):
    torch.manual_seed(seed)
    width = trial.suggest_int("width", 64, 512, log=True)
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[trial.suggest_categorical("activation", ["relu", "tanh"])]
    l2 = trial.suggest_float("l2", 1e-9, 1e-5, log=True)
    batch = trial.suggest_int("batch", 32, 512, log=True)
    name = trial.suggest_categorical("optimizer", ["adam", "rmsprop", "sgd"])
    rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    net = nn.Sequential(nn.Linear(784, width), activation(), nn.Linear(width, 16), nn.Linear(16, width), activation(), nn.Linear(width, 784))
    weights = [layer.weight for layer in net if isinstance(layer, nn.Linear)]
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    if name == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=rate, eps=1e-7)
    elif name == "rmsprop":
        optimizer = torch.optim.RMSprop(net.parameters(), lr=rate, alpha=0.9, eps=1e-7)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=trial.suggest_float("momentum", 0, 0.95))
    for _ in range(10):
        order = torch.randperm(len(train))
        for start in range(0, len(train), batch):
            x = train[order[start:start + batch]]
            loss = nn.functional.binary_cross_entropy_with_logits(net(x), x) + l2 * sum((weight * weight).sum() for weight in weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        value = loss_of(net, validation)
    nets[trial.number] = net
    # Optuna takes no trial whose value is not a number.
    return value


began = time.perf_counter()
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
study.optimize(objective, n_trials=trials)
seconds = time.perf_counter() - began
best = study.best_trial
print(f"{trials} trials: {seconds:.1f} s; best validation loss {best.value:.5f} of trial {best.number}, test loss {loss_of(nets[best.number], test):.5f}: {best.params}")
