// Layers, in the order of every sum that the program has. A sample is a Float32Array, images [height, width, channels].

/** Rows and columns exchanged: [rows, cols] → [cols, rows]. */
function transposed(matrix, rows, cols) {
  const out = new Float32Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = matrix[i * cols + j];
  return out;
}

/** out[i] = activation(out[i] + bias[i mod channels]). */
function finish(out, bias, activate) {
  const channels = bias.length;
  for (let i = 0, j = 0; i < out.length; i++, j = j + 1 === channels ? 0 : j + 1) {
    const sum = f32(out[i] + bias[j]);
    out[i] = activate ? activate(sum) : sum;
  }
}

/** Each layer by its kind: a function of its description and of the weights that gives a function from sample to sample. */
const LAYERS = {
  dense({ weight: [at, inputs, outputs], bias, activation: named }, tensor) {
    const weight = transposed(tensor(at, inputs * outputs), inputs, outputs);
    const offsets = tensor(bias, outputs), activate = activation(named);
    return (x) => {
      const out = new Float32Array(outputs);
      chains(x, weight, inputs, outputs, out, 0);
      finish(out, offsets, activate);
      return out;
    };
  },

  // One chain for an element: kernel rows, kernel columns, channels, ascending; what is outside of the image is zero.
  conv({ image: [height, width, reads], output: [rows, cols, writes], kernel, stride, padding, weight, bias, activation: named }, tensor) {
    const depth = kernel[0] * kernel[1] * reads;
    const weights = transposed(tensor(weight, depth * writes), depth, writes);
    const offsets = tensor(bias, writes), activate = activation(named);
    const patch = new Float32Array(depth);
    return (x) => {
      const out = new Float32Array(rows * cols * writes);
      for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
        let to = 0;
        for (let t = 0; t < kernel[0]; t++) for (let u = 0; u < kernel[1]; u++, to += reads) {
          copyPixel(x, i * stride[0] + t - padding[0], j * stride[1] + u - padding[1], height, width, reads, patch, to);
        }
        chains(patch, weights, depth, writes, out, (i * cols + j) * writes);
      }
      finish(out, offsets, activate);
      return out;
    };
  },

  // The derivative of a convolution by its images: `image` is what it writes, `output` what it reads. A pixel takes part in the
  // kernel rows and columns that leave its own remainder by the stride.
  "conv-transpose"({ image: [rows, cols, writes], output: [height, width, reads], kernel, stride, padding, weight, bias, activation: named }, tensor) {
    const taps = (dim, remainder) => [...Array(kernel[dim]).keys()].filter((tap) => tap % stride[dim] === remainder);
    const all = tensor(weight, kernel[0] * kernel[1] * reads * writes);
    const phase = (row, col) => {
      const [down, across] = [taps(0, row), taps(1, col)];
      const parts = down.flatMap((t) => across.map((u) => {
        const from = (t * kernel[1] + u) * reads * writes;
        return all.subarray(from, from + reads * writes);
      }));
      const depth = parts.length * reads, weights = new Float32Array(depth * writes);
      parts.forEach((part, tap) => {
        for (let c = 0; c < writes; c++) weights.set(part.subarray(c * reads, (c + 1) * reads), c * depth + tap * reads);
      });
      return { down, across, depth, weights, patch: new Float32Array(depth) };
    };
    const phases = [...Array(stride[0]).keys()].map((row) => [...Array(stride[1]).keys()].map((col) => phase(row, col)));
    const offsets = tensor(bias, writes), activate = activation(named);
    return (x) => {
      const out = new Float32Array(rows * cols * writes);
      for (let h = 0; h < rows; h++) for (let w = 0; w < cols; w++) {
        const [i, j] = [h + padding[0], w + padding[1]];
        const { down, across, depth, weights, patch } = phases[i % stride[0]][j % stride[1]];
        let to = 0;
        for (const t of down) for (const u of across) {
          copyPixel(x, (i - t) / stride[0], (j - u) / stride[1], height, width, reads, patch, to);
          to += reads;
        }
        chains(patch, weights, depth, writes, out, (h * cols + w) * writes);
      }
      finish(out, offsets, activate);
      return out;
    };
  },

  // The largest of a window; what is outside of the image is left out.
  "max-pool"(of) {
    return overWindows(of, -Infinity, (best, x) => (!(x <= best) && best === best ? x : best), 1);
  },

  // The scaled sum over a window: mean pooling, and a border of zeros as windows of one pixel.
  "sum-pool"(of) {
    return overWindows(of, 0, (sum, x) => f32(sum + x), of.scale);
  },

  upsample({ output: [height, width, channels], factor }) {
    return (x) => {
      const out = new Float32Array(height * width * channels * factor * factor);
      for (let i = 0, to = 0; i < height * factor; i++) for (let j = 0; j < width * factor; j++, to += channels) {
        const from = (Math.floor(i / factor) * width + Math.floor(j / factor)) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = x[from + c];
      }
      return out;
    };
  },

  // activation(γ · (x − μ) / √(σ² + ε) + β), the root by exp(−½ ln).
  "batch-norm"({ channels, weight, bias, mean, variance, epsilon, activation: named }, tensor) {
    const [gamma, beta, mu, sigma] = [weight, bias, mean, variance].map((at) => tensor(at, channels));
    const factor = gamma.map((weight, c) => f32(exp(f32(ln(f32(sigma[c] + epsilon)) * -0.5)) * weight));
    const activate = activation(named);
    return (x) => x.map((value, i) => {
      const c = i % channels, normal = f32(f32(f32(value + -mu[c]) * factor[c]) + beta[c]);
      return activate ? activate(normal) : normal;
    });
  },

  activation({ activation: named }) {
    const activate = activation(named);
    return (x) => x.map(activate);
  },
};

/** Copies the channels of a pixel, zeros where it is outside. */
function copyPixel(x, row, col, height, width, channels, patch, to) {
  if (row < 0 || row >= height || col < 0 || col >= width) {
    patch.fill(0, to, to + channels);
    return;
  }
  const from = (row * width + col) * channels;
  for (let c = 0; c < channels; c++) patch[to + c] = x[from + c];
}

function overWindows({ image: [height, width, channels], output: [rows, cols], window, stride, padding }, first, next, scale) {
  return (x) => {
    const out = new Float32Array(rows * cols * channels).fill(first);
    for (let i = 0, to = 0; i < rows; i++) for (let j = 0; j < cols; j++, to += channels) {
      for (let t = 0; t < window[0]; t++) for (let u = 0; u < window[1]; u++) {
        const [row, col] = [i * stride[0] + t - padding[0], j * stride[1] + u - padding[1]];
        if (row < 0 || row >= height || col < 0 || col >= width) continue;
        const from = (row * width + col) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = next(out[to + c], x[from + c]);
      }
      if (scale !== 1) for (let c = 0; c < channels; c++) out[to + c] = f32(out[to + c] * scale);
    }
    return out;
  };
}

/** The layers one after the other; offsets of their tensors count from `start` in `weights`. */
function sequence(layers, weights, start) {
  const tensor = (at, length) => weights.subarray(at - start, at - start + length);
  const functions = layers.map((layer) => LAYERS[layer.kind](layer, tensor));
  return (x) => functions.reduce((value, layer) => layer(value), x);
}
