"""What is nonsense for which parameter."""

import math

import numpy as np

from numba_cnn import activations, layers

from .examples import LABELS, ROWS

VALUES = {
    "None": None,
    "text": "nonsense",
    "empty text": "",
    "bytes": b"ab",
    "true": True,
    "zero": 0,
    "minus one": -1,
    "fraction": 1.5,
    "minus half": -0.5,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "too large": 1e300,
    "numpy nan": np.float32("nan"),
    "complex": 1j,
    "list": ["a", None],
    "ragged": [[1], [1, 2]],
    "empty list": [],
    "empty tuple": (),
    "three": (1, 2, 3),
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "class": int,
    "function": print,
    "module": math,
    "objects": np.array([None, "a"], object),
    "texts": np.array(["a", "b"]),
    "complex array": np.ones(3, complex),
    "nan array": np.full(3, np.nan),
    "range": range(2),
}

# What of the above each kind of parameter takes after all.
KINDS = {
    "anything": set(VALUES),
    "array": set(),
    "count": set(),
    "count from 0": {"zero"},
    "number": {"zero", "minus one", "fraction", "minus half"},
    "number from 0": {"zero", "fraction"},
    "positive number": {"fraction"},
    "share": {"zero"},
    "flag": {"true", "zero"},
    "verbosity": {"true", "zero"},
    "text": {"text"},
    "path": {"text"},
    "name": {"text", "empty text"},
    "callable": {"function", "class"},
    "choice": set(),
    "size": set(),
    "padding": {"zero", "range"},
    "shape": set(),
    "extents": {"three", "empty tuple", "empty list", "range"},
    "sample shape": {"three"},
    "objects": {"empty list", "empty tuple"},
    "weights": set(),
    "separator": set(),
    "mapping": set(),
}

# The kind of a parameter wherever it has that name; "?" in front: None is fine too.
PARAMETERS = {
    "activation": "?choice", "algorithm": "choice", "append": "flag", "argmax": "array", "backend": "choice",
    "baseline": "?number", "batch_shape": "?shape", "batch_size": "?count", "beta_1": "share", "beta_2": "share",
    "bias": "?array", "bias_initializer": "choice", "callbacks": "?objects", "class_weight": "?mapping",
    "classes": "count", "compile": "flag", "config": "mapping", "cooldown": "count from 0", "count": "count",
    "data_format": "?choice", "dilation_rate": "size", "distribution": "choice", "dtype": "choice", "dy": "array",
    "epochs": "count from 0", "epsilon": "number from 0", "expand_nested": "anything", "factor": "share",
    "filename": "path", "filepath": "path", "filters": "count", "from_logits": "flag", "groups": "count",
    "identifier": "choice", "index": "?count from 0", "instance": "mapping", "initial_epoch": "count from 0",
    "initial_value_threshold": "?number", "input_shape": "shape", "iterations": "count from 0",
    "kernel_initializer": "choice", "kernel_size": "size", "labels": "array", "layer": "choice",
    "layer_range": "?objects", "layers": "?objects", "learning_rate": "number from 0", "line_length": "?count",
    "logits": "array", "loss": "choice", "maxval": "number", "mean": "number", "metrics": "?objects",
    "min_delta": "number", "min_lr": "number from 0", "minval": "number", "mode": "choice", "momentum": "share",
    "monitor": "text", "n": "count", "name": "?name", "need_dx": "flag", "nesterov": "flag", "optimizer": "choice",
    "overwrite": "flag", "padding": "padding", "params": "anything", "path": "path", "patience": "count from 0",
    "pool_size": "size", "positions": "?objects", "print_fn": "?callable", "restore_best_weights": "flag",
    "return_dict": "flag", "rho": "share", "sample_weight": "?array", "save_best_only": "flag",
    "save_freq": "choice", "save_weights_only": "flag", "scale": "positive number", "schedule": "callable",
    "seed": "?count from 0", "separator": "separator", "shape": "extents", "show_trainable": "flag",
    "shuffle": "flag", "start_from_epoch": "count from 0", "stddev": "number from 0", "strides": "?size",
    "trainable": "flag", "units": "count", "use_bias": "flag", "validation_batch_size": "?count",
    "validation_data": "?objects of two", "validation_freq": "count", "validation_split": "share", "value": "number",
    "variables": "weights", "verbose": "verbosity", "weight": "array", "weight_shape": "shape",
    "weights": "weights", "x": "array", "x_shape": "shape", "y": "array", "size": "count", "source": "path",
    "most": "count from 0", "synchronized": "flag", "communicator": "?choice", "timeout": "positive number",
    "share": "?choice", "output_size": "size",
    "generator": "choice", "out": "array", "on_epoch_end": "callable", "model": "anything",
}  # fmt: skip
KINDS |= {
    "objects of two": set(),
    "numbers": {"nan array"},
    "flag of python": {"true"},
    "extents of 2": set(),
    "vector": {"range"},
    "place": {"zero", "minus one"},
    "number below one": {"zero", "minus one", "minus half", "minus infinity"},
    "number above zero": {"zero", "true", "fraction", "infinity"},
    "share or pair": {"zero", "minus half"},
    "number or pair": {"zero", "minus one", "fraction", "minus half"},
    "nothing": {"zero"},
}
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

