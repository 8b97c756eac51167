"""Train the convolutional autoencoder `conv` (1,331,339 parameters) on MNIST in PyTorch, and print its test MSE.

    NARROWS_DATA_DIR=FOLDER python benches/peers/conv_epochs.py --seed 1 [--epochs 10] [--images 55000] [--threads 2]

FOLDER holds a folder `mnist` with the four files of MNIST (.gz).
The same network, initial distribution (Glorot uniform with the fans of Keras, biases zero), loss, batch, number of training
images and Adam (epsilon 1e-7) as the preset; the training images are drawn from the 60,000 by the seed.
"""
import argparse, gzip, json, math, os, time
import numpy as np, torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=1)
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--images", type=int, default=55000)
p.add_argument("--threads", type=int, default=os.cpu_count())
a = p.parse_args()
torch.manual_seed(a.seed)
torch.set_num_threads(a.threads)


def images(name):
    path = os.path.join(os.environ["NARROWS_DATA_DIR"], "mnist", name + "-images-idx3-ubyte.gz")
    pixels = np.frombuffer(gzip.open(path).read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return torch.from_numpy(pixels.astype(np.float32) / 255).contiguous(memory_format=torch.channels_last)


class Up(nn.ConvTranspose2d):
    def __init__(self, i, o):
        super().__init__(i, o, 3, stride=2, padding=1, output_padding=1)


net = nn.Sequential(
    nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2304, 128), nn.ReLU(),
    nn.Linear(128, 2304), nn.ReLU(), nn.Unflatten(1, (256, 3, 3)), Up(256, 128), nn.ReLU(), Up(128, 64), nn.ReLU(), Up(64, 1),
    nn.ZeroPad2d(2), nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())
for layer in net:
    if hasattr(layer, "weight"):
        w = layer.weight
        taps = w[0, 0].numel() if w.dim() == 4 else 1
        bound = math.sqrt(6 / ((w.shape[0] + w.shape[1]) * taps))
        nn.init.uniform_(w, -bound, bound)
        nn.init.zeros_(layer.bias)
net = net.to(memory_format=torch.channels_last)
train, test = images("train"), images("t10k")
train = train[torch.randperm(60000)[: a.images]]
optimizer = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7)
started = time.time()
for epoch in range(a.epochs):
    total = 0.0
    for rows in torch.randperm(len(train)).split(128):
        x = train[rows]
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(net(x), x)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    with torch.no_grad():
        error = sum(nn.functional.mse_loss(net(x), x).item() * len(x) for x in test.split(500)) / len(test)
    print(json.dumps({"seed": a.seed, "epoch": epoch + 1, "loss": total / len(train), "test_mse": error,
                      "seconds": time.time() - started}), flush=True)
