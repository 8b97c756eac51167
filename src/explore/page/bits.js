// The program's arithmetic: every function gives the bits that its kernels give.

// A sum, product or quotient of two f32 that is taken in f64 and rounded to f32 is the f32 one: f64 has more than twice the bits.
const f32 = Math.fround;
const wide = new Float64Array(1);
const wideWords = new Int32Array(wide.buffer);
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

// The lower word of an f64 stands first, as on every machine that a browser runs on.
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new Error("this page computes on little-endian machines only");

const SMALLEST_NORMAL = 2 ** -126;

/**
 * fround(product + addend) with one rounding, given `sum`, the same in f64. Needed where a second rounding could do harm: the sum
 * lies in the middle between two f32, or is below the normal ones. There the sum is rounded to odd first (Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
 */
function roundOnce(product, addend, sum) {
  // What the f64 sum lost, exactly (Knuth's TwoSum).
  const part = sum - product;
  const lost = (product - (sum - part)) + (addend - part);
  if (lost === 0 || lost !== lost) return f32(sum);
  wide[0] = sum;
  if ((wideWords[0] & 1) === 0) {
    if (lost > 0 === sum > 0) {
      wideWords[0] |= 1;
    } else {
      if (wideWords[0] === 0) wideWords[1] -= 1;
      wideWords[0] -= 1;
    }
  }
  return f32(wide[0]);
}

/** a·b + c with one rounding. The product of two f32 is exact in f64. */
function fma(a, b, c) {
  const product = a * b, sum = product + c;
  wide[0] = sum;
  if ((wideWords[0] & 0x1fffffff) === 0x10000000 || (sum < SMALLEST_NORMAL && sum > -SMALLEST_NORMAL)) {
    return roundOnce(product, c, sum);
  }
  return f32(sum);
}

/**
 * out[at + j] = the chain fma(row[0], weight[j·depth], 0), fma(row[1], weight[j·depth + 1], …), … for `count` values of j. Four
 * chains go side by side, because each waits for its own last step; `fma` is written out in them.
 */
function chains(row, weight, depth, count, out, at) {
  const sums = wide, words = wideWords;
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    let c0 = 0, c1 = 0, c2 = 0, c3 = 0;
    const w0 = j * depth, w1 = w0 + depth, w2 = w1 + depth, w3 = w2 + depth;
    for (let k = 0; k < depth; k++) {
      const x = row[k];
      const p0 = x * weight[w0 + k], s0 = p0 + c0;
      sums[0] = s0;
      c0 = (words[0] & 0x1fffffff) === 0x10000000 || (s0 < SMALLEST_NORMAL && s0 > -SMALLEST_NORMAL)
        ? roundOnce(p0, c0, s0) : f32(s0);
      const p1 = x * weight[w1 + k], s1 = p1 + c1;
      sums[0] = s1;
      c1 = (words[0] & 0x1fffffff) === 0x10000000 || (s1 < SMALLEST_NORMAL && s1 > -SMALLEST_NORMAL)
        ? roundOnce(p1, c1, s1) : f32(s1);
      const p2 = x * weight[w2 + k], s2 = p2 + c2;
      sums[0] = s2;
      c2 = (words[0] & 0x1fffffff) === 0x10000000 || (s2 < SMALLEST_NORMAL && s2 > -SMALLEST_NORMAL)
        ? roundOnce(p2, c2, s2) : f32(s2);
      const p3 = x * weight[w3 + k], s3 = p3 + c3;
      sums[0] = s3;
      c3 = (words[0] & 0x1fffffff) === 0x10000000 || (s3 < SMALLEST_NORMAL && s3 > -SMALLEST_NORMAL)
        ? roundOnce(p3, c3, s3) : f32(s3);
    }
    out[at + j] = c0;
    out[at + j + 1] = c1;
    out[at + j + 2] = c2;
    out[at + j + 3] = c3;
  }
  for (; j < count; j++) {
    let chain = 0;
    for (let k = 0; k < depth; k++) chain = fma(row[k], weight[j * depth + k], chain);
    out[at + j] = chain;
  }
}

// Coefficients and limits of the program's functions, as its kernels document them: lowest order first.
const EXP = [0.5, 0.16666667, 0.041666467, 0.0083333105, 0.001393365, 0.00019890991].map(f32);
const LN = [0.6666667, 0.4000031, 0.28532743, 0.23747344].map(f32);
const TANH = [-0.3333333, 0.13332963, -0.053815704, 0.019836433].map(f32);
const LN2_HIGH = f32(0.69314575), LN2_LOW = f32(1.4286068e-6), LOG2_E = f32(Math.LOG2E);

