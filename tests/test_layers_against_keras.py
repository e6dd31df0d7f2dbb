"""Every layer beside Keras's own: outputs, gradients, what training changes, configuration, signature."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numba_cnn import layers

pytestmark = pytest.mark.xdist_group("layers against keras")  # one process asks Keras, once

IMAGES = (3, 6, 5, 4)
ROWS = (5, 7)
STEPS = (3, 9, 4)
# name -> (class, settings, shapes of the inputs, whether in training)
CASES = {
    "relu": ("ReLU", {"max_value": 1.5, "negative_slope": 0.1, "threshold": 0.3}, [IMAGES], False),
    "leaky relu": ("LeakyReLU", {"negative_slope": 0.2}, [IMAGES], False),
    "elu": ("ELU", {"alpha": 0.7}, [IMAGES], False),
    "softmax": ("Softmax", {}, [ROWS], False),
    "softmax of pixels": ("Softmax", {}, [IMAGES], False),
    **{
        f"activation {name}": ("Activation", {"activation": name}, [ROWS], False)
        for name in (
            "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
            "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
            "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh",
            "tanh_shrink",
        )
    },
    "dense sigmoid": ("Dense", {"units": 3, "activation": "sigmoid"}, [ROWS], False),
    "dense softmax": ("Dense", {"units": 3, "activation": "softmax"}, [ROWS], False),
    "conv2d gelu": (
        "Conv2D", {"filters": 5, "kernel_size": 3, "activation": "gelu", "padding": "same"}, [IMAGES], False),
    "conv2d elu": ("Conv2D", {"filters": 5, "kernel_size": 2, "activation": "elu", "strides": 2}, [IMAGES], False),
    "batch norm": ("BatchNormalization", {}, [IMAGES], True),
    "batch norm of rows": ("BatchNormalization", {"momentum": 0.9, "epsilon": 0.01}, [ROWS], True),
    "batch norm, inference": ("BatchNormalization", {}, [IMAGES], False),
    "batch norm without scale": ("BatchNormalization", {"scale": False}, [IMAGES], True),
    "batch norm without center": ("BatchNormalization", {"center": False}, [IMAGES], True),
    "average pooling": ("AveragePooling2D", {"pool_size": 2}, [IMAGES], False),
    "average pooling, same": (
        "AveragePooling2D", {"pool_size": (3, 2), "strides": 2, "padding": "same"}, [IMAGES], False,
    ),
    "to a size, average": ("AdaptiveAveragePooling2D", {"output_size": (2, 3)}, [IMAGES], False),
    "to a larger size, average": ("AdaptiveAveragePooling2D", {"output_size": 9}, [IMAGES], False),
    "to a size, maximum": ("AdaptiveMaxPooling2D", {"output_size": (3, 2)}, [IMAGES], False),
    "to a length, average": ("AdaptiveAveragePooling1D", {"output_size": 4}, [STEPS], False),
    "to a length, maximum": ("AdaptiveMaxPooling1D", {"output_size": 4}, [STEPS], False),
    "global average": ("GlobalAveragePooling2D", {}, [IMAGES], False),
    "global average, kept": ("GlobalAveragePooling2D", {"keepdims": True}, [IMAGES], False),
    "global maximum": ("GlobalMaxPooling2D", {}, [IMAGES], False),
    "reshape": ("Reshape", {"target_shape": (5, -1)}, [IMAGES], False),
    "zero padding": ("ZeroPadding2D", {"padding": ((1, 2), (0, 3))}, [IMAGES], False),
    "cropping": ("Cropping2D", {"cropping": ((1, 2), (0, 3))}, [IMAGES], False),
    "up nearest": ("UpSampling2D", {"size": (2, 3)}, [IMAGES], False),
    "up bilinear": ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, [IMAGES], False),
    "rescaling": ("Rescaling", {"scale": 0.25, "offset": -1.0}, [IMAGES], False),
    "dense of images": ("Dense", {"units": 3, "activation": "relu"}, [IMAGES], False),
    "depthwise": ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}, [IMAGES], False),
    "depthwise, two each": (
        "DepthwiseConv2D", {"kernel_size": (3, 2), "depth_multiplier": 2, "activation": "relu"}, [IMAGES], False,
    ),
    "separable": ("SeparableConv2D", {"filters": 5, "kernel_size": 3, "activation": "relu"}, [IMAGES], False),
    "separable, strided": (
        "SeparableConv2D", {"filters": 3, "kernel_size": 2, "strides": 2, "depth_multiplier": 2}, [IMAGES], False,
    ),
    "transposed": ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "activation": "relu"}, [IMAGES], False),
    "transposed, same": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
        [IMAGES], False,
    ),
    "transposed, small": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": 2, "strides": 3, "activation": "sigmoid"}, [IMAGES], False,
    ),
    **{
        f"transposed, {padding} {size} by {strides} and {beyond}": (
            "Conv2DTranspose",
            {"filters": 3, "kernel_size": size, "strides": strides, "padding": padding, "output_padding": beyond},
            [IMAGES], False)
        for padding in ("valid", "same")
        for size, strides, beyond in (
            ([3, 4], 2, 1), ([1, 2], 2, 0), ([5, 3], [3, 2], [2, 0]), ([2, 1], [4, 3], [1, 2]))
    },
    "transposed, dilated": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": 3, "dilation_rate": 2}, [IMAGES], False),
    "transposed, dilated, same": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}, [IMAGES], False),
    "transposed, same, far": (
        "Conv2DTranspose", {"filters": 3, "kernel_size": [2, 3], "strides": [3, 4], "padding": "same"},
        [IMAGES], False),
    "transposed1d beyond": (
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0}, [STEPS], False),
    "add": ("Add", {}, [IMAGES, IMAGES, IMAGES], False),
    "subtract": ("Subtract", {}, [IMAGES, IMAGES], False),
    "multiply": ("Multiply", {}, [IMAGES, IMAGES], False),
    "multiply channels": ("Multiply", {}, [IMAGES, (3, 1, 1, 4)], False),
    "maximum": ("Maximum", {}, [IMAGES, IMAGES], False),
    "minimum": ("Minimum", {}, [IMAGES, IMAGES], False),
    "concatenate": ("Concatenate", {}, [IMAGES, (3, 6, 5, 2)], False),
    "concatenate rows": ("Concatenate", {"axis": 1}, [IMAGES, (3, 2, 5, 4)], False),
    "average": ("Average", {}, [IMAGES, IMAGES, IMAGES], False),
    "average of channels": ("Average", {}, [IMAGES, (3, 1, 1, 4)], False),
    "dot": ("Dot", {"axes": 1}, [ROWS, ROWS], False),
    "dot of sequences": ("Dot", {"axes": [2, 1]}, [(3, 6, 5), (3, 5, 4)], False),
    "dot, normalized": ("Dot", {"axes": -1, "normalize": True}, [(3, 6, 5), (3, 4, 5)], False),
    "dot of images": ("Dot", {"axes": [1, 2]}, [IMAGES, (3, 4, 6)], False),
    "dot, turned, normalized": ("Dot", {"axes": 1, "normalize": True}, [(3, 6, 5), (3, 6, 4)], False),
    "permute": ("Permute", {"dims": [3, 1, 2]}, [IMAGES], False),
    "permute rows": ("Permute", {"dims": [1]}, [ROWS], False),
    "identity": ("Identity", {}, [IMAGES], False),
    "repeat rows": ("RepeatVector", {"n": 3}, [ROWS], False),
    "prelu": ("PReLU", {}, [IMAGES], False),
    "prelu of channels": ("PReLU", {"shared_axes": [1, 2]}, [IMAGES], False),
    "prelu of columns": ("PReLU", {"shared_axes": 1}, [IMAGES], False),
    "layer norm": ("LayerNormalization", {}, [IMAGES], False),
    "layer norm of rows": ("LayerNormalization", {"epsilon": 0.1, "center": False}, [ROWS], False),
    "layer norm of samples": ("LayerNormalization", {"axis": [1, 2, 3], "scale": False}, [IMAGES], False),
    "layer norm of two": ("LayerNormalization", {"axis": [-1, -2]}, [IMAGES], False),
    "group norm": ("GroupNormalization", {"groups": 2}, [IMAGES], False),
    "instance norm": ("GroupNormalization", {"groups": -1, "epsilon": 0.1}, [IMAGES], False),
    "group norm of one": ("GroupNormalization", {"groups": 1, "scale": False}, [(3, 6, 4)], False),
    "group norm of rows": ("GroupNormalization", {"groups": 7, "center": False}, [ROWS], False),
    "unit norm": ("UnitNormalization", {}, [IMAGES], False),
    "unit norm of pixels": ("UnitNormalization", {"axis": [1, 2]}, [IMAGES], False),
    "activity": ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, [ROWS], False),
    "gaussian dropout, inference": ("GaussianDropout", {"rate": 0.4}, [ROWS], False),
    "alpha dropout, inference": ("AlphaDropout", {"rate": 0.4}, [ROWS], False),
    "spatial dropout of sequences": ("SpatialDropout1D", {"rate": 0.4}, [(3, 6, 5)], False),
    "conv1d": ("Conv1D", {"filters": 5, "kernel_size": 3, "activation": "relu"}, [STEPS], False),
    "conv1d, same": (
        "Conv1D", {"filters": 6, "kernel_size": 2, "strides": 2, "padding": "same", "groups": 2}, [STEPS], False),
    "conv1d, causal": (
        "Conv1D",
        {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, "activation": "tanh"},
        [STEPS], False),
    "conv1d, causal, strided": (
        "Conv1D", {"filters": 5, "kernel_size": 3, "padding": "causal", "strides": 2, "use_bias": False},
        [STEPS], False),
    "depthwise1d": (
        "DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "activation": "relu"},
        [STEPS], False),
    "separable1d": (
        "SeparableConv1D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "activation": "relu"},
        [STEPS], False),
    "separable1d, strided": (
        "SeparableConv1D", {"filters": 3, "kernel_size": 2, "strides": 2, "activation": "elu"}, [STEPS], False),
    "transposed1d": ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, [STEPS], False),
    "transposed1d, same": (
        "Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        [STEPS], False),
    "maximum of steps": ("MaxPooling1D", {}, [STEPS], False),
    "maximum of steps, same": ("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, [STEPS], False),
    "average of steps": ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, [STEPS], False),
    "global maximum of steps": ("GlobalMaxPooling1D", {"keepdims": True}, [STEPS], False),
    "global average of steps": ("GlobalAveragePooling1D", {}, [STEPS], False),
    "zeros around steps": ("ZeroPadding1D", {"padding": [1, 2]}, [STEPS], False),
    "cropped steps": ("Cropping1D", {"cropping": [1, 2]}, [STEPS], False),
    "cropped steps, alike": ("Cropping1D", {"cropping": 2}, [STEPS], False),
    "repeated steps": ("UpSampling1D", {"size": 3}, [STEPS], False),
    "normalization": ("Normalization", {}, [IMAGES], False),
    "normalization of columns": ("Normalization", {"axis": [2]}, [IMAGES], False),
    "normalization of pixels": ("Normalization", {"axis": [1, 2, 3]}, [IMAGES], False),
    "normalization, one": ("Normalization", {"axis": None}, [IMAGES], False),
    "normalization by numbers": ("Normalization", {"axis": -1, "mean": 0.5, "variance": 2.0}, [IMAGES], False),
    "normalization by arrays": (
        "Normalization", {"axis": 1, "mean": [0.5] * 7, "variance": [2.0, 1, 3, 0.5, 1, 1, 9]}, [ROWS], False),
    "normalization, inverted": ("Normalization", {"invert": True}, [IMAGES], False),
    "dropout, inference": ("Dropout", {"rate": 0.4}, [ROWS], False),
    "spatial dropout, inference": ("SpatialDropout2D", {"rate": 0.4}, [IMAGES], False),
    "noise, inference": ("GaussianNoise", {"stddev": 0.4}, [ROWS], False),
    # Random layers whose range is one number.
    "rotation": ("RandomRotation", {"factor": [0.1, 0.1]}, [IMAGES], True),
    "rotation, constant": (
        "RandomRotation",
        {"factor": [-0.3, -0.3], "fill_mode": "constant", "fill_value": 0.5}, [IMAGES], True),
    "zoom": ("RandomZoom", {"height_factor": [0.3, 0.3], "fill_mode": "wrap"}, [IMAGES], True),
    "zoom of axes": (
        "RandomZoom",
        {"height_factor": [0.3, 0.3], "width_factor": [-0.2, -0.2], "fill_mode": "nearest"}, [IMAGES], True),
    "translation": (
        "RandomTranslation", {"height_factor": [0.2, 0.2], "width_factor": [-0.3, -0.3]}, [IMAGES], True),
    "translation, nearest": (
        "RandomTranslation",
        {"height_factor": [0.2, 0.2], "width_factor": [-0.3, -0.3], "interpolation": "nearest"}, [IMAGES], True),
    "brightness": ("RandomBrightness", {"factor": [0.3, 0.3], "value_range": [-1, 1]}, [IMAGES], True),
    "no flip": ("RandomFlip", {"mode": "horizontal"}, [IMAGES], False),
    "no contrast": ("RandomContrast", {"factor": [0.3, 0.5]}, [IMAGES], False),
    **{
        f"resizing {size} {how} {word}": (
            "Resizing",
            {"height": size[0], "width": size[1], "interpolation": how, **({word: True} if word else {})},
            [IMAGES], False)
        for size in ((9, 4), (3, 7), (12, 12))
        for how in ("nearest", "bilinear")
        for word in ("", "crop_to_aspect_ratio", "pad_to_aspect_ratio")
    },
    "resizing in a frame": (
        "Resizing", {"height": 6, "width": 9, "pad_to_aspect_ratio": True, "fill_value": 2.0}, [IMAGES], False),
    "center": ("CenterCrop", {"height": 3, "width": 4}, [IMAGES], False),
    "center of small images": ("CenterCrop", {"height": 7, "width": 4}, [IMAGES], False),
}  # fmt: skip


def arrays():
    rng = np.random.default_rng(5)
    return {
        f"{name}/x{i}": rng.standard_normal(shape).astype(np.float32)
        for name, (_, _, shapes, _) in CASES.items()
        for i, shape in enumerate(shapes)
    }


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """What Keras answers to all the cases, from one process."""
    folder = tmp_path_factory.mktemp("keras_layers")
    cases = [
        {"name": name, "class": cls, "config": config, "inputs": len(shapes), "training": training}
        for name, (cls, config, shapes, training) in CASES.items()
    ]
    (folder / "cases.json").write_text(json.dumps(cases))
    np.savez(folder / "arrays.npz", **arrays())
    peer = Path(__file__).with_name("keras_layers_peer.py")
    settings = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    subprocess.run([sys.executable, peer, folder], check=True, env=os.environ | settings)
    return np.load(folder / "answers.npz")


@pytest.mark.parametrize("name", CASES)
def test_a_layer_computes_what_keras_does(name, keras):
    cls, config, shapes, training = CASES[name]
    given = arrays()
    xs = [given[f"{name}/x{i}"] for i in range(len(shapes))]
    layer = getattr(layers, cls)(**config)
    layer.build([(None, *x.shape[1:]) for x in xs] if len(xs) > 1 else (None, *xs[0].shape[1:]))
    layer.set_weights([keras[f"{name}/w{i}"] for i in range(len(layer.weights))])
    expected = keras[f"{name}/y"]
    assert layer.output_shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(
        layer(xs if len(xs) > 1 else xs[0], training=training), expected, rtol=1e-5, atol=2e-5
    )
    if not training and layer.states and not layer.weights:  # a layer of chance
        return
    if cls == "BatchNormalization" and not training:
        layer.trainable = False
    layer.set_weights([keras[f"{name}/w{i}"] for i in range(len(layer.weights))])
    y, backward = layer.forward(*xs)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-5)
    dy = np.ones_like(y)
    dxs = [backward(dy, need_dx=True)] if len(xs) == 1 else backward(dy, [True] * len(xs))
    for i, dx in enumerate(dxs):
        np.testing.assert_allclose(dx, keras[f"{name}/dx{i}"], rtol=1e-4, atol=1e-4)
    for i, parameter in enumerate(p for p in layer.trainable_weights):
        np.testing.assert_allclose(parameter.gradient, keras[f"{name}/dw{i}"], rtol=1e-4, atol=2e-4)
    fixed = [p for p in layer.weights if not p.trainable]
    if training:
        for i, parameter in enumerate(fixed):
            np.testing.assert_allclose(
                parameter.numpy(), keras[f"{name}/after{i}"], rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize("name", CASES)
def test_its_configuration_is_keras_own(name, keras):
    cls, config, shapes, _ = CASES[name]
    theirs = json.loads(str(keras[f"{name}/config"]))
    layer = getattr(layers, cls)(**config)
    built_for = [(None, *shape[1:]) for shape in shapes]
    layer.build(built_for if len(built_for) > 1 else built_for[0])
    ours = layers.describe(layer)["config"]
    for key, value in ours.items():
        if (
            key in theirs
            and key not in ("name", "dtype", "seed")
            and not key.endswith("_initializer")
        ):
            assert value == theirs[key], key


def test_arguments_stand_as_in_keras():
    code = (
        "import inspect, json, keras; "
        f"names = {sorted(layers._CLASSES)!r}; "
        "print(json.dumps({n: [[p.name, repr(p.default)] for p in list(inspect.signature("
        "getattr(keras.layers, n).__init__).parameters.values())[1:]] for n in names}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    theirs = json.loads(done.stdout.splitlines()[-1])
    for name, cls in layers._CLASSES.items():
        expected = dict(map(tuple, theirs[name]))
        for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
            if parameter.kind is parameter.VAR_KEYWORD or parameter.name in (
                "dtype",
                "input_shape",
                "name",
                "trainable",
                "weights",
            ):
                continue
            assert parameter.name in expected, (name, parameter.name)
            if "_empty" in expected[parameter.name]:  # Keras wants it, this library has a default
                continue
            assert repr(parameter.default).replace("'", '"') == expected[parameter.name].replace(
                "'", '"'
            ), (name, parameter)
