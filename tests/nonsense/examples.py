"""The arguments of one good call of everything that needs some."""

import tempfile
from pathlib import Path

import numpy as np

from numba_cnn import activations, layers, models, reports, shapes, utils

F32 = np.float32
X, W, B = np.ones((2, 4, 4, 1), F32), np.ones((3, 3, 1, 2), F32), np.ones(2, F32)
POOLED = {"argmax": np.zeros((2, 1, 1, 2), np.uint8), "dy": np.ones((2, 1, 1, 2), F32)}
ROWS, LABELS = np.ones((2, 3), F32), np.array([0, 1])
SHARES, TENSOR = np.full((2, 3), 0.25, F32), layers.Input((3,))
THREE = np.ones(3, F32)
COUNTED = np.zeros(2, np.int64)
SMALL = models.Sequential([layers.Dense(2, input_shape=(3,))])
LOOKING = models.Sequential(
    [
        layers.Conv2D(2, 3, input_shape=(4, 4, 1), name="maps"),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ]
)
LOSS = "sparse_categorical_crossentropy"
LOOKING.compile("sgd", LOSS, backend="cpu")
RESULTS = reports.results_of(LOOKING, X, LABELS)


def folder():
    """A folder of two classes."""
    home = tempfile.TemporaryDirectory()
    for name in ("a", "b"):
        Path(home.name, name).mkdir()
        utils.save_img(Path(home.name, name, "0.png"), X[0])
    return home


FOLDER = folder()


def dense():
    layer = layers.Dense(2)
    layer.build((None, 3))
    return layer


def model():
    """A small model in use."""
    made = models.Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])
    made.compile("adam", LOSS, metrics=["accuracy"], backend="cpu")
    return made


def shared():
    if not _cache:
        _cache.append(model())
        _cache[0].fit(ROWS, LABELS, verbose=0)
    return _cache[0]


_cache = []
FIT = {"x": ROWS, "y": LABELS, "verbose": 0}

