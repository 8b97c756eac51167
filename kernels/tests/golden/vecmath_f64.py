"""Writes vecmath_f64.csv: f64 arguments, and the values of each function there in 60 digits.

    python3 vecmath_f64.py > vecmath_f64.csv          (Python 3, mpmath 1.3)

A line holds the function, the argument's bits, the bits of the nearest f64, and what the exact value exceeds that by, in units
in the last place of the exact value.
"""
import math
import random
import struct
from mpmath import mp, mpf

mp.dps = 60
POINTS = 1500


def bits(x):
    return f"{struct.unpack('>Q', struct.pack('>d', x))[0]:016x}"


def nearest(y):
    """float(mpf), which mpmath rounds wrongly among subnormals."""
    if y == 0:
        return 0.0
    exponent = max(int(mp.floor(mp.log(abs(y), 2))) - 52, -1074)
    return math.ldexp(int(mp.nint(y / mpf(2) ** exponent)), exponent), exponent


def line(name, x, y):
    if y == 0:
        return
    try:
        near, exponent = nearest(y)
    except OverflowError:
        return
    print(f"{name},{bits(x)},{bits(near)},{mp.nstr((y - mpf(near)) / mpf(2) ** exponent, 5)}")


def log_uniform(draw, low, high):
    return math.ldexp(1 + draw.random(), draw.randint(low, high - 1))


def arguments(name, draw):
    """Points of the whole range, of small arguments, and near the borders of the method's pieces."""
    signed = lambda x: x if draw.random() < 0.5 else -x
    for i in range(POINTS):
        kind = i % 5
        if name == "ln":
            yield [lambda: log_uniform(draw, -1022, 1023), lambda: draw.uniform(0.5, 2), lambda: 1 + signed(log_uniform(draw, -40, -2)),
                   lambda: log_uniform(draw, -1073, -1022), lambda: draw.uniform(0.7, 1.55)][kind]()
        elif name == "exp":
            yield [lambda: draw.uniform(-745, 709.7), lambda: draw.uniform(-1, 1), lambda: signed(log_uniform(draw, -60, 3)),
                   lambda: draw.uniform(-745, -708), lambda: (draw.randint(-60, 60) + 0.5) * math.log(2) + draw.gauss(0, 1e-3)][kind]()
        elif name == "exp_m1":
            yield [lambda: draw.uniform(-40, 709.7), lambda: draw.uniform(-1, 1), lambda: signed(log_uniform(draw, -1060, 3)),
                   lambda: draw.uniform(-3, 3), lambda: (draw.randint(-4, 4) + 0.5) * math.log(2) + draw.gauss(0, 1e-3)][kind]()
        elif name == "tanh":
            yield [lambda: draw.uniform(-22, 22), lambda: draw.uniform(-1, 1), lambda: signed(log_uniform(draw, -1060, 3)),
                   lambda: draw.uniform(-3, 3), lambda: (draw.randint(-4, 4) + 0.5) * math.log(2) / 2 + draw.gauss(0, 1e-3)][kind]()
        else:
            yield [lambda: draw.uniform(-745, 60), lambda: draw.uniform(-1, 1), lambda: signed(log_uniform(draw, -60, 3)),
                   lambda: draw.uniform(-8, 8), lambda: draw.uniform(-745, -708)][kind]()


def sigmoid(x):
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def softplus(x):
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


FUNCTIONS = {"exp": mp.exp, "exp_m1": mp.expm1, "ln": mp.log, "tanh": mp.tanh, "sigmoid": sigmoid, "softplus": softplus}

print("# mpmath", __import__("mpmath").__version__, "by vecmath_f64.py")
for seed, (name, f) in enumerate(FUNCTIONS.items()):
    draw = random.Random(seed)
    for x in arguments(name, draw):
        # Where 60 digits of 1 + eˣ would swallow eˣ, work in more.
        with mp.workdps(60 + int(abs(x)) if abs(x) < 800 else 60):
            line(name, x, f(mpf(x)))
