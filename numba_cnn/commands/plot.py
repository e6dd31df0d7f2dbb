"""numba-cnn plot."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba_cnn.commands import arguments as common
from numba_cnn.commands import reporting

HELP = """draw a model: its layers, what it learned, where it looks, what it gets wrong

KIND is one of
  blocks        the network as tutorials draw it
  graph         a box for each layer, arrows between (.svg needs no extra)
  curves        loss and metrics over the epochs, of a run folder
  filters       of the first convolution
  maps          what the first test image becomes after every layer
  confusion     who is taken for whom
  mistakes      the surest ones
  grad-cam      which parts of images speak for what the model says
  saliency      which pixels do
  embeddings    the test images in the plane, alike ones near one another

FILE ends in .png, .svg or .pdf. Needs the extra "plots".

examples:
  numba-cnn plot blocks out
  numba-cnn plot grad-cam out --images photos/cat/*.jpg --out cats.png"""


def _drawn(name: str) -> Callable[..., Any]:
    """A figure of a model alone."""

    def draw(model: Any, arguments: argparse.Namespace) -> Any:
        from numba_cnn import plots

        return getattr(plots, name)(model)

    return draw


def _on_images(name: str, count: int) -> Callable[..., Any]:
    """A figure of a model and so many images."""

    def draw(model: Any, arguments: argparse.Namespace) -> Any:
        import numpy as np

        from numba_cnn import plots

        if arguments.images:
            from numba_cnn.datasets.read_image import read_image

            H, W, C = common.image_shape(model)
            x = np.stack([read_image(path, (H, W), C) for path in arguments.images[:count]])
        else:
            part = common.data_of(arguments, model).test
            places = np.linspace(0, len(part.y) - 1, min(count, len(part.y))).astype(int)
            x = part.images(places)
        return getattr(plots, name)(model, x[0] if count == 1 else x)

    return draw


def _on_data(name: str) -> Callable[..., Any]:
    """A figure of a model and the test images with their classes."""

    def draw(model: Any, arguments: argparse.Namespace) -> Any:
        from numba_cnn import plots

        data = common.data_of(arguments, model)
        if data.class_names is not None and model.class_names is None:
            model.class_names = data.class_names
        return getattr(plots, name)(model, data.test.images(range(len(data.test.y))), data.test.y)

    return draw


def _curves(model: Any, arguments: argparse.Namespace) -> Any:
    from numba_cnn import plots
    from numba_cnn.reports.history import read_history

    path = Path(arguments.model)
    return plots.curves(read_history((path if path.is_dir() else path.parent) / "history.csv"))


_KINDS: dict[str, Callable[..., Any]] = {
    "blocks": _drawn("blocks"),
    "curves": _curves,
    "filters": _drawn("filters"),
    "maps": _on_images("feature_maps", 1),
    "confusion": _on_data("confusion_matrix"),
    "mistakes": _on_data("mistakes"),
    "grad-cam": _on_images("grad_cam", 9),
    "saliency": _on_images("saliency", 9),
    "embeddings": _on_data("embeddings"),
}
_ENDINGS = ".png", ".svg", ".pdf"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", choices=("graph", *_KINDS), help="see below")
    common.add_model(parser)
    parser.add_argument(
        "--out", type=common.file_in(*_ENDINGS), metavar="FILE", help="default: KIND.png"
    )
    parser.add_argument(
        "--images", nargs="+", metavar="IMAGE", help="image files, instead of those of --data"
    )
    common.add_data(parser, None)
    common.add_machine(parser)
    parser.set_defaults(wrong=parser.error)


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import files, plots

    common.set_threads(arguments)
    target = Path(arguments.out or f"{arguments.kind}.png")
    if arguments.kind == "graph" and target.suffix == ".pdf":
        arguments.wrong(f"--out of graph must end in .png, .svg. Received: {target}")
    if arguments.kind != "graph" or target.suffix != ".svg":
        reporting.need_drawing(f"plot {arguments.kind}")
    model = common.load(arguments)
    if arguments.kind == "graph":
        plots.plot_model(model, target, show_shapes=True, show_layer_names=True)
    else:
        content = io.BytesIO()
        figure = _KINDS[arguments.kind](model, arguments)
        figure.savefig(content, format=target.suffix[1:], dpi=150)
        with files.replacing(target) as file:
            file.write(content.getvalue())
    print(f"Saved {target}")
    return None
