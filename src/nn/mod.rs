//! Layers and models: parameters, initialisers, the autoencoder, its summary.
