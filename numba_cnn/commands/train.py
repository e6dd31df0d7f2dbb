"""numba-cnn train."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn.commands import arguments as common
from numba_cnn.commands import data as images
from numba_cnn.commands import networks, reporting, runs
from numba_cnn.commands.data import Data

HELP = """train a model on images, save it, and write a report

DATA is one of
  digits, shapes     sets that need no download
  a .npz file        x_train, y_train, x_test, y_test
  a folder           with a folder of images for each class, or with
                     train/ and test/ that have them
  a folder           with images/ and masks/ of the same names: a class for
                     each pixel, for --model unet

Every fifth image of each class is for testing (unless test/ has them),
every tenth of the others for validation. The folder --out then has

  model.keras    the trained model, with its classes' names
  history.csv    a line for each epoch
  config.toml    the options, for --config
  report.html    what came out (needs the extra "plots")
  backup/        where training stands, for --resume

examples:
  numba-cnn train --data photos --model vgg --augment flip,rotate
  numba-cnn train --data photos --epochs 50 --patience 5 --balance
  numba-cnn train --resume out"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_data(parser)
    parser.add_argument(
        "--model",
        type=networks.name,
        default="tutorial",
        metavar="MODEL",
        help=f"{', '.join(networks.NAMES)}, or a .keras, .h5 or .json file to begin with; default: tutorial",
    )
    parser.add_argument(
        "--epochs", type=common.positive, default=12, metavar="N", help="default: 12"
    )
    parser.add_argument(
        "--learning-rate",
        type=common.rate,
        default=0.001,
        metavar="X",
        help="of the optimizer, at the start; default: 0.001",
    )
    parser.add_argument(
        "--schedule",
        choices=tuple(runs.SCHEDULES),
        default="linear",
        help="how the learning rate falls to 0 over the epochs; default: linear",
    )
    parser.add_argument(
        "--optimizer", type=common.optimizer, default="adam", metavar="NAME", help="default: adam"
    )
    _add_run(parser)
    common.add_machine(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--augment",
        type=networks.augmentations,
        default="shift",
        metavar="LIST",
        help=f"what happens to images in training, commas between: {', '.join(networks.AUGMENTATIONS)}; or none; "
        "default: shift",
    )
    parser.add_argument(
        "--balance",
        action="store_true",
        help="weigh classes in the loss so that rare ones count as much",
    )
    parser.add_argument(
        "--patience",
        type=common.positive,
        metavar="N",
        help="stop after N epochs without a better loss of validation, and take the best weights",
    )
    parser.add_argument("--seed", type=common.seed, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--out", default="out", metavar="FOLDER", help="the run's folder; default: out"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite a run that is in the folder --out"
    )
    parser.add_argument(
        "--resume",
        metavar="FOLDER",
        help="go on with the run in that folder, by its own options, where it was stopped or killed",
    )
    parser.add_argument(
        "--no-report", dest="report", action="store_false", help="write no report.html"
    )


def run(arguments: argparse.Namespace) -> int | None:
    arguments = runs.options(arguments)
    from numba_cnn import session

    session.set_random_seed(arguments.seed)
    out = Path(arguments.out)
    side = arguments.image_size
    channels = 1 if arguments.model == "lenet" else 3
    data = images.load(arguments.data, side and (side, side), arguments.batch_size, channels)
    model = networks.network(arguments.model, data, arguments.data)
    trained = networks.augmented(model, arguments.augment)
    for one in {id(model): model, id(trained): trained}.values():
        _compile(one, arguments)
    first = common.distribute(trained, arguments)
    model.class_names = data.class_names
    model.summary()
    if first:
        out.mkdir(parents=True, exist_ok=True)
        runs.begin(out, arguments)
    print(
        f"\nTraining on {len(data.train.y)} images of {arguments.data}, {len(data.validation.y)} more for "
        f"validation; backend {model.backend.NAME}",
        flush=True,
    )
    try:
        history = _fit(trained, data, arguments, out)
    except runs.Stopped as stop:
        if not first:
            raise
        model.save(out / "model.keras")
        print(
            f"\n{stop}; saved {out / 'model.keras'}. Go on with: numba-cnn train --resume {out}",
            file=sys.stderr,
        )
        raise
    if first:
        model.save(out / "model.keras")
        _finish(history, data, arguments, out)
    return None


def _compile(model: Any, arguments: argparse.Namespace) -> None:
    from numba_cnn import optimizers

    optimizer = optimizers.get(arguments.optimizer)
    optimizer.learning_rate = arguments.learning_rate
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], backend=arguments.backend)


def _fit(model: Any, data: Data, arguments: argparse.Namespace, out: Path) -> Any:
    validation = data.validation
    tests: Any = validation.fit_arguments
    given = (tests["x"], tests["y"]) if "y" in tests else tests["x"]
    return model.fit(
        **data.train.fit_arguments,
        batch_size=None if isinstance(data.train.x, images.Files) else arguments.batch_size,
        epochs=arguments.epochs,
        validation_data=given if len(validation.y) else None,
        class_weight=_balanced(data) if arguments.balance else None,
        callbacks=runs.callbacks(arguments, out, len(validation.y) > 0),
    )


def _balanced(data: Data) -> dict[int, float]:
    """Weights by which each class counts the same."""
    counts = np.bincount(data.train.y.reshape(-1), minlength=data.classes)
    return {
        i: float(counts.sum() / (np.count_nonzero(counts) * n)) for i, n in enumerate(counts) if n
    }


def _finish(history: Any, data: Data, arguments: argparse.Namespace, out: Path) -> None:
    """Test what was saved, which by now is this process's alone, and say what is where."""
    from numba_cnn import models

    model = models.load_model(out / "model.keras", backend=arguments.backend)
    results = reporting.results_of(model, data.test, arguments.batch_size, data.class_names)
    written = [str(out / "model.keras"), str(out / "history.csv"), str(out / "config.toml")]
    if arguments.report and reporting.can_draw():
        from numba_cnn import reports

        reports.write(
            out / "report.html", model, results, history=history, settings=vars(arguments)
        )
        written.append(str(out / "report.html"))
    reporting.show(results)
    print(f"Saved {', '.join(written[:-1])} and {written[-1]}")
