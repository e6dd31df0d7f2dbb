"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from numba_cnn import nearest

if TYPE_CHECKING:
    from numba_cnn.commands.data import Data
    from numba_cnn.models.files import Saved

N = TypeVar("N", int, float)
MODEL_HELP = "a .keras or .h5 file, or the folder that train left"


def _numbers(
    read: Callable[[str], N], allowed: Callable[[N], bool], name: str
) -> Callable[[str], N]:
    """What reads such numbers; others are wrong values, which argparse calls by the name."""

    def check(text: str) -> N:
        number = read(text)
        if not allowed(number):
            raise ValueError(text)
        return number

    check.__name__ = name
    return check


positive = _numbers(int, lambda n: n >= 1, "positive integer")
share = _numbers(float, lambda n: 0 < n < 1, "number between 0 and 1")
rate = _numbers(float, lambda n: 0 < n < float("inf"), "number above 0")
port = _numbers(int, lambda n: 0 <= n < 2**16, "port from 0 to 65535")
seed = _numbers(int, lambda n: 0 <= n < 2**32, "integer from 0 to 2**32 - 1")


def file_in(*endings: str) -> Callable[[str], str]:
    """A path that ends in one of these."""

    def check(text: str) -> str:
        if not text.endswith(endings) or Path(text).name in endings:
            raise argparse.ArgumentTypeError(
                f"must end in {', '.join(endings)}. Received: {nearest.shown(text)}"
            )
        return text

    return check


def optimizer(text: str) -> str:
    """The name of an optimizer, known to be one."""
    from numba_cnn import optimizers

    try:
        optimizers.get(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)


def add_data(parser: argparse.ArgumentParser, default: str | None = "digits") -> None:
    said = "default: digits" if default else "default: what the run was trained on, or digits"
    parser.add_argument(
        "--data",
        default=default,
        metavar="DATA",
        help=f"digits, shapes, an .npz file, or a folder of images: see train --help; {said}",
    )
    parser.add_argument(
        "--image-size",
        type=positive,
        metavar="N",
        help="pixels that images of a folder are brought to, N x N; default: 64, or as the model takes them",
    )
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N", help="default: 32")


def add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto"
    )
    parser.add_argument("--threads", type=positive, metavar="N", help="of the CPU; default: all")
    add_config(parser)


def add_measured(parser: argparse.ArgumentParser) -> None:
    """What is measured: a model, the tutorial's if none is given, on so many images and threads."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help=f"{MODEL_HELP}; default: the tutorial's"
    )
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N", help="default: 32")
    parser.add_argument("--threads", type=positive, metavar="N", help="default: all")


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="a TOML file with a line for each option, such as epochs = 20; what is given here counts more",
    )


def set_threads(arguments: argparse.Namespace) -> None:
    if arguments.threads is not None:
        from numba_cnn import config

        config.set_num_threads(arguments.threads)


def distribute(model: Any, arguments: argparse.Namespace) -> bool:
    """Have the processes that mpiexec started run the model together; whether this one prints and saves."""
    from numba_cnn import distributed

    first = distributed.launched() == 1 or bool(model.distribute().is_first)
    if not first:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (until the process ends)
    set_threads(arguments)
    return first


def load(arguments: argparse.Namespace) -> Saved:
    """The model of the file or of the run folder, compiled in any case, on the backend asked for."""
    from numba_cnn import models

    backend = getattr(arguments, "backend", "cpu")
    model: Any = models.load_model(model_file(arguments.model), backend=backend)
    if model.loss is None:
        loss = "sparse_categorical_crossentropy"
        model.compile("adam", loss, metrics=["accuracy"], backend=backend)
    return model  # type: ignore[no-any-return]


def model_file(given: str) -> Path:
    """The model's file, of a run folder too."""
    path = Path(given)
    return path / "model.keras" if path.is_dir() else path


def run_settings(given: str) -> dict[str, Any]:
    """What the run folder that MODEL is, or lies in, says of its run; nothing of other files."""
    from numba_cnn.commands.configuration import read_toml

    path = Path(given)
    config = (path if path.is_dir() else path.parent) / "config.toml"
    return read_toml(config) if config.is_file() else {}


def image_shape(model: Saved) -> tuple[int, int, int]:
    """The (H, W, C) of a model's input; extents that it leaves open are 64."""
    match model.input_shape:
        case (None, H, W, int(C)) if all(isinstance(n, int | None) for n in (H, W)):
            return H or 64, W or 64, C
    raise ValueError(f"the model takes no images. Received: inputs {model.input_shape}")


def data_of(arguments: argparse.Namespace, model: Saved) -> Data:
    """The images of --data, or those that the run was trained on, as large as the model takes them."""
    from numba_cnn.commands import data

    settings = run_settings(arguments.model)
    source = arguments.data or str(settings.get("data", "digits"))
    side = arguments.image_size or settings.get("image-size")
    size = (int(side), int(side)) if isinstance(side, int) else None
    channels = 3
    if size is None and isinstance(model.input_shape, tuple) and len(model.input_shape) == 4:
        H, W, _ = image_shape(model)
        size = (H, W)
    if isinstance(model.input_shape, tuple) and model.input_shape[-1] == 1:
        channels = 1
    return data.load(source, size, arguments.batch_size, channels)