function polynomial(coefficients, x) {
  let sum = coefficients[coefficients.length - 1];
  for (let i = coefficients.length - 2; i >= 0; i--) sum = fma(sum, x, coefficients[i]);
  return sum;
}

// Of two numbers the first where it is the larger (smaller) one, so that NaN as the second stays.
const largerOf = (a, b) => (a > b ? a : b);
const smallerOf = (a, b) => (a < b ? a : b);

/** The nearest integer, of two the even one; zero keeps the sign. Adding 1.5·2⁵² leaves an f64 no room for fractions. */
function round(x) {
  const rounded = x + 6755399441055744 - 6755399441055744;
  return rounded === 0 ? x * 0 : rounded;
}

/** 2ⁿ of an integer in the range of normal exponents. */
function pow2(n) {
  singleBits[0] = (n + 127) << 23;
  return single[0];
}

function expBelowOverflow(x) {
  x = largerOf(-104, x);
  const k = round(f32(x * LOG2_E));
  const r = fma(-k, LN2_LOW, fma(-k, LN2_HIGH, x));
  const p = fma(f32(r * r), polynomial(EXP, r), r);
  const first = round(f32(k * 0.5));
  return f32(f32(f32(1 + p) * pow2(first)) * pow2(f32(k - first)));
}

const exp = (x) => expBelowOverflow(smallerOf(89, x));
const expMinusAbs = (x) => expBelowOverflow(-Math.abs(x));

function expM1Within(x) {
  const k = round(f32(x * LOG2_E));
  const hi = fma(-k, LN2_HIGH, x);
  const low = f32(k * LN2_LOW);
  const r = f32(hi - low);
  const rError = f32(f32(hi - r) - low);
  const tail = fma(f32(r * r), polynomial(EXP, r), rError);
  const p = f32(r + tail);
  const pError = f32(tail - f32(p - r));
  const scale = pow2(k - 1);
  const half = fma(scale, pError, fma(scale, p, f32(scale - 0.5)));
  return Math.abs(x) < 2 ** -25 ? x : f32(half + half);
}

const expM1 = (x) => expM1Within(largerOf(-20, smallerOf(89, x)));

function lnOfParts(e, f) {
  const s = f32(f / f32(2 + f));
  const z = f32(s * s);
  const halfSquare = f32(f32(f * f) * 0.5);
  const small = fma(s, fma(z, polynomial(LN, z), halfSquare), f32(e * LN2_LOW));
  return fma(e, LN2_HIGH, f32(f - f32(halfSquare - small)));
}

function ln(x) {
  if (x <= 0 || !(x < Infinity)) return x === 0 ? -Infinity : x < 0 ? NaN : x;
  const subnormal = x < SMALLEST_NORMAL;
  single[0] = subnormal ? f32(x * 8388608) : x;
  let e = (singleBits[0] >> 23) - 127 - (subnormal ? 23 : 0);
  singleBits[0] = (singleBits[0] & 0x7fffff) | (127 << 23);
  let m = single[0];
  if (m >= 1.5) {
    m *= 0.5;
    e += 1;
  }
  return lnOfParts(e, f32(m - 1));
}

const ln1pUnit = (u) => (u > 0.5 ? lnOfParts(1, f32(f32(u - 1) * 0.5)) : lnOfParts(0, u));

function tanh(x) {
  const magnitude = Math.abs(x);
  let y;
  if (magnitude < f32(0.35)) {
    const z = f32(x * x);
    y = fma(f32(z * polynomial(TANH, z)), magnitude, magnitude);
  } else {
    const q = expM1Within(smallerOf(20, f32(magnitude + magnitude)));
    y = f32(q / f32(q + 2));
  }
  return x < 0 || Object.is(x, -0) ? -y : y;
}

function sigmoid(x) {
  const e = expMinusAbs(x);
  const denominator = f32(1 + e);
  const lost = f32(e - f32(denominator - 1));
  const y = f32((x < 0 ? e : 1) / denominator);
  return fma(-f32(y * lost), largerOf(y, f32(1 - y)), y);
}

const softplus = (x) => f32(largerOf(0, x) + ln1pUnit(expMinusAbs(x)));

/** The function of an activation [name, number]. */
function activation([name, number]) {
  const named = {
    linear: null,
    relu: (x) => largerOf(0, x),
    "leaky-relu": (x) => (x > 0 ? x : f32(number * x)),
    elu: (x) => (x > 0 ? x : f32(number * expM1(x))),
    tanh, sigmoid, softplus,
  };
  if (!(name in named)) throw new Error(`this page cannot compute the activation ${name}`);
  return named[name];
}
