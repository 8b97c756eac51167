"""Prints the constants of kernels/src/vecmath/constants.rs: Chebyshev fits in 60 digits, then rounded to the type.

    python3 coefficients.py          (Python 3, mpmath 1.3)
"""
import struct
from mpmath import mp, mpf, chebyfit, log, polyval, sqrt, tanh

mp.dps = 60


def rounded(value, bits):
    """The nearest float of 32 or 64 bits, exactly, and its shortest decimal."""
    if bits == 64:
        return mpf(float(value)), repr(float(value))
    near = struct.unpack("f", struct.pack("f", float(value)))[0]
    for digits in range(1, 18):
        text = f"{near:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == near:
            return mpf(near), repr(float(text))


def table(name, f, low, high, terms, bits):
    fitted = chebyfit(f, [low, high], terms)
    pairs = [rounded(c, bits) for c in reversed(fitted)]
    worst = max(abs(polyval([p[0] for p in reversed(pairs)], low + (high - low) * i / 4000) - f(low + (high - low) * i / 4000))
                for i in range(4001) if low + (high - low) * i / 4000 != 0)
    print(f"// |error| <= {mp.nstr(worst, 2)} on [{mp.nstr(low, 6)}, {mp.nstr(high, 6)}]")
    print(f"const {name}: &[f{bits}] = &[{', '.join(p[1] for p in pairs)}];")


def tail_of_exp(r):
    """(e^r - 1 - r) / r^2."""
    return sum(r ** (k - 2) / mp.factorial(k) for k in range(2, 60))


def tail_of_atanh(z):
    """(2 atanh(s) - 2 s) / s^3 with z = s^2."""
    return sum(2 * z ** k / (2 * k + 3) for k in range(0, 60))


def tail_of_tanh(z):
    """(tanh(x) - x) / x^3 with z = x^2."""
    with mp.workdps(120):
        x = sqrt(mpf(z))
        return (tanh(x) - x) / x**3 if z > mpf(10) ** -40 else -mpf(1) / 3


for bits, exp_terms, ln_terms, tanh_terms, kept in ((32, 6, 4, 4, 24 - 9), (64, 11, 8, 10, 53 - 12)):
    half = log(mpf(2)) / 2 * mpf("1.0001")
    table("EXP", tail_of_exp, -half, half, exp_terms, bits)
    table("LN", tail_of_atanh, mpf(0), mpf("0.04"), ln_terms, bits)
    table("TANH", tail_of_tanh, mpf(0), mpf("0.1226"), tanh_terms, bits)
    scale = mpf(2) ** kept
    high = mp.floor(log(mpf(2)) * scale) / scale
    print(f"const LN2_HIGH: f{bits} = {rounded(high, bits)[1]};")
    assert rounded(high, bits)[0] == high
    print(f"const LN2_LOW: f{bits} = {rounded(log(mpf(2)) - high, bits)[1]};")
    print(f"const LOG2_E: f{bits} = {rounded(1 / log(mpf(2)), bits)[1]};")
