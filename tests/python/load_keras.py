"""A trained model of dense layers in Keras, held against the program's codes.

    python tests/python/load_keras.py RUN images.npy codes.npy
"""

import sys

import keras
import numpy as np
from safetensors.numpy import load_file

run = sys.argv[1]
# The loader.
weights = load_file(f"{run}/model.safetensors")
layers = [("encoder.0", "relu"), ("encoder.1", "tanh")]
sizes = [weights[f"{name}.weight"].shape for name, _ in layers]
encoder = keras.Sequential([keras.Input((sizes[0][0],))])
for (name, activation), (_, units) in zip(layers, sizes):
    encoder.add(keras.layers.Dense(units, activation=activation))
    encoder.layers[-1].set_weights([weights[f"{name}.weight"], weights[f"{name}.bias"]])
# Its end.
images, codes = (np.load(path) for path in sys.argv[2:4])
worst = np.abs(np.asarray(encoder(images)) - codes).max() / np.abs(codes).max()
print(f"Keras: {len(codes)} codes, largest difference {worst:.2e} of the largest element")
sys.exit(0 if worst <= 1e-5 else "the codes differ")
