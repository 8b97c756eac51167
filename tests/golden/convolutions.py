"""Writes convolutions_pytorch.json and convolutions_keras.json: layers on images in f64, their outputs and gradients.

    python tests/golden/convolutions.py pytorch|keras

Numbers are made here, by a recurrence that the test repeats, so that the files hold results alone: for every case the output y
and the gradients of Σ y ∘ g by the input, the weight and the bias, where g is made too. Images are [batch, height, width,
channels], weights [height, width, in, out] (of transposed convolutions [height, width, out, in]), as narrows has them.
"""
import json
import sys
from pathlib import Path

import numpy as np

# kind, batch, height, width, channels, filters, kernel, stride, padding, output padding
CASES = [(kind, *rest) for kind, all_cases in {
    "conv": [
        (1, 1, 1, 1, 1, 1, 1, 0), (2, 5, 4, 3, 2, 1, 1, 0), (2, 7, 7, 1, 4, 3, 1, 1), (2, 6, 6, 3, 5, 3, 1, 0), (1, 8, 8, 2, 3, 5, 1, 2),
        (2, 8, 8, 3, 4, 3, 2, 1), (2, 9, 7, 2, 3, 3, 2, 0), (1, 3, 3, 2, 2, 5, 1, 2), (1, 10, 10, 1, 2, 2, 3, 0), (2, 6, 5, 17, 3, 3, 1, 1),
        (2, 5, 6, 3, 33, 3, 1, 1), (3, 4, 4, 4, 4, 2, 2, 0), (1, 7, 6, 2, 2, 4, 3, 1), (1, 12, 12, 1, 1, 3, 1, 1),
        (2, 4, 4, 3, 2, "same", 1), (2, 5, 5, 3, 2, "same", 2), (2, 6, 6, 1, 3, "same", 2), (1, 7, 8, 2, 2, "same", 3), (2, 9, 9, 2, 1, "valid", 2),
        (1, 14, 14, 3, 16, "same", 1), (1, 5, 5, 15, 2, "valid", 1), (2, 8, 6, 2, 4, "valid", 3), (1, 28, 28, 1, 4, "same", 1), (1, 3, 4, 8, 8, "same", 2),
    ],
    "transpose": [
        (1, 1, 1, 1, 1, 1, 1, 0, 0), (2, 3, 3, 4, 2, 3, 2, 1, 1), (2, 4, 3, 2, 3, 3, 2, 0, 0), (1, 5, 5, 1, 2, 2, 2, 0, 0), (2, 3, 4, 3, 1, 4, 2, 1, 0),
        (1, 4, 4, 2, 2, 3, 1, 1, 0), (1, 3, 3, 2, 2, 5, 3, 1, 2), (1, 6, 6, 1, 1, 3, 3, 0, 1), (2, 2, 2, 17, 3, 3, 2, 1, 1), (2, 2, 3, 3, 33, 3, 2, 1, 0),
        (1, 7, 5, 2, 2, 1, 2, 0, 1), (1, 3, 3, 5, 4, 4, 4, 0, 0),
        (2, 3, 3, 4, 2, "same", 2), (1, 6, 6, 2, 1, "same", 2), (2, 4, 4, 3, 2, "same", 1), (1, 3, 4, 2, 3, "same", 3), (1, 4, 4, 2, 2, "valid", 2),
        (2, 3, 3, 1, 1, "valid", 1), (1, 2, 5, 3, 2, "valid", 3), (1, 5, 5, 1, 4, "same", 2), (1, 3, 3, 16, 2, "same", 2), (1, 3, 3, 2, 17, "valid", 2),
        (1, 12, 12, 4, 1, "same", 2), (2, 2, 2, 2, 2, "same", 4),
    ],
}.items() for rest in all_cases]


