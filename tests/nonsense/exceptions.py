"""Where the name of a parameter, in parameters.py, takes something else; and nonsense inside of what would be fine."""

import math

import numpy as np

from numba_cnn import activations, layers

from .examples import LABELS, ROWS

# Where the same name takes something else.
EXCEPTIONS = {
    "activations.softmax.x": "numbers", "ops.relu.x": "numbers", "activations.relu.x": "numbers",
    "Sequential.fit.y": "vector", "Sequential.evaluate.y": "vector",

    "ops.resize2d.size": "size", "ops.affine_transform2d.size": "?size",
    "ops.adjust_contrast_backward.mean": "array", "ops.random_affine.generator": "array",
    "ops.random_uniform.generator": "array", "ops.random_uniform.x": "numbers", "ops.random_uniform.low": "number",
    "ops.random_uniform.high": "number", "layers.Resizing.fill_mode": "choice",
    **{f"layers.{name}.factor": "share or pair" for name in ("RandomRotation", "RandomBrightness", "RandomContrast")},
    "ops.upsample2d.size": "size", "ops.upsample2d_backward.size": "size",
    "ops.conv2d.strides": "size", "ops.conv2d_backward.strides": "size", "ops.conv2d_max_pool2d.strides": "size",
    "ops.conv2d_max_pool2d_backward.strides": "size", "ops.explain_conv2d.strides": "size",
    "layers.Conv2D.strides": "size", "layers.Conv2D.padding": "choice", "layers.MaxPooling2D.padding": "choice",
    "layers.MaxPool2D.padding": "choice",
    **{f"activations.{name}.x": "numbers" for name in activations.__all__},
    "activations.leaky_relu.negative_slope": "number", "activations.relu.negative_slope": "number",
    "activations.squareplus.b": "number",
    "activations.relu.max_value": "?number", "activations.gelu.approximate": "flag of python",
    "activations.get.identifier": "?choice", "layers.Input.dtype": "?choice",
    "layers.BatchNormalization.scale": "flag", "layers.Rescaling.scale": "number",
    "activations.linear.x": "anything", "activations.name_of.identifier": "?choice",
    "losses.SparseCategoricalCrossentropy.name": "text", "metrics.SparseCategoricalAccuracy.name": "text",
    "metrics.Mean.name": "text", "models.tutorial_cnn.input_shape": "?shape", "layers.Input.shape": "sample shape",
    "layers.InputLayer.shape": "sample shape", "layers.InputLayer.input_shape": "?sample shape",
    "callbacks.EarlyStopping.mode": "choice", "datasets.image_folder.size": "shape",
    "ops.conv2d_backward.y": "?array", "ops.dense_backward.y": "?array", "metrics.Mean.add.value": "array",
    "ops.conv2d_max_pool2d_backward.y": "?array", "Sequential.fit.validation_split": "share",
    "Sequential.get_layer.name": "choice", "callbacks.ModelCheckpoint.filepath": "choice",
    "Sequential.save.filepath": "choice", "Sequential.save_weights.filepath": "choice",
    "Sequential.load_weights.filepath": "choice", "models.load_model.filepath": "choice",
    "datasets.load.source": "choice", "datasets.image_folder.path": "choice", "datasets.shapes.seed": "count from 0",
    "set_random_seed.seed": "count from 0", "Sequential.summary.show_trainable": "anything",
    "set_num_threads.n": "count", "optimizers.SGD.name": "?text", "optimizers.Adam.name": "?text",
    "optimizers.RMSprop.name": "?text", "models.Sequential.name": "?text", "Sequential.get_layer.index": "?place",
    "Sequential.fit.sample_weight": "?vector", "Sequential.evaluate.sample_weight": "?vector",
}  # fmt: skip
EXCEPTIONS |= {
    **{f"optimizers.{name}.{key}": kind
       for name in ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
       for key, kind in (("name", "?text"), ("beta", "number from 0"))},
    **{f"optimizers.schedules.{name}.{key}": kind
       for name in ("ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay", "PolynomialDecay", "CosineDecay",
                    "CosineDecayRestarts")
       for key, kind in (("name", "text"), ("alpha", "number from 0"))},
    "optimizers.AdamW.weight_decay": "number from 0", "optimizers.Lion.beta_1": "positive share",
    "optimizers.schedules.PiecewiseConstantDecay.boundaries": "nothing",
    "optimizers.schedules.PiecewiseConstantDecay.values": "nothing",
}  # fmt: skip
EXCEPTIONS |= {
    **{
        f"constraints.{name}.{key}": kind
        for name in ("MaxNorm", "MinMaxNorm", "UnitNorm", "max_norm", "min_max_norm", "unit_norm")
        for key, kind in (("axis", "axis"), ("max_value", "number from 0"))
    },
    **{
        f"regularizers.{name}.factor": "number from 0"
        for name in ("OrthogonalRegularizer", "orthogonal_regularizer")
    },
    "regularizers.get.identifier": "?choice",
    "constraints.get.identifier": "?choice",
}
EXCEPTIONS |= {
    **{
        f"losses.{name}.{key}": kind
        for name in (
            "BinaryFocalCrossentropy",
            "CategoricalFocalCrossentropy",
            "Tversky",
            "Dice",
            "CosineSimilarity",
        )
        for key, kind in (
            ("gamma", "number from 0"),
            ("alpha", "number from 0"),
            ("beta", "number from 0"),
        )
    },
    "losses.BinaryFocalCrossentropy.alpha": "share",
    "losses.Dice.axis": "?axes",
    "losses.Tversky.axis": "?axes",
    "metrics.FBetaScore.beta": "positive number",
}
EXCEPTIONS |= dict.fromkeys(
    ("ops.activate.x", "ops.softmax.x", "ops.log_softmax.x", "ops.dropout.x", "ops.dropout_backward.dy",
     "ops.gaussian_noise.x"), "numbers",
) | dict.fromkeys(
    ("ops.dropout.generator", "ops.dropout_backward.generator", "ops.gaussian_noise.generator",
     "ops.batch_norm_backward.mean", "ops.batch_norm_inference.mean", "ops.batch_norm_inference_backward.mean"),
    "array",
) | dict.fromkeys(("ops.activate.name", "ops.activate_backward.name"), "choice")  # fmt: skip
EXCEPTIONS |= {f"layers.{name}.dtype": "?choice" for name in layers.__all__}
EXCEPTIONS |= {f"layers.{name}.weights": "?list of anything" for name in layers.__all__}
EXCEPTIONS |= {
    "callbacks.RemoteMonitor.path": "name",
    "utils.plot_model.model": "choice",
    "plots.model_to_dot.model": "choice",
    "plots.model_to_dot.expand_nested": "flag",
    "utils.plot_model.expand_nested": "flag",
    "layers.Dot.axes": "axis of each",
    "layers.dot.axes": "axis of each",
    "layers.GroupNormalization.scale": "flag",
    "layers.GroupNormalization.groups": "count or -1",
    "layers.LayerNormalization.scale": "flag",
    "layers.Normalization.mean": "nothing but None",
    "layers.Normalization.variance": "nothing but None",
    "layers.Normalization.axis": "?axes or none",
    "layers.LayerNormalization.axis": "axes",
    "layers.UnitNormalization.axis": "axes",
    "ops.prelu.alpha": "array",
    "ops.prelu_backward.alpha": "array",
    "ops.unit_norm.epsilon": "positive number",
    "ops.unit_norm_backward.epsilon": "positive number",
    "ops.unit_norm.x": "numbers",
}
EXCEPTIONS |= {
    "ImageDataGenerator.validation_split": "number from 0 below one", "ImageDataGenerator.dtype": "?choice",
    "ImageDataGenerator.flow.y": "?anything of two", "ImageDataGenerator.flow.sample_weight": "?anything of two",
    "ImageDataGenerator.flow_from_directory.classes": "?objects", "utils.image_dataset_from_directory.labels": "?none",
    "utils.image_dataset_from_directory.validation_split": "?nothing at all",
    "utils.image_dataset_from_directory.verbose": "anything", "utils.load_img.target_size": "?extents of an image",
}  # fmt: skip
EXCEPTIONS |= {
    "Progbar.update.values": "?pairs",
    "Progbar.add.values": "?pairs",
    "Progbar.add.n": "count from 0",
    "config.set_epsilon.value": "positive number",
    "config.set_floatx.value": "choice",
    "config.set_image_data_format.data_format": "choice",
}
EXCEPTIONS |= {
    "utils.pad_sequences.dtype": "type",
    "utils.pad_sequences.padding": "choice",
    "utils.pad_sequences.value": "number of any kind",
}
EXCEPTIONS |= {
    **{f"models.{name}.input_shape": "sample shape" for name in ("lenet", "mobilenet", "resnet20", "unet", "vgg")},
    "models.unet.input_shape": "shape",
    "Sequential.gradients.dy": "?array", "Sequential.gradients.layer": "?choice", "plots.filters.layer": "?choice",
    "plots.grad_cam.layer": "?choice", "plots.embeddings.layer": "?choice", "plots.embeddings.y": "vector",
    "plots.mistakes.y": "vector", "plots.confusion_matrix.y": "vector",
    **{f"plots.{name}.model": "choice" for name in (
        "blocks", "confusion_matrix", "embeddings", "feature_maps", "filters", "grad_cam", "mistakes", "saliency")},
    **{f"plots.{name}.classes": "?range" for name in ("grad_cam", "saliency")},
}  # fmt: skip
EXCEPTIONS |= {
    **{f"reports.{name}.model": "choice" for name in ("results_of", "write")}, "serving.Server.model": "choice",
    "reports.write.history": "?choice", "reports.write.path": "name", "reports.results_of.y": "vector",
}  # fmt: skip

