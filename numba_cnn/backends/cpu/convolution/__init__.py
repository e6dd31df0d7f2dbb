"""The algorithms of convolution, one a file: loops, blocking, packing."""
