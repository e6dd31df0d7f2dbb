"""What Keras's own optimizers do, for test_optimizers_against_keras.py.

`python optimizers_peer.py FOLDER` reads cases.json, {name: [class, arguments]}, and writes answers.npz and
answers.json: the weights after each of STEPS steps from the same gradients, the state, the configuration, the
parameters of each constructor with their defaults, the learning rates of the schedules. It reads ours_NAME.keras, the
files of a model that was trained with each, and writes theirs_NAME.keras.
"""

import inspect
import json
import sys
from pathlib import Path

import numpy as np

SHAPES = [(3, 2, 5), (7,)]
STEPS = 6
EAGER = {
    "run_eagerly": True
}  # compiling takes longer than so few steps, and averages share their weights' memory
SCHEDULED = (0, 1, 2, 3, 5, 7, 10, 13, 20, 31, 50, 64, 100)


def weights():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def gradients(step):
    rng = np.random.default_rng(step + 1)
    return [(3 * rng.standard_normal(shape)).astype(np.float32) for shape in SHAPES]


def made(namespace, case):
    """The optimizer of a case, whose learning rate may be a schedule: [class, arguments]."""
    name, arguments = case
    arguments = dict(arguments)
    if isinstance(arguments.get("learning_rate"), list):
        schedule, settings = arguments["learning_rate"]
        arguments["learning_rate"] = getattr(namespace.schedules, schedule)(**settings)
    return getattr(namespace, name)(**arguments)


def data():
    rng = np.random.default_rng(5)
    return rng.standard_normal((24, 6)).astype(np.float32), np.arange(24) % 3


def model(layers, models, optimizer, **settings):
    built = models.Sequential([layers.Input((6,)), layers.Dense(4), layers.Dense(3)])
    rng = np.random.default_rng(7)
    built.set_weights([rng.standard_normal(w.shape).astype(np.float32) for w in built.weights])
    built.compile(optimizer, "mean_squared_error", **settings)
    return built


def fit(built, epochs=2):
    x, y = data()
    onehot = np.eye(3, dtype=np.float32)[y]
    return built.fit(x, onehot, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history[
        "loss"
    ]


def defaults(cls):
    parameters = inspect.signature(cls).parameters.values()
    return {
        p.name: p.default if p.default is not p.empty else "required"
        for p in parameters
        if p.kind is not p.VAR_KEYWORD
    }


def main(folder):
    import keras

    arrays, answers = {}, {"signatures": {}, "configs": {}, "rates": {}, "losses": {}}
    cases = json.loads((folder / "cases.json").read_text())
    for name, case in cases["optimizers"].items():
        optimizer = made(keras.optimizers, case)
        variables = [keras.Variable(value, name=f"w{i}") for i, value in enumerate(weights())]
        optimizer.build(variables)
        for step in range(STEPS):
            optimizer.apply([keras.ops.array(g) for g in gradients(step)], variables)
            arrays |= {f"{name}/{step}/{i}": np.array(v) for i, v in enumerate(variables)}
        arrays |= {f"{name}/state/{i}": np.array(v) for i, v in enumerate(optimizer.variables)}
        answers["configs"][name] = optimizer.get_config()
        answers["signatures"][case[0]] = defaults(getattr(keras.optimizers, case[0]))
        if (folder / f"ours_{name}.keras").exists():
            ours = keras.models.load_model(folder / f"ours_{name}.keras")
            ours.run_eagerly = True
            state = [np.array(v) for v in ours.optimizer.variables]
            arrays |= {f"{name}/ours/{i}": v for i, v in enumerate(state)}
            answers["losses"][f"ours_{name}"] = fit(ours)
        theirs = model(keras.layers, keras.models, made(keras.optimizers, case), **EAGER)
        fit(theirs)
        theirs.save(folder / f"theirs_{name}.keras")
        answers["losses"][name] = fit(theirs)
    for name, (cls, settings) in cases["schedules"].items():
        schedule = getattr(keras.optimizers.schedules, cls)(**settings)
        answers["rates"][name] = [float(schedule(step)) for step in SCHEDULED]
        answers["configs"][name] = schedule.get_config()
        answers["signatures"][cls] = defaults(type(schedule))
    np.savez(folder / "answers.npz", **arrays)
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
