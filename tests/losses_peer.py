"""What Keras's own losses and metrics give, for test_losses_against_keras.py and test_metrics_against_keras.py.

`python losses_peer.py FOLDER` reads cases.json, {"losses" or "metrics": {name: [class, settings, kind of data]}}, and
writes answers.npz and answers.json: values, gradients, functions' values, configurations and signatures.
"""

import json
import sys
from pathlib import Path

import numpy as np
import optimizers_peer


def data(kind):
    """(targets, outputs, weights of the samples) of a kind."""
    rng = np.random.default_rng(3)
    shape = (4, 3, 5, 6) if "pixels" in kind else (7, 6)
    rows = shape[:-1]
    y = rng.standard_normal(shape)
    if "positive" in kind or "shares" in kind:
        y = np.exp(y)
    if "shares" in kind:
        y /= y.sum(-1, keepdims=True)
    if "probabilities" in kind:
        y = rng.uniform(0.01, 0.99, shape)
    if "labels" in kind:
        t = rng.integers(0, shape[-1], rows)
        if "ignored" in kind:
            t[rng.random(rows) < 0.3] = -1
    elif "one-hot" in kind:
        t = np.eye(shape[-1])[rng.integers(0, shape[-1], rows)]
    elif "yes or no" in kind:
        t = rng.integers(0, 2, shape)
    else:
        t = np.abs(rng.standard_normal(shape)) if "positive" in kind else rng.standard_normal(shape)
    weights = rng.uniform(0.5, 2, shape[:1]).astype(np.float32)
    t = t.astype(np.int32) if "labels" in kind else t.astype(np.float32)
    return t, y.astype(np.float32), weights


def main(folder):
    import jax
    import keras

    arrays, answers = {}, {"configs": {}, "signatures": {}, "results": {}}
    cases = json.loads((folder / "cases.json").read_text())
    for name, (cls, settings, kind) in cases.get("losses", {}).items():
        loss = getattr(keras.losses, cls)(**settings)
        t, y, weights = data(kind)
        ndim = np.ndim(loss.call(t, y))
        weights = weights.reshape(-1, *[1] * (ndim - 1))
        for key, w in (("plain", None), ("weighted", weights)):
            value, gradient = jax.value_and_grad(lambda p, t=t, w=w, loss=loss: loss(t, p, w))(y)
            arrays |= {f"{name}/{key}": value, f"{name}/{key}/dy": gradient}
        arrays[f"{name}/function"] = loss.call(t, y)
        answers["configs"][name] = loss.get_config()
        answers["signatures"][cls] = optimizers_peer.defaults(type(loss))
    for name, (cls, settings, kind) in cases.get("metrics", {}).items():
        t, y, weights = data(kind)
        results = []
        for w in (None, weights):
            metric = getattr(keras.metrics, cls)(**settings)
            half = len(t) // 2
            for part in (slice(0, half), slice(half, None)):
                given = (y[part],) if cls in ("Mean", "Sum") else (t[part], y[part])
                if cls == "Mean" or cls == "Sum":
                    weight = None if w is None else np.broadcast_to(w[part, None], y[part].shape)
                else:
                    weight = None if w is None else w[part]
                if "images" in kind and weight is not None:
                    weight = None
                metric.update_state(*given, sample_weight=weight)
            results.append(np.array(metric.result()).tolist())
        answers["results"][name] = results
        answers["configs"][name] = metric.get_config()
        answers["signatures"][cls] = optimizers_peer.defaults(type(metric))
    answers["functions"] = {}
    for name, (kind, settings) in cases.get("functions", {}).items():
        t, y, _ = data(kind)
        answers["functions"][name] = np.array(
            getattr(keras.metrics, name)(t, y, **settings)
        ).tolist()
    np.savez(folder / "answers.npz", **{key: np.asarray(a) for key, a in arrays.items()})
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