# Layers, losses and functional models.
PARAMETERS |= {
    "alpha": "number", "approximate": "flag", "beta_initializer": "choice", "center": "flag",
    "depth_multiplier": "count", "depthwise_initializer": "choice", "gamma_initializer": "choice", "inputs": "anything",
    "keepdims": "flag", "label_smoothing": "share", "max_value": "?number from 0", "moving_mean_initializer": "choice",
    "moving_variance_initializer": "choice", "negative_slope": "number from 0", "offset": "number",
    "output_padding": "?size", "outputs": "choice", "pointwise_initializer": "choice", "target_shape": "extents",
    "log_dir": "path", "histogram_freq": "count from 0", "write_graph": "flag", "write_images": "flag",
    "write_steps_per_second": "flag", "update_freq": "choice", "profile_batch": "anything",
    "to_file": "choice", "rankdir": "choice", "dpi": "count", "splines": "text", "package": "name", "obj": "callable",
    "input_tensors": "?choice",
    "clone_function": "?callable", "call_function": "?callable", "recursive": "flag", "subgraph": "flag",
    **dict.fromkeys(("show_shapes", "show_dtype", "show_layer_names", "show_layer_activations"), "flag"),
    "arguments": "anything", "custom_objects": "?mapping", "safe_mode": "flag",
    "double_checkpoint": "flag", "delete_checkpoint": "flag",
    "backup_dir": "path", "swap_on_epoch": "flag", "root": "choice", "field": "text", "headers": "?mapping",
    "send_as_json": "flag",
    "embeddings_freq": "anything", "embeddings_metadata": "anything", "json_string": "choice",
    "training": "anything", "y_pred": "array", "y_shape": "shape", "y_true": "array",
}  # fmt: skip
# Optimizers and schedules.
PARAMETERS |= {
    "amsgrad": "flag",
    "beta": "number from 0",
    "boundaries": "numbers of a list",
    "centered": "flag",
    "clipnorm": "?number from 0",
    "clipvalue": "?number from 0",
    "cycle": "flag",
    "decay_rate": "number from 0",
    "decay_steps": "positive number",
    "ema_momentum": "share",
    "ema_overwrite_frequency": "?count",
    "end_learning_rate": "number from 0",
    "first_decay_steps": "positive number",
    "global_clipnorm": "?number from 0",
    "gradient_accumulation_steps": "?count",
    "initial_accumulator_value": "number from 0",
    "initial_learning_rate": "number from 0",
    "l1_regularization_strength": "number from 0",
    "l2_regularization_strength": "number from 0",
    "l2_shrinkage_regularization_strength": "number from 0",
    "learning_rate_power": "number to 0",
    "loss_scale_factor": "?positive number",
    "m_mul": "number from 0",
    "power": "number",
    "staircase": "flag",
    "step": "count from 0",
    "t_mul": "positive number",
    "use_ema": "flag",
    "values": "numbers of a list",
    "var_list": "?objects",
    "var_names": "?objects",
    "warmup_steps": "number from 0",
    "warmup_target": "?number from 0",
    "weight_decay": "?number from 0",
}
KINDS |= {"numbers of a list": {"three"}, "number to 0": {"zero", "minus one", "minus half"}}
# Regularizers and constraints.
PENALTIES = [f"{what}_{kind}" for what in ("kernel", "bias", "depthwise", "pointwise", "alpha", "beta", "gamma")
             for kind in ("regularizer", "constraint")]  # fmt: skip