# Nonsense inside of what would be fine.
INSIDE = {
    "Sequential.fit.class_weight": {
        f"{{{label}: {weight!r}}}": {label: weight}
        for label, weight in (
            (0, math.nan), (0, math.inf), (0, None), (0, "a"), (0, [1]), (0, 1j), (0, 1e300), (2, 1.0), (-1, 1.0),
            (10**10, 1.0), (0.5, 1.0), ("a", 1.0), (None, 1.0),
        )
    },
    "set_weights.weights": {
        "NaN inside": [np.full((3, 2), math.nan), np.ones(2)], "text inside": [np.full((3, 2), "a"), np.ones(2)],
        "complex inside": [np.ones((3, 2), complex), np.ones(2)], "objects inside": [np.full((3, 2), None), np.ones(2)],
        "infinity inside": [np.full((3, 2), math.inf), np.ones(2)], "one too few": [np.ones((3, 2))],
    },
    "Sequential.fit.y": {"NaN": np.array([0, math.nan]), "half": np.array([0, 0.5]), "one-hot": np.eye(2)},
    "Sequential.fit.validation_data": {"x alone": ROWS, "four": (ROWS, LABELS, LABELS, 1)},
    "Sequential.fit.x": {"generator": (row for row in ROWS), "frame": {"x": ROWS}},
    "callbacks.ModelCheckpoint.filepath": {"{}": "{}.keras", "{0}": "{0}/m.keras", "open": "{a/m.keras",
                                           "attribute": "{epoch.real}.keras", "format": "{epoch:zz}.keras"},
}  # fmt: skip
