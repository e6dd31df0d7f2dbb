"""The tables of old words, each with today's: arguments, methods, names of modules, functions, and what is logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Settings = dict[str, Any]
Change = Callable[[Any], Settings]  # what an old argument's value means in today's arguments
_PACKAGE = __name__.partition(".")[0]


def _is(word: str) -> Change:
    return lambda value: {word: value}


def _dropped(value: Any) -> Settings:
    return {}


_FORMATS = {"tf": "channels_last", "th": "channels_first"}
_OF_LAYERS: dict[str, Change] = {
    "batch_input_shape": lambda shape: {"input_shape": tuple(shape[1:])},
    "input_dim": lambda size: {"input_shape": (size,)},
    "border_mode": _is("padding"),
    "subsample": _is("strides"),
    "atrous_rate": _is("dilation_rate"),
    "dim_ordering": lambda name: {"data_format": _FORMATS.get(name)},
    "nb_filter": _is("filters"),
    "output_dim": _is("units"),
    "bias": _is("use_bias"),
    "init": _is("kernel_initializer"),
    "W_regularizer": _is("kernel_regularizer"),
    "b_regularizer": _is("bias_regularizer"),
    "W_constraint": _is("kernel_constraint"),
    "b_constraint": _is("bias_constraint"),
    "p": _is("rate"),
    "sigma": _is("stddev"),
}
_OF_OPTIMIZERS: dict[str, Change] = {"lr": _is("learning_rate"), "epsilon": _dropped}
_OF_FIT: dict[str, Change] = {
    "nb_epoch": _is("epochs"),
    "nb_val_samples": _is("validation_steps"),
    "samples_per_epoch": _is("steps_per_epoch"),
    "generator": _is("x"),
    **dict.fromkeys(
        ("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe"),
        _dropped,
    ),
}  # fmt: skip
# By the name of a class, of one of its bases, or of a function.
ARGUMENTS: dict[str, dict[str, Change]] = {
    "Layer": _OF_LAYERS,
    "LeakyReLU": {"alpha": _is("negative_slope")},
    "L1": {"l": _is("l1")},
    "L2": {"l": _is("l2")},
    "Optimizer": _OF_OPTIMIZERS,
    "fit": _OF_FIT,
    "evaluate": _OF_FIT | {"val_samples": _is("steps")},
    "predict": _OF_FIT | {"val_samples": _is("steps")},
    "Model": {"input": _is("inputs"), "output": _is("outputs")},
    "ReduceLROnPlateau": {"epsilon": _is("min_delta")},
    "ModelCheckpoint": {"period": lambda n: {"save_freq": "epoch" if n == 1 else f"{n} epochs"}},
    "TensorBoard": dict.fromkeys(
        ("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data"), _dropped
    ),
    "flow_from_dataframe": dict.fromkeys(("has_ext", "sort", "drop_duplicates"), _dropped),
    "load_img": {"grayscale": lambda is_grey: {"color_mode": "grayscale" if is_grey else "rgb"}},
    "to_categorical": {"y": _is("x"), "nb_classes": _is("num_classes")},
    **{name: {"save_format": _dropped} for name in ("save", "save_model", "save_weights")},
    **{name: {"reset_metrics": _dropped} for name in ("train_on_batch", "test_on_batch")},
    "model_from_json": {"yaml_string": _is("json_string")},
}


def _classes(outputs: Any) -> Any:
    """The class of each sample: the largest output, or whether the only one is above a half."""
    return outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")


# Methods of models, each as today's with what comes after it.
METHODS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "fit_generator": ("fit", lambda result: result),
    "evaluate_generator": ("evaluate", lambda result: result),
    "predict_generator": ("predict", lambda result: result),
    "predict_proba": ("predict", lambda result: result),
    "predict_classes": ("predict", _classes),
    "to_yaml": ("to_json", lambda text: text),  # which is YAML, too
}
_FORMULAS = {
    "bce": "binary_crossentropy",
    "cosine_proximity": "cosine_similarity",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}
_FORMULAS |= {word.upper(): today for word, today in _FORMULAS.items() if len(word) < 5}
NAMES = {
    "layers": {
        "Convolution2D": "Conv2D",
        "Deconvolution2D": "Conv2DTranspose",
        "Convolution2DTranspose": "Conv2DTranspose",
        "SeparableConvolution2D": "SeparableConv2D",
        "DepthwiseConvolution2D": "DepthwiseConv2D",
        "AtrousConvolution2D": "Conv2D",
        "Convolution1D": "Conv1D",
        "SeparableConvolution1D": "SeparableConv1D",
        "Convolution1DTranspose": "Conv1DTranspose",
        "experimental": "",  # the module itself
        "preprocessing": "",
    },
    "optimizers": {
        name.lower(): name
        for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop", "SGD")
    }
    | dict.fromkeys(("adam_v2", "experimental", "gradient_descent_v2", "legacy", "rmsprop_v2"), ""),
    "losses": _FORMULAS,
    "metrics": _FORMULAS,
    "backend": {"image_dim_ordering": "image_data_format", "set_image_dim_ordering": "set_image_data_format"},
    "models": {"Input": "layers.Input", "model_from_yaml": "model_from_json"},
    "utils": dict.fromkeys(
        ("np_utils", "generic_utils", "vis_utils", "layer_utils", "multi_gpu_utils", "training_utils"), ""
    ),
}  # fmt: skip
# What are methods today.
FUNCTIONS: dict[tuple[str, str], tuple[str, Callable[..., Any]]] = {
    ("backend", "get_value"): ("x.numpy()", lambda x: x.numpy() if hasattr(x, "numpy") else x),
    ("backend", "set_value"): ("x.assign(value)", lambda x, value: x.assign(value)),
    ("backend", "set_session"): ("needed no more", lambda session: None),
    ("utils", "multi_gpu_model"): (
        "the model itself",
        lambda model, gpus=None, *given, **settings: model,
    ),
}
KEYS = {
    "acc": "accuracy",
    "lr": "learning_rate",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
}  # of what is logged
KEYS |= {f"val_{old}": f"val_{today}" for old, today in KEYS.items()}
