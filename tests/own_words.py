"""Clones of models and small utilities, in either library's words."""

import re
import warnings

import numpy as np
import pydot

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(4, 5)


def branches(keras):
    """A compiled model with a layer that is called twice, and one inside."""
    layers = keras.layers
    inside = keras.Sequential([layers.Input((5,)), layers.Dense(5, name="deep")], name="inside")
    start, shared = layers.Input((5,), name="start"), layers.Dense(5, "relu", name="shared")
    joined = layers.Add(name="joined")([shared(start), shared(inside(start))])
    model = keras.Model(
        start, layers.Dense(2, name="top")(layers.Dropout(0.5, name="drop")(joined))
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in model.weights])
    model.compile(keras.optimizers.SGD(0.25), "mse", metrics=["mae"], run_eagerly=True)
    return model


def told(model):
    """What a clone is: its layers, whether it is compiled, and how."""
    optimizer = getattr(model, "optimizer", None)  # which Keras's models lack before compile
    return {
        "layers": [[type(layer).__name__, layer.name] for layer in model.layers],
        "weights": [list(w.shape) for w in model.weights],
        "rate": None if optimizer is None else float(optimizer.learning_rate),
        "name": model.name,
    }


def clones(keras):
    keras.backend.clear_session()
    clone_model, layers = keras.models.clone_model, keras.layers
    model = branches(keras)

    def wider(layer):
        config = layer.get_config()
        return type(layer).from_config(config | ({"units": 7} if layer.name == "top" else {}))

    def followed(layer, *inputs, **settings):
        given = layer(*inputs, **settings)
        return layers.ReLU(name="after")(given) if layer.name == "joined" else given

    def again(layer):
        return layer

    stack = keras.Sequential([layers.Input((5,)), layers.Dense(3, name="one")], name="stack")
    shared = clone_model(model, clone_function=again)
    nested = clone_model(model, clone_function=wider, recursive=True)
    other = layers.Input((5,), name="other")
    unbuilt = keras.Sequential([layers.Dense(3, name="late")], name="unbuilt")
    return {
        "plain": told(clone_model(model)),
        "wider": told(clone_model(model, clone_function=wider)),
        "followed": told(clone_model(model, call_function=followed)),
        "shared": shared.predict(X, verbose=0).tolist(),
        "shared layers": [a is b for a, b in zip(shared.layers[1:], model.layers[1:], strict=True)],
        "nested": told(nested),
        "nested layers": [a is b for a, b in zip(nested.layers, model.layers, strict=True)],
        "other input": told(clone_model(model, input_tensors=other)),
        "stack": told(clone_model(stack)),
        "wider stack": told(clone_model(stack, clone_function=again)),
        "of another input": told(clone_model(stack, input_tensors=other, clone_function=wider)),
        "unbuilt": clone_model(unbuilt, clone_function=wider).built,
        "refused": refused(lambda: clone_model(stack, call_function=followed)),
    }


def refused(call):
    """The kind of error, or None."""
    try:
        call()
    except (TypeError, ValueError) as error:
        return type(error).__name__
    return None


def utilities(keras):
    pad, utils = keras.utils.pad_sequences, keras.utils
    rows = [[1], [2, 3], [], [4, 5, 6]]
    start = keras.layers.Input((3,))
    padded = {
        "as they come": pad(rows),
        "at the end": pad(rows, padding="post", value=-1, dtype="float32"),
        "cut": pad(rows, maxlen=2),
        "cut at the end": pad(rows, maxlen=2, truncating="post"),
        "wide": pad(rows, maxlen=5),
        "of rows": pad([np.ones((2, 3)), np.zeros((1, 3))], dtype="float64"),
        "texts": pad([["a"], ["b", "c"]], dtype=object, value="-"),
    }
    calls = {
        "numbers": lambda: pad([1, 2]),
        "a curve": lambda: keras.metrics.AUC(curve="Roc"),
        "a method": lambda: keras.metrics.AUC(summation_method="MINORING"),
        "a number": lambda: pad(3),
        "padding": lambda: pad(rows, padding="before"),
        "truncating": lambda: pad(rows, truncating="before"),
        "ragged": lambda: pad([[[1, 2]], [[1]]]),
        "text": lambda: pad(rows, value="a"),
        "too many": lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)),
    }
    return {
        "padded": {name: [str(found.dtype), found.tolist()] for name, found in padded.items()},
        "packed": [
            repr(utils.pack_x_y_sample_weight(*given)) for given in ((1,), ([1],), (1, 2), (1, 2, 3))
        ],
        "unpacked": [
            repr(utils.unpack_x_y_sample_weight(given)) for given in (1, (1,), [1, 2], (1, 2, 3))
        ],
        "tensors": [bool(utils.is_keras_tensor(one)) for one in (start, X, 3)],
        "dtypes": [
            [keras.backend.is_float_dtype(name), keras.backend.is_int_dtype(name)]
            for name in ("float32", "float16", "int8", "uint8", "bool", "bfloat16")
        ],
        "areas": [
            [metric.get_config()[key] for key in ("curve", "summation_method")]
            for curve, method in (("roc", "Minoring"), ("ROC", "minoring"), ("pr", "Interpolation"))
            for metric in [keras.metrics.AUC(curve=curve, summation_method=method)]
        ],
        "refused": {name: refused(call) for name, call in calls.items()},
    }  # fmt: skip


def drawn(text):
    """The cells of each box of a graph in the DOT language, its edges, and the frames."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydot's own parser
        (graph,) = pydot.graph_from_dot_data(text)
    boxes, edges, frames = {}, [], []

    def look(part):
        for node in part.get_nodes():
            label = node.get("label")
            if label is not None and node.get_name() not in ("node", "graph"):
                said = re.sub(r'<[^>]*>|[{}|"<>]', " ", label).split()
                boxes[node.get_name().strip('"')] = " ".join(said)
        edges.extend(
            (e.get_source().strip('"'), e.get_destination().strip('"')) for e in part.get_edges()
        )
        for below in part.get_subgraphs():
            frames.append(below.get_name().strip('"'))
            look(below)

    look(graph)
    named = [[boxes[a].split(" (")[0], boxes[b].split(" (")[0]] for a, b in edges]
    return {"boxes": sorted(boxes.values()), "edges": sorted(named), "frames": frames}


def graphs(keras):
    keras.backend.clear_session()
    model, told = branches(keras), keras.utils.model_to_dot
    everything = dict.fromkeys(
        ("show_shapes", "show_dtype", "show_layer_activations", "show_trainable"), True
    )
    stack = keras.Sequential(
        [keras.layers.Input((5,)), keras.layers.Dense(3, name="one"), keras.layers.ReLU(name="two")]
    )
    return {
        "plain": drawn(told(model).to_string()),
        "all": drawn(told(model, **everything).to_string()),
        "inside": drawn(told(model, expand_nested=True, rankdir="LR").to_string()),
        "stack": drawn(told(stack, show_shapes=True).to_string()),
        "classes": drawn(told(stack, show_layer_names=False).to_string())["boxes"],
        "frame": "subgraph" in told(stack, subgraph=True).to_string(),
        "unbuilt": refused(lambda: told(keras.Sequential([keras.layers.Dense(3)]))),
    }


CASES = {"graphs": graphs, "clones": clones, "utilities": utilities}
