"""Times the steps of the presets `gan` and `simclr` in PyTorch, on images in memory.

    python generative_epoch.py gan|simclr IMAGES.idx3-ubyte[.gz] [STEPS] [THREADS]

The networks, batches, losses and optimizers are those of the presets; of both memory layouts, channels first and last, the faster
one counts. The generator's images are made once a step and serve both phases. For SimCLR the two views are changed by tensor
operations on the whole batch: a crop, a flip and brightness, as the preset has them. Prints seconds a step
(median of five groups) and what an epoch of 60,000 images would take.

    python generative_epoch.py gan IMAGES.idx3-ubyte[.gz] --train OUT.npy [--epochs 20] [--seed 1]

trains the generator instead, beginning as the preset does (weights N(0, 0.02), biases 0), and writes 10,000 images that it makes.
"""

import argparse
import gzip
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["gan", "simclr"])
parser.add_argument("images")
parser.add_argument("steps", type=int, nargs="?", default=20)
parser.add_argument("threads", type=int, nargs="?", default=2)
parser.add_argument("--train", metavar="OUT.npy")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--seed", type=int, default=1)
asked = parser.parse_args()
KIND, PATH, STEPS = asked.kind, asked.images, asked.steps
torch.set_num_threads(asked.threads)

opened = gzip.open(PATH) if PATH.endswith(".gz") else open(PATH, "rb")
IMAGES = torch.from_numpy(np.frombuffer(opened.read(), np.uint8)[16:].reshape(-1, 1, 28, 28).astype(np.float32) / 255)


def leaky():
    return nn.LeakyReLU(0.2, inplace=True)


class Gan:
    batch = 128

    def __init__(self, layout):
        self.layout = layout
        self.generator = nn.Sequential(
            nn.Linear(100, 6272), nn.Unflatten(1, (128, 7, 7)), nn.BatchNorm2d(128), nn.ReLU(True),
            nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(True), nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Sigmoid(),
        ).to(memory_format=layout)
        self.discriminator = nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1), leaky(), nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), leaky(), nn.Flatten(), nn.Linear(6272, 1),
        ).to(memory_format=layout)
        adam = lambda net: torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.of_d, self.of_g = adam(self.discriminator), adam(self.generator)

    def step(self, real):
        verdict = lambda logits, target: F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))
        made = self.generator(torch.randn(len(real), 100))
        self.of_d.zero_grad(set_to_none=True)
        (verdict(self.discriminator(real), 0.9) + verdict(self.discriminator(made.detach()), 0.0)).backward()
        self.of_d.step()
        self.of_g.zero_grad(set_to_none=True)
        # The discriminator's own gradients are not wanted in this phase.
        self.discriminator.requires_grad_(False)
        verdict(self.discriminator(made), 1.0).backward()
        self.discriminator.requires_grad_(True)
        self.of_g.step()


class Simclr:
    batch = 256

    def __init__(self, layout):
        self.layout = layout
        self.net = nn.Sequential(
            nn.Conv2d(1, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(True), nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.ReLU(True),
            nn.Conv2d(64, 128, 3, 2, 1), nn.BatchNorm2d(128), nn.ReLU(True), nn.Flatten(), nn.Linear(2048, 128),
            nn.Linear(128, 128), nn.ReLU(True), nn.Linear(128, 64),
        ).to(memory_format=layout)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def view(self, x):
        n = len(x)
        share = 0.7 + 0.3 * torch.rand(n)
        offset = (1 - share)[:, None] * (2 * torch.rand(n, 2) - 1)
        flip = 1 - 2 * (torch.rand(n) < 0.5).float()
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = share * flip, share, offset
        x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), padding_mode="border", align_corners=False)
        return (x * (1 + 0.4 * (2 * torch.rand(n, 1, 1, 1) - 1))).clamp(max=1)

    def step(self, x):
        both = torch.cat([self.view(x), self.view(x)]).contiguous(memory_format=self.layout)
        unit = F.normalize(self.net(both))
        similarities = (unit @ unit.T / 0.2).fill_diagonal_(-torch.inf)
        loss = F.cross_entropy(similarities, (torch.arange(len(both)) + len(x)) % len(both))
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()


def train_and_draw(epochs, seed, out):
    torch.manual_seed(seed)
    gan = Gan(torch.channels_last)
    for layer in [*gan.generator, *gan.discriminator]:
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            nn.init.zeros_(layer.bias)
    begun = time.perf_counter()
    for epoch in range(epochs):
        for rows in torch.randperm(len(IMAGES)).split(gan.batch):
            gan.step(IMAGES[rows].contiguous(memory_format=gan.layout))
        print(f"epoch {epoch + 1}: {time.perf_counter() - begun:.0f} s", flush=True)
    gan.generator.eval()
    with torch.no_grad():
        made = torch.cat([gan.generator(torch.randn(500, 100)) for _ in range(20)])
    np.save(out, made.flatten(1).numpy())


if asked.train:
    assert KIND == "gan"
    train_and_draw(asked.epochs, asked.seed, asked.train)
    raise SystemExit

best = float("inf")
for name, layout in [("channels first", torch.contiguous_format), ("channels last", torch.channels_last)]:
    torch.manual_seed(1)
    model = {"gan": Gan, "simclr": Simclr}[KIND](layout)
    batches = torch.randperm(60_000)[: 59_904 // model.batch * model.batch].split(model.batch)
    number, groups = 0, []
    for group in range(6):
        begun = time.perf_counter()
        for _ in range(3 if group == 0 else STEPS):
            model.step(IMAGES[batches[number % len(batches)]].contiguous(memory_format=layout))
            number += 1
        if group:
            groups.append((time.perf_counter() - begun) / STEPS)
    seconds = statistics.median(groups)
    best = min(best, seconds)
    print(f"{KIND}, {name}: {1e3 * seconds:.1f} ms a step, {seconds * 60_000 / model.batch:.1f} s for 60,000 images", flush=True)
print(f"best {best * 60_000 / model.batch:.2f} s an epoch (PyTorch {torch.__version__}, {torch.get_num_threads()} threads)")
