"""The kind of each parameter, by its name: kinds.py says what that takes, exceptions.py has other ones."""

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

# Pictures, and gradients with respect to the input.
PARAMETERS |= {"history": "choice", "image": "array", "scores": "flag"}

# Reports and servers.
PARAMETERS |= {
    "names": "?list of anything",
    "results": "choice",
    "settings": "?settings",
    "limits": "?choice",
    "port": "port",
}

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
