"""Convolutional networks as Numba kernels: Keras's words, NumPy's arrays."""