# batch, height, width, channels, window, stride, padding
POOLS = [(2, 4, 4, 3, 2, 2, 0), (1, 7, 7, 2, 2, 2, 0), (2, 6, 5, 1, 3, 2, 1), (1, 5, 5, 17, 3, 1, 1), (3, 8, 8, 4, 2, 1, 0), (1, 9, 6, 2, 3, 3, 0),
         (2, 3, 3, 5, 3, 3, 0), (1, 10, 10, 1, 4, 2, 2), (1, 6, 6, 33, 2, 2, 0), (2, 5, 7, 2, 1, 2, 0), (1, 12, 12, 3, 5, 3, 2), (4, 2, 2, 2, 2, 2, 0)]
# shape of the input, last dimension the channels
NORMS = [(8, 3), (4, 1), (5, 17), (3, 4, 4, 2), (2, 3, 5, 1), (1, 6, 6, 7), (4, 2, 2, 33), (16, 5), (2, 7, 7, 3), (6, 1, 1, 4), (3, 5, 2, 8), (10, 16)]


def numbers(count, state):
    """Uniform in [-1, 1): the upper 53 bits of a linear congruential generator modulo 2⁶⁴ (Knuth's MMIX)."""
    out = np.empty(count)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out[i] = (state >> 11) / 2**52 - 1.0
    return out


def main(framework):
    results = []
    for index, case in enumerate(CASES):
        kind, batch, height, width, channels, filters, *rest = case
        is_keras = isinstance(rest[0], str)
        if is_keras != (framework == "keras"):
            continue
        kernel, stride = (3, rest[1]) if is_keras else (rest[0], rest[1])
        padding = rest[0] if is_keras else rest[2]
        more = rest[3] if len(rest) > 3 else 0
        x = numbers(batch * height * width * channels, 4 * index + 1).reshape(batch, height, width, channels)
        shape = (kernel, kernel, channels, filters) if kind == "conv" else (kernel, kernel, filters, channels)
        w, b = numbers(int(np.prod(shape)), 4 * index + 2).reshape(shape), numbers(filters, 4 * index + 3)
        y, gradients = (keras if is_keras else pytorch)(kind, x, w, b, stride, padding, more, 4 * index + 4)
        results.append({
            "index": index, "kind": kind, "image": [batch, height, width, channels], "filters": filters, "kernel": kernel,
            "stride": stride, "padding": padding, "output_padding": more, "output": list(y.shape),
            "y": y.ravel().tolist(), "gradients": [g.ravel().tolist() for g in gradients],
        })
    pools = [pool(framework, 1000 + 4 * i, *case) for i, case in enumerate(POOLS) if framework == "pytorch" or case[6] == 0]
    norms = [norm(framework, 2000 + 16 * i, shape) for i, shape in enumerate(NORMS)]
    version = __import__("tensorflow" if framework == "keras" else "torch").__version__
    if framework == "keras":
        version = f"Keras {__import__('keras').__version__} on TensorFlow {version}"
    else:
        version = f"PyTorch {version}"
    path = Path(__file__).with_name(f"convolutions_{framework}.json")
    path.write_text(json.dumps({"origin": version + ", float64", "cases": results, "pools": pools, "norms": norms}) + "\n")
    print(path, len(results), version)


def pytorch(kind, x, w, b, stride, padding, more, seed):
    import torch

    x, w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, w, b))
    images = x.permute(0, 3, 1, 2)
    if kind == "conv":
        y = torch.nn.functional.conv2d(images, w.permute(3, 2, 0, 1).contiguous(), b, stride, padding)
    else:
        y = torch.nn.functional.conv_transpose2d(images, w.permute(3, 2, 0, 1).contiguous(), b, stride, padding, more)
    y = y.permute(0, 2, 3, 1)
    g = torch.tensor(numbers(y.numel(), seed).reshape(tuple(y.shape)))
    (y * g).sum().backward()
    return y.detach().numpy(), [v.grad.numpy() for v in (x, w, b)]


