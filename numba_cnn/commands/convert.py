"""numba-cnn convert."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

from numba_cnn.commands import arguments as common

HELP = """write a model in another format

TARGET ends in one of
  .keras         Keras 3: model, weights and optimizer
  .h5            Keras 2: model and weights
  .weights.h5    the weights alone, as Keras 3 has them
  .npz           the weights alone: an array for each, by its path
  .json          the layers alone

example:
  numba-cnn convert out weights.npz"""

_ENDINGS = ".weights.h5", ".keras", ".h5", ".npz", ".json"


def add(parser: argparse.ArgumentParser) -> None:
    common.add_model(parser)
    parser.add_argument(
        "target",
        type=common.file_in(*_ENDINGS),
        metavar="TARGET",
        help=f"a file that ends in {', '.join(_ENDINGS)}",
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import files, models

    target = arguments.target
    ending = next(one for one in _ENDINGS if target.endswith(one))
    model = models.load_model(common.model_file(arguments.model), backend="cpu")
    if Path(target).exists() and not arguments.force:
        raise ValueError(f"there is a file already; --force overwrites it. Received: {target}")
    if ending in (".keras", ".h5"):
        model.save(target)
    elif ending == ".weights.h5":
        model.save_weights(target)
    else:
        with files.replacing(Path(target)) as file:
            file.write(model.to_json().encode() if ending == ".json" else _arrays(model))
    print(f"Saved {target}")
    return None


def _arrays(model) -> bytes:  # type: ignore[no-untyped-def]
    content = io.BytesIO()
    np.savez(content, **{parameter.path: parameter.numpy() for parameter in model.weights})
    return content.getvalue()