PARAMETERS |= dict.fromkeys(["activity_regularizer", *PENALTIES], "?choice") | {
    "l1": "?number from 0",
    "l2": "?number from 0",
    "min_value": "number from 0",
    "rate": "share",
}
# Losses and metrics.
PARAMETERS |= {
    "gain": "number",
    "apply_class_balancing": "flag",
    "average": "?choice",
    "class_aggregation": "?choice",
    "class_id": "?count from 0",
    "curve": "choice",
    "delta": "positive number",
    "ignore_class": "?whole number",
    "k": "count",
    "multi_label": "flag",
    "num_classes": "count",
    "num_regressors": "count from 0",
    "num_thresholds": "count",
    "precision": "share",
    "q": "open share",
    "recall": "share",
    "sensitivity": "share",
    "sparse_y_pred": "flag",
    "sparse_y_true": "flag",
    "specificity": "share",
    "summation_method": "choice",
    "target_class_ids": "nothing",
    "thresholds": "?share of lists",
    "top_k": "?count",
    "weighted_metrics": "?objects",
    "run_eagerly": "flag",
    "jit_compile": "flag of python",
    "steps_per_execution": "count",
    "auto_scale_loss": "flag",
}
KINDS |= {"whole number": {"zero", "minus one"}, "open share": set(), "share of lists": {"zero"}}
# The ops, whose names mean other things elsewhere.
PARAMETERS |= {
    "beta": "array", "gamma": "array", "inverse_deviation": "array", "moving_mean": "array",
    "moving_variance": "array", "probabilities": "array", "rate": "share", "saved": "array",
    "spatial": "flag of python", "targets": "array", "threshold": "number", "used": "array", "variance": "array",
    "loss_weights": "?number",
    "a": "array", "a_shape": "extents of 2", "arrays": "objects of two", "axis": "place", "b": "array",
    "b_shape": "extents of 2", "sizes": "extents of 2", "cropping": "padding", "interpolation": "choice",
    "steps": "?count", "steps_per_epoch": "?count", "validation_steps": "?count",
    "matrices": "array", "deltas": "array", "factors": "array", "fill_mode": "choice", "fill_value": "number",
    "low": "number below one", "high": "number above zero", "ranges": "choice", "height": "count", "width": "count",
    "height_factor": "share or pair", "width_factor": "?share or pair", "value_range": "number or pair",
    "antialias": "nothing", "crop_to_aspect_ratio": "flag", "pad_to_aspect_ratio": "flag",
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
KINDS |= {"axis": {"zero", "minus one", "three"}, "axes": {"zero", "minus one", "three"}}
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
KINDS |= {"positive share": set(), "nothing": set()}
EXCEPTIONS |= dict.fromkeys(
    ("ops.activate.x", "ops.softmax.x", "ops.log_softmax.x", "ops.dropout.x", "ops.dropout_backward.dy",
     "ops.gaussian_noise.x"), "numbers",
) | dict.fromkeys(
    ("ops.dropout.generator", "ops.dropout_backward.generator", "ops.gaussian_noise.generator",
     "ops.batch_norm_backward.mean", "ops.batch_norm_inference.mean", "ops.batch_norm_inference_backward.mean"),
    "array",
) | dict.fromkeys(("ops.activate.name", "ops.activate_backward.name"), "choice")  # fmt: skip

# Samples by themselves, and products; what all layers take.
KINDS |= {
    "dims": {"three", "empty list", "empty tuple"},
    "axes or none": {"zero", "minus one", "three", "empty list", "empty tuple"},
    "list of anything": {"list", "ragged", "empty list", "empty tuple", "three"},
    "nothing but None": {"None"},
    "count or -1": {"minus one"},
    "axis of each": {"minus one", "zero"},
    "pair from 0": {"zero", "range"},
}
PARAMETERS |= {
    "by_name": "anything",
    "noise_shape": "?choice",
    "include_optimizer": "anything",
    "skip_mismatch": "anything",
    "axes": "extents of 2",
    "dims": "dims",
    "inverse_norm": "array",
    "invert": "flag",
    "normalize": "flag",
    "shared_axes": "?axes",
    "alpha_initializer": "choice",
}
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

# Images from files, and those that are changed at random.
PARAMETERS |= {
    **dict.fromkeys(
        ("featurewise_center", "samplewise_center", "featurewise_std_normalization", "samplewise_std_normalization",
         "zca_whitening", "horizontal_flip", "vertical_flip", "augment", "follow_links", "keep_aspect_ratio", "upright",
         "ignore_class_split"), "flag",
    ),
    **dict.fromkeys(
        ("zca_epsilon", "rotation_range", "shear_range", "channel_shift_range", "cval"), "number",
    ),
    "width_shift_range": "number or list", "height_shift_range": "number or list", "zoom_range": "number",
    "brightness_range": "?nothing at all", "rescale": "?number", "preprocessing_function": "?callable",
    "interpolation_order": "zero or one", "rounds": "count", "directory": "choice", "target_size": "size",
    "color_mode": "choice", "class_mode": "?choice", "save_to_dir": "?text", "save_prefix": "name",
    "save_format": "text", "subset": "?choice", "img_shape": "shape of an image", "image_size": "size",
    "label_mode": "?choice", "class_names": "?objects", "antialias": "flag", "format": "?choice", "order": "count",
}  # fmt: skip
KINDS |= {
    "number or list": {"zero", "minus one", "fraction", "minus half", "three", "range"},
    "anything of two": {"list", "objects", "texts", "range"},
    "nothing at all": set(),
    "zero or one": {"zero", "true"},
    "shape of an image": {"three"},
}
EXCEPTIONS |= {
    "ImageDataGenerator.validation_split": "number from 0 below one", "ImageDataGenerator.dtype": "?choice",
    "ImageDataGenerator.flow.y": "?anything of two", "ImageDataGenerator.flow.sample_weight": "?anything of two",
    "ImageDataGenerator.flow_from_directory.classes": "?objects", "utils.image_dataset_from_directory.labels": "?none",
    "utils.image_dataset_from_directory.validation_split": "?nothing at all",
    "utils.image_dataset_from_directory.verbose": "anything", "utils.load_img.target_size": "?extents of an image",
}  # fmt: skip
KINDS |= {
    "number from 0 below one": {"zero"},
    "extents of an image": {"three"},
    "none": set(),
    "labels": {"zero", "true", "three", "range"},
}

# Loops of one's own, and what is chosen for all.
PARAMETERS |= {
    "add_history": "flag",
    "add_progbar": "flag",
    "target": "?count from 0",
    "width": "count",
    "interval": "number from 0",
    "stateful_metrics": "?texts",
    "stateless_metrics": "?texts",
    "unit_name": "text",
    "current": "count from 0",
    "finalize": "anything",
    "policy": "choice",
}
EXCEPTIONS |= {
    "Progbar.update.values": "?pairs",
    "Progbar.add.values": "?pairs",
    "Progbar.add.n": "count from 0",
    "config.set_epsilon.value": "positive number",
    "config.set_floatx.value": "choice",
    "config.set_image_data_format.data_format": "choice",
}
KINDS |= {
    "texts": {"empty list", "empty tuple", "dict", "texts"},
    "pairs": {"empty list", "empty tuple", "dict"},
}

# Sequences, and data sets in parts.
PARAMETERS |= {
    "sequences": "sequences",
    "maxlen": "?count",
    "truncating": "choice",
    "dataset": "rows",
    "left_size": "?nothing at all",
    "right_size": "?nothing at all",
    "data": "anything of three",
}
EXCEPTIONS |= {
    "utils.pad_sequences.dtype": "type",
    "utils.pad_sequences.padding": "choice",
    "utils.pad_sequences.value": "number of any kind",
}
KINDS |= {
    "rows": {"objects", "texts", "complex array", "nan array", "three", "range"},
    "sequences": {"empty list", "empty tuple", "ragged", "dict", "set"},
    "type": {"None", "class", "text"},
    "number of any kind": {
        "true",
        "zero",
        "minus one",
        "fraction",
        "minus half",
        "numpy nan",
        "range",
    },
    "anything of three": set(VALUES) - {"empty list", "empty tuple"},
}

# Pictures, and gradients with respect to the input.
PARAMETERS |= {"history": "choice", "image": "array", "scores": "flag"}
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
KINDS |= {"range": {"zero", "true", "range"}, "port": {"zero"}, "settings": {"dict"}}

# Reports and servers.
PARAMETERS |= {
    "names": "?list of anything",
    "results": "choice",
    "settings": "?settings",
    "limits": "?choice",
    "port": "port",
}
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

# What an error may call the argument by.
ALIASES = {
    "identifier": "optimizer|loss|metric|initializer|activation|schedule|regularizer|constraint",
    **{name: name.rpartition("_")[2] for name in ["activity_regularizer", *PENALTIES]},
    **{name: "initializer" for name in PARAMETERS if name.endswith("_initializer")},
    "layers": "layer|Layer", "layer": "Layer", "metrics": "metric", "weighted_metrics": "metric",
    "schedule": "schedule",
    "validation_batch_size": "batch_size", "weights": "kernel|bias", "variables": "state",
    "class_weight": "class_weight", "validation_data": "fit, validation: [xy]", "x_shape": "x",
    "steps_per_epoch": "steps", "validation_steps": "steps",
    "y_true": "labels|targets", "y_pred": "probabilities|logits|y", "input_shape": "sample's shape", "path": "folders",
}  # fmt: skip
