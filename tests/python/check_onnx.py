"""Compares exported models with the program on the same images.

    narrows export RUN --onnx --out DIR
    narrows encode RUN --images images.npy --out codes.npy
    narrows decode RUN codes.npy --out decoded.npy
    python tests/python/check_onnx.py DIR images.npy codes.npy decoded.npy

Needs onnxruntime and numpy. Fails when an element differs by more than 1e-5 of the largest of its array.
"""

import sys

import numpy as np
import onnxruntime

folder, (images, codes, decoded) = sys.argv[1], (np.load(path) for path in sys.argv[2:5])
wrong = []
for name, given, expected in [("encoder", images, codes), ("decoder", codes, decoded), ("autoencoder", images, decoded)]:
    session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", providers=["CPUExecutionProvider"])
    [found] = session.run(None, {session.get_inputs()[0].name: given})
    assert found.shape == expected.shape, (name, found.shape, expected.shape)
    worst = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"{name}: {len(found)} rows, largest difference {worst:.2e} of the largest element")
    if not worst <= 1e-5:
        wrong.append(name)
sys.exit(f"these differ by more than 1e-5: {wrong}" if wrong else 0)
