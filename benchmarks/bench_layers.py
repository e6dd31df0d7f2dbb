"""Every layer that has no benchmark of its own: in inference, in training, and its gradient."""

import numpy as np

from numba_cnn import layers

from . import workloads

IMAGES, SIGNALS, ROWS = (8, 32, 32, 32), (8, 1024, 32), (256, 512)
# Settings, and the shapes of what a layer is given.
LAYERS = {
    "Activation": ({"activation": "gelu"}, [IMAGES]),
    "ActivityRegularization": ({"l2": 0.1}, [IMAGES]),
    "Add": ({}, [IMAGES, IMAGES]),
    "AlphaDropout": ({"rate": 0.5}, [IMAGES]),
    "Average": ({}, [IMAGES, IMAGES]),
    "AveragePooling1D": ({}, [SIGNALS]),
    "BatchNormalization": ({}, [IMAGES]),
    "CenterCrop": ({"height": 28, "width": 28}, [IMAGES]),
    "Concatenate": ({}, [IMAGES, IMAGES]),
    "Conv1D": ({"filters": 32, "kernel_size": 3}, [SIGNALS]),
    "Conv1DTranspose": ({"filters": 32, "kernel_size": 3, "strides": 2}, [SIGNALS]),
    "Conv2DTranspose": ({"filters": 32, "kernel_size": 3, "strides": 2}, [IMAGES]),
    "Cropping1D": ({}, [SIGNALS]),
    "Cropping2D": ({"cropping": 2}, [IMAGES]),
    "DepthwiseConv1D": ({"kernel_size": 3}, [SIGNALS]),
    "DepthwiseConv2D": ({"kernel_size": 3}, [IMAGES]),
    "Dot": ({"axes": -1, "normalize": True}, [ROWS, ROWS]),
    "Dropout": ({"rate": 0.5}, [IMAGES]),
    "ELU": ({}, [IMAGES]),
    "Flatten": ({}, [IMAGES]),
    "GaussianDropout": ({"rate": 0.5}, [IMAGES]),
    "GaussianNoise": ({"stddev": 0.1}, [IMAGES]),
    "GlobalAveragePooling1D": ({}, [SIGNALS]),
    "GlobalAveragePooling2D": ({}, [IMAGES]),
    "GlobalMaxPooling1D": ({}, [SIGNALS]),
    "GlobalMaxPooling2D": ({}, [IMAGES]),
    "GroupNormalization": ({"groups": 8}, [IMAGES]),
    "LayerNormalization": ({}, [IMAGES]),
    "LeakyReLU": ({}, [IMAGES]),
    "MaxPooling1D": ({}, [SIGNALS]),
    "Maximum": ({}, [IMAGES, IMAGES]),
    "Minimum": ({}, [IMAGES, IMAGES]),
    "Multiply": ({}, [IMAGES, IMAGES]),
    "Normalization": ({"mean": 0.5, "variance": 2.0}, [IMAGES]),
    "PReLU": ({"shared_axes": [1, 2]}, [IMAGES]),
    "Permute": ({"dims": (3, 1, 2)}, [IMAGES]),
    "RandomBrightness": ({"factor": 0.2, "value_range": (0, 1)}, [IMAGES]),
    "RandomContrast": ({"factor": 0.2, "value_range": (0, 1)}, [IMAGES]),
    "RandomCrop": ({"height": 28, "width": 28}, [IMAGES]),
    "RandomFlip": ({}, [IMAGES]),
    "RandomRotation": ({"factor": 0.1}, [IMAGES]),
    "RandomTranslation": ({"height_factor": 0.1, "width_factor": 0.1}, [IMAGES]),
    "RandomZoom": ({"height_factor": 0.1}, [IMAGES]),
    "ReLU": ({"max_value": 6.0}, [IMAGES]),
    "RepeatVector": ({"n": 8}, [ROWS]),
    "Rescaling": ({"scale": 1 / 255}, [IMAGES]),
    "Reshape": ({"target_shape": (64, -1)}, [IMAGES]),
    "Resizing": ({"height": 48, "width": 48}, [IMAGES]),
    "SeparableConv1D": ({"filters": 32, "kernel_size": 3}, [SIGNALS]),
    "SeparableConv2D": ({"filters": 32, "kernel_size": 3}, [IMAGES]),
    "Softmax": ({}, [IMAGES]),
    "SpatialDropout1D": ({"rate": 0.5}, [SIGNALS]),
    "SpatialDropout2D": ({"rate": 0.5}, [IMAGES]),
    "Subtract": ({}, [IMAGES, IMAGES]),
    "UnitNormalization": ({}, [IMAGES]),
    "UpSampling1D": ({}, [SIGNALS]),
    "UpSampling2D": ({"interpolation": "bilinear"}, [IMAGES]),
    "ZeroPadding1D": ({}, [SIGNALS]),
    "ZeroPadding2D": ({}, [IMAGES]),
}
STEP = 1e-3


class Layers:
    params = (list(LAYERS),)
    param_names = ("layer",)
    timeout = 300

    def setup(self, layer):
        settings, given = LAYERS[layer]
        self.layer = getattr(layers, layer)(**settings)
        self.xs = [workloads.array(*shape) for shape in given]
        y = self.layer(self.xs if len(given) > 1 else self.xs[0])
        self.need = [(True,) * len(given)] if self.layer.arity is None else []
        _, self.backward = self.layer.forward(*self.xs)
        self.dy = workloads.array(*y.shape)
        made = self.layer.forward(*self.xs)[0]
        assert np.isfinite(made).all()
        assert made.shape == y.shape or "Random" in layer
        if np.array_equal(made, self.layer.forward(*self.xs)[0]):  # nothing is drawn
            self._prove()

    def _prove(self):
        """A step along any direction changes what comes out as the gradients say."""
        directions = [workloads.array(*x.shape) for x in self.xs]
        up, down = (
            self.layer.forward(
                *(x + sign * STEP * d for x, d in zip(self.xs, directions, strict=True))
            )[0]
            for sign in (1, -1)
        )
        numeric = ((up.astype(np.float64) - down) * self.dy).sum() / (2 * STEP)
        gradients = self.backward(self.dy, *self.need)
        gradients = gradients if self.need else [gradients]
        exact = sum(
            (g.astype(np.float64) * d).sum() for g, d in zip(gradients, directions, strict=True)
        )
        size = sum(np.linalg.norm(g) for g in gradients)
        np.testing.assert_allclose(numeric, exact, atol=0.05 * size)

    def time_inference(self, layer):
        self.layer.call(*self.xs)

    def time_training(self, layer):
        self.layer.forward(*self.xs)

    def time_backward(self, layer):
        self.backward(self.dy, *self.need)