def keras(kind, x, w, b, stride, padding, more, seed):
    import tensorflow as tf
    from tensorflow import keras

    keras.backend.set_floatx("float64")
    of = keras.layers.Conv2D if kind == "conv" else keras.layers.Conv2DTranspose
    layer = of(b.size, w.shape[0], strides=stride, padding=padding)
    x = tf.constant(x)
    layer.build(x.shape)
    layer.set_weights([w, b])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        g = tf.constant(numbers(int(np.prod(y.shape)), seed).reshape(y.shape))
        loss = tf.reduce_sum(y * g)
    gradients = tape.gradient(loss, [x, *layer.trainable_variables])
    return y.numpy(), [tf.convert_to_tensor(v).numpy() for v in gradients]


def pool(framework, seed, batch, height, width, channels, window, stride, padding):
    """The largest of each window, and the gradient of Σ y ∘ g."""
    x = numbers(batch * height * width * channels, seed).reshape(batch, height, width, channels)
    if framework == "pytorch":
        import torch

        x = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.max_pool2d(x.permute(0, 3, 1, 2), window, stride, padding).permute(0, 2, 3, 1)
        (y * torch.tensor(numbers(y.numel(), seed + 1).reshape(tuple(y.shape)))).sum().backward()
        y, gradient = y.detach().numpy(), x.grad.numpy()
    else:
        import tensorflow as tf
        from tensorflow import keras

        keras.backend.set_floatx("float64")
        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = keras.layers.MaxPooling2D(window, stride, "valid")(x)
            loss = tf.reduce_sum(y * numbers(int(np.prod(y.shape)), seed + 1).reshape(y.shape))
        y, gradient = y.numpy(), tape.gradient(loss, x).numpy()
    return {"seed": seed, "image": [batch, height, width, channels], "window": window, "stride": stride, "padding": padding,
            "output": list(y.shape), "y": y.ravel().tolist(), "gradient": gradient.ravel().tolist()}


def norm(framework, seed, shape):
    """Three training steps of a batch normalisation on different inputs: what the last gives, its gradients by input, weight and
    bias, the running statistics after each, and what the layer then gives for the last input when it does not train."""
    channels, running = shape[-1], []
    w, b = numbers(channels, seed), numbers(channels, seed + 1)
    inputs = [2.0 * numbers(int(np.prod(shape)), seed + 2 + step).reshape(shape) + 0.5 for step in range(3)]
    g = numbers(int(np.prod(shape)), seed + 5).reshape(shape)
    if framework == "pytorch":
        import torch

        layer = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(channels, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(w))
            layer.bias.copy_(torch.tensor(b))
        first = lambda v: v.permute(0, 3, 1, 2) if v.dim() == 4 else v
        last = lambda v: v.permute(0, 2, 3, 1) if v.dim() == 4 else v
        for x in inputs:
            x = torch.tensor(x, requires_grad=True)
            y = last(layer(first(x)))
            running.append([layer.running_mean.tolist(), layer.running_var.tolist()])
        (y * torch.tensor(g)).sum().backward()
        gradients = [x.grad.numpy(), layer.weight.grad.numpy(), layer.bias.grad.numpy()]
        y = y.detach().numpy()
        layer.eval()
        inferred = last(layer(first(x))).detach().numpy()
    else:
        import tensorflow as tf
        from tensorflow import keras

        keras.backend.set_floatx("float64")
        layer = keras.layers.BatchNormalization()
        layer.build(shape)
        layer.set_weights([w, b, np.zeros(channels), np.ones(channels)])
        for x in inputs:
            x = tf.constant(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
                loss = tf.reduce_sum(y * g)
            running.append([v.numpy().tolist() for v in (layer.moving_mean.value, layer.moving_variance.value)])
        gradients = [tf.convert_to_tensor(v).numpy() for v in tape.gradient(loss, [x, *layer.trainable_variables])]
        inferred, y = layer(x, training=False).numpy(), y.numpy()
    return {"seed": seed, "shape": list(shape), "y": y.ravel().tolist(), "gradients": [v.ravel().tolist() for v in gradients],
            "running": running, "inferred": inferred.ravel().tolist()}


main(sys.argv[1])
