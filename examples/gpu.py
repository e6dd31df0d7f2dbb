"""The same model on the GPU, if there is one: parameters, kernels and batches live there."""

import numpy as np

from numba_cnn import backends, datasets, models


def main():
    (x, y), _ = datasets.digits(32)
    x, y = x[:256], y[:256]
    found = {}
    for name in ("cpu", "cuda"):
        if name not in backends.available():
            print(f"{name}: not here; available: {', '.join(backends.available())}")
            continue
        model = models.tutorial_cnn(x.shape[1:])
        model.set_weights([np.full(w.shape, 0.01, np.float32) for w in model.get_weights()])
        model.compile("sgd", "sparse_categorical_crossentropy", backend=name)
        found[name] = model.fit(x, y, epochs=1, shuffle=False, verbose=0).history["loss"][0]
        print(f"{name}: loss {found[name]:.4f}")


if __name__ == "__main__":
    main()
