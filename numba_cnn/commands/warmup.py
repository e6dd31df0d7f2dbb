"""numba-cnn warmup."""

from __future__ import annotations

import argparse
import time
from typing import Any

from numba_cnn.commands import arguments as common

HELP = """compile a model's kernels ahead, so that the first call need not wait

Kernels are compiled when they are first called, and kept in a cache: run this
where a model is installed, as one builds a container.

example:
  numba-cnn warmup out"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"{common.MODEL_HELP}; default: the tutorial's"
    )
    parser.add_argument(
        "--batch-size", type=common.positive, default=32, metavar="N", help="default: 32"
    )
    parser.add_argument("--inference", action="store_true", help="what training runs is not needed")
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto"
    )


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import models
    from numba_cnn.reports import measuring

    for name in arguments.models or [None]:
        start = time.perf_counter()
        if name is None:
            model: Any = models.tutorial_cnn()
            loss = "sparse_categorical_crossentropy"
            model.compile("adam", loss, metrics=["accuracy"], backend=arguments.backend)
        else:
            arguments.model = name
            model = common.load(arguments)
        x = measuring.samples(model, arguments.batch_size)
        model.predict(x, verbose=0)
        model.predict(x[:1], verbose=0)
        if not arguments.inference:
            _train(model, x)
        print(f"{name or 'tutorial'}: {time.perf_counter() - start:.1f} s", flush=True)
    return None


def _train(model: Any, x: Any) -> None:
    """One step, after which the model is as it was."""
    import numpy as np

    before = model.get_weights()
    labels = np.zeros((len(x), *model.output_shape[1:-1]), np.int64)
    model.fit(x, labels, verbose=0)
    model.set_weights(before)