# The arguments of one good call, where there must be some.
EXAMPLES = {
    "ops.activate": {"x": X, "name": "tanh"},
    "ops.activate_backward": {"dy": X, "saved": X, "name": "tanh"},
    **{f"ops.{name}": {"a": ROWS, "b": ROWS} for name in ("add", "subtract", "multiply", "maximum", "minimum")},
    **{f"ops.{name}_backward": {"dy": ROWS, "a": ROWS, "b": ROWS} for name in ("multiply", "maximum", "minimum")},
    **{f"ops.{name}_backward": {"dy": ROWS, "a_shape": (2, 3), "b_shape": (2, 3)} for name in ("add", "subtract")},
    "ops.group_norm": {"x": ROWS, "gamma": THREE, "beta": THREE, "groups": 3, "epsilon": 0.001},
    "ops.group_norm_backward": {
        "dy": ROWS, "x": ROWS, "gamma": THREE, "mean": np.ones((2, 3), F32),
        "inverse_deviation": np.ones((2, 3), F32)},
    "ops.unit_norm": {"x": ROWS, "epsilon": 0.001},
    "ops.unit_norm_backward": {"dy": ROWS, "y": ROWS, "inverse_norm": B, "epsilon": 0.001},
    "ops.permute": {"x": ROWS, "axes": (1, 0)}, "ops.batch_dot": {"a": ROWS[None], "b": ROWS[None]},
    "ops.batch_dot_backward": {"dy": np.ones((1, 2, 2), F32), "a": ROWS[None], "b": ROWS[None]},
    "ops.prelu": {"x": ROWS, "alpha": ROWS}, "ops.prelu_backward": {"dy": ROWS, "x": ROWS, "alpha": ROWS},
    "ops.concatenate": {"arrays": (ROWS, ROWS)}, "ops.split": {"y": ROWS, "sizes": (1, 2)},
    "ops.zero_pad2d": {"x": X}, "ops.crop2d": {"x": X},
    "ops.upsample2d": {"x": X}, "ops.upsample2d_backward": {"dy": X},
    "ops.adaptive_average_pool2d": {"x": X, "output_size": 2}, "ops.adaptive_max_pool2d": {"x": X, "output_size": 2},
    "ops.adaptive_average_pool2d_backward": {
        "dy": np.ones((2, 2, 2, 1), F32), "x_shape": (2, 4, 4, 1), "output_size": 2},
    "ops.adaptive_max_pool2d_backward": {
        "dy": np.ones((2, 2, 2, 1), F32), "argmax": np.zeros((2, 2, 2, 1), np.int32), "x_shape": (2, 4, 4, 1),
        "output_size": 2},
    "ops.average_pool2d": {"x": X},
    "ops.average_pool2d_backward": {"dy": np.ones((2, 2, 2, 1), F32), "x_shape": (2, 4, 4, 1)},
    "ops.global_average_pool2d": {"x": X}, "ops.global_max_pool2d": {"x": X},
    "ops.global_average_pool2d_backward": {"dy": np.ones((2, 1), F32), "x_shape": (2, 4, 4, 1)},
    "ops.global_max_pool2d_backward": {
        "dy": np.ones((2, 1), F32), "argmax": np.zeros((2, 1), np.int32), "x_shape": (2, 4, 4, 1)},
    "ops.batch_norm": {"x": ROWS, "gamma": THREE, "beta": THREE, "moving_mean": np.ones(3, F32),
                       "moving_variance": np.ones(3, F32), "momentum": 0.9, "epsilon": 0.001},
    "ops.batch_norm_backward": {"dy": ROWS, "x": ROWS, "gamma": THREE, "mean": THREE, "inverse_deviation": THREE},
    "ops.batch_norm_inference": {
        "x": ROWS, "gamma": THREE, "beta": THREE, "mean": THREE, "variance": THREE, "epsilon": 0.001},
    "ops.batch_norm_inference_backward": {
        "dy": ROWS, "x": ROWS, "gamma": THREE, "mean": THREE, "variance": THREE, "epsilon": 0.001},
    "ops.binary_accuracy": {"y": ROWS, "targets": ROWS},
    "ops.categorical_accuracy": {"y": ROWS, "targets": ROWS},
    **{f"ops.{name}": {"logits": ROWS, "targets": ROWS}
       for name in ("binary_crossentropy", "categorical_crossentropy")},
    **{f"ops.{name}_of_probabilities": {"probabilities": ROWS, "targets": ROWS}
       for name in ("binary_crossentropy", "categorical_crossentropy")},
    **{f"ops.{name}": {"y": ROWS, "targets": ROWS} for name in ("mean_absolute_error", "mean_squared_error")},
    "ops.sparse_categorical_crossentropy_of_probabilities": {"probabilities": ROWS, "labels": LABELS},
    "ops.conv2d": {"x": X, "weight": W},
    "ops.conv2d_backward": {"dy": np.ones((2, 2, 2, 2), F32), "x": X, "weight": W},
    "ops.conv2d_max_pool2d": {"x": X, "weight": W},
    "ops.conv2d_max_pool2d_backward": {**POOLED, "x": X, "weight": W},
    "ops.dense": {"x": ROWS, "weight": np.ones((3, 2), F32)},
    "ops.dense_backward": {"dy": np.ones((2, 2), F32), "x": ROWS, "weight": np.ones((3, 2), F32)},
    "ops.dropout": {"x": X, "rate": 0.5, "generator": COUNTED},
    "ops.dropout_backward": {"dy": X, "rate": 0.5, "generator": COUNTED, "used": COUNTED[:1]},
    "ops.gaussian_noise": {"x": X, "stddev": 1.0, "generator": COUNTED},
    "ops.affine_transform2d": {"x": X, "matrices": np.ones((2, 6), F32)},
    "ops.affine_transform2d_backward": {"dy": X, "matrices": np.ones((2, 6), F32), "x_shape": (2, 4, 4, 1)},
    "ops.resize2d": {"x": X, "size": 3}, "ops.resize2d_backward": {"dy": X, "x_shape": (2, 3, 3, 1)},
    "ops.random_affine": {"x": X, "ranges": shapes.AffineRanges(), "generator": COUNTED},
    "ops.random_uniform": {"x": X, "low": 0.0, "high": 1.0, "generator": COUNTED},
    "ops.adjust_brightness": {"x": X, "deltas": B}, "ops.adjust_contrast": {"x": X, "factors": B},
    "ops.adjust_brightness_backward": {"dy": X, "x": X, "deltas": B},
    "ops.adjust_contrast_backward": {"dy": X, "x": X, "mean": np.ones((2, 1), F32), "factors": B},
    "ops.log_softmax": {"x": ROWS},
    "ops.log_softmax_backward": {"dy": ROWS, "y": ROWS},
    "ops.explain_conv2d": {"x_shape": X.shape, "weight_shape": W.shape},
    "ops.max_pool2d": {"x": X},
    "ops.max_pool2d_backward": {
        "dy": np.ones((2, 2, 2, 1), F32), "argmax": np.zeros((2, 2, 2, 1), np.uint8), "x_shape": (2, 4, 4, 1)},
    "ops.relu": {"x": X},
    "ops.relu_backward": {"dy": X, "y": X},
    "ops.softmax": {"x": ROWS},
    "ops.softmax_backward": {"dy": ROWS, "y": ROWS},
    "ops.sparse_categorical_accuracy": {"logits": ROWS, "labels": LABELS},
    "ops.sparse_categorical_crossentropy": {"logits": ROWS, "labels": LABELS},
    "activations.linear": {"x": X}, "activations.name_of": {"identifier": "relu"},
    "activations.relu": {"x": X}, "activations.softmax": {"x": ROWS},
    "layers.Activation": {"activation": "relu"},
    "layers.Conv2D": {"filters": 2, "kernel_size": 3},
    **{f"activations.{name}": {"x": ROWS} for name in activations.__all__ if name != "get"},
    "models.Model": {"inputs": TENSOR, "outputs": layers.Dense(2)(TENSOR)},
    **{f"layers.{name}": {"inputs": [TENSOR, TENSOR]} for name in (
        "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract")},
    "layers.RepeatVector": {"n": 2},
    "layers.Dot": {"axes": 1}, "layers.Permute": {"dims": (2, 1)}, "layers.AlphaDropout": {"rate": 0.5},
    "layers.GaussianDropout": {"rate": 0.5}, "layers.SpatialDropout1D": {"rate": 0.5},
    **{f"layers.{name}": {"filters": 2, "kernel_size": 3} for name in (
        "Conv1D", "Conv1DTranspose", "SeparableConv1D")},
    "layers.DepthwiseConv1D": {"kernel_size": 3},
    "layers.Dense": {"units": 2}, "layers.Rescaling": {"scale": 2.0}, "layers.Reshape": {"target_shape": (3,)},
    "layers.Conv2DTranspose": {"filters": 2, "kernel_size": 3}, "layers.DepthwiseConv2D": {"kernel_size": 3},
    "layers.SeparableConv2D": {"filters": 2, "kernel_size": 3}, "layers.Dropout": {"rate": 0.5},
    "layers.SpatialDropout2D": {"rate": 0.5}, "layers.GaussianNoise": {"stddev": 0.5},
    "layers.CenterCrop": {"height": 3, "width": 3}, "layers.RandomCrop": {"height": 3, "width": 3},
    "layers.Resizing": {"height": 3, "width": 3}, "layers.RandomRotation": {"factor": 0.1},
    "layers.RandomZoom": {"height_factor": 0.1}, "layers.RandomBrightness": {"factor": 0.1},
    "layers.RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}, "layers.RandomContrast": {"factor": 0.1},
    "layers.Input": {"shape": (3,)}, "layers.InputLayer": {"shape": (3,)},
    "callbacks.BackupAndRestore": {"backup_dir": "backup"}, "callbacks.CSVLogger": {"filename": "log.csv"},
    "callbacks.CallbackList": {"callbacks": [], "add_history": False, "add_progbar": False},
    "utils.Progbar": {"target": 4}, "Progbar.update": {"current": 1}, "Progbar.add": {"n": 1},
    "config.set_epsilon": {"value": 1e-7}, "config.set_floatx": {"value": "float32"},
    "config.set_image_data_format": {"data_format": "channels_last"}, "config.set_dtype_policy": {"policy": "float32"},
    "callbacks.LambdaCallback": {"on_epoch_end": print},
    "callbacks.LearningRateScheduler": {"schedule": abs},
    "callbacks.ModelCheckpoint": {"filepath": "m.keras"},
    **{f"{space}.{name}": {"y_true": ROWS, "y_pred": SHARES} for space in ("losses", "metrics") for name in (
        "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
        "categorical_focal_crossentropy", "categorical_hinge", "cosine_similarity", "dice", "hinge", "huber",
        "kl_divergence", "log_cosh",
        "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
        "mean_squared_logarithmic_error", "poisson", "squared_hinge", "tversky")},
    **{f"{space}.{name}": {"y_true": LABELS, "y_pred": SHARES} for space in ("losses", "metrics") for name in (
        "sparse_categorical_crossentropy", "categorical_generalized_cross_entropy")},
    **{f"metrics.{name}": {key: 0.5} for name, key in (
        ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"))},
    **{f"metrics.{name}": {"num_classes": 2, "target_class_ids": [0]} for name in ("IoU", "OneHotIoU")},
    **{f"metrics.{name}": {"num_classes": 2} for name in ("MeanIoU", "OneHotMeanIoU")},
    "regularizers.get": {"identifier": "l2"}, "constraints.get": {"identifier": "non_neg"},
    "losses.get": {"identifier": LOSS}, "metrics.get": {"identifier": "accuracy"},
    "optimizers.get": {"identifier": "adam"}, "initializers.get": {"identifier": "zeros"},
    "metrics.Mean": {"name": "mean"}, "metrics.Metric": {"name": "metric"}, "losses.Loss": {"name": "loss"},
    "datasets.digits": {"size": 8}, "datasets.shapes": {"n": 10}, "datasets.load": {"source": "digits"},
    "datasets.image_folder": {"path": "."},
    "datasets.shift": {"x": X, "most": 1, "generator": np.random.default_rng(0), "out": np.empty_like(X)},
    "models.load_model": {"filepath": "m.keras"}, "models.clone_model": {"model": SMALL},
    "models.save_model": {"model": SMALL, "filepath": "m.keras"},
    "models.model_from_json": {"json_string": SMALL.to_json()}, "models.tutorial_cnn": {"input_shape": (32, 32, 1)},
    "Sequential.add": {"layer": layers.ReLU()}, "Sequential.build": {"input_shape": (None, 3)},
    "Sequential.compile": {"loss": LOSS, "backend": "cpu"}, "Sequential.fit": FIT, "Sequential.evaluate": FIT,
    "Sequential.predict": {"x": ROWS, "verbose": 0}, "Sequential.get_layer": {"index": 0},
    "Sequential.from_config": {"config": {"layers": []}},
    "Sequential.load_weights": {"filepath": "m.weights.h5"}, "Sequential.save": {"filepath": "m.keras"},
    "Sequential.save_weights": {"filepath": "m.weights.h5"},
    "Sequential.set_weights": {"weights": [np.ones((3, 2)), np.ones(2)]},
    "Sequential.summary": {"print_fn": str}, "Sequential.__call__": {"x": ROWS},
    "Sequential.train_step": {"x": ROWS, "labels": LABELS},
    "Layer.build": {"input_shape": (None, 3)}, "Layer.compute_output_shape": {"input_shape": (None, 3)},
    "Layer.set_weights": {"weights": [np.ones((3, 2)), np.ones(2)]}, "Layer.__call__": {"x": ROWS},
    "Optimizer.set_variables": {"variables": []}, "Optimizer.finalize_variable_values": {"var_list": []},
    **{f"optimizers.schedules.{name}": {"initial_learning_rate": 0.1, "decay_steps": 9}
       for name in ("PolynomialDecay", "CosineDecay")},
    **{f"optimizers.schedules.{name}": {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.5}
       for name in ("ExponentialDecay", "InverseTimeDecay")},
    "optimizers.schedules.CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 9},
    "optimizers.schedules.PiecewiseConstantDecay": {"boundaries": [3], "values": [1.0, 0.1]},
    "optimizers.schedules.get": {"identifier": {
        "class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 9}}},
    "Loss.__call__": {"y_true": LABELS, "y_pred": SHARES}, "Metric.of_batch": {"y_true": LABELS, "y_pred": SHARES},
    "Initializer.__call__": {"shape": (2, 3)},
    "ImageDataGenerator.flow": {"x": X, "y": LABELS}, "ImageDataGenerator.fit": {"x": X},
    "ImageDataGenerator.flow_from_directory": {"directory": FOLDER.name},
    "ImageDataGenerator.random_transform": {"x": X[0]},
    "ImageDataGenerator.get_random_transform": {"img_shape": (4, 4, 1)},
    "utils.image_dataset_from_directory": {"directory": FOLDER.name},
    "Sequential.gradients": {"x": ROWS},
    "plots.curves": {"history": {"loss": [1.0]}}, "plots.feature_maps": {"model": LOOKING, "image": X[0]},
    **{f"plots.{name}": {"model": LOOKING} for name in ("blocks", "filters")},
    **{f"plots.{name}": {"model": LOOKING, "x": X} for name in ("grad_cam", "saliency")},
    **{f"plots.{name}": {"model": LOOKING, "x": X, "y": LABELS}
       for name in ("confusion_matrix", "embeddings", "mistakes")},
    "reports.results_of": {"model": LOOKING, "x": X, "y": LABELS}, "serving.Server": {"model": LOOKING, "port": 0},
    "reports.write": {"path": "r.html", "model": LOOKING, "results": RESULTS},
    "utils.plot_model": {"model": SMALL, "to_file": "m.svg"}, "plots.model_to_dot": {"model": SMALL},
    "utils.split_dataset": {"dataset": ROWS, "left_size": 1}, "utils.pad_sequences": {"sequences": [[1], [1, 2]]},
    "utils.unpack_x_y_sample_weight": {"data": (1, 2)}, "saving.get_registered_name": {"obj": SMALL.fit},
    "set_conv_algorithm": {"algorithm": "auto"}, "set_random_seed": {"seed": 1}, "set_num_threads": {"n": 1},
}  # fmt: skip
