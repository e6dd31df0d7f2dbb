"""report.html: what came out of training, in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numba_cnn import __version__, config, files, nearest, plots
from numba_cnn.plots import figures
from numba_cnn.plots.mistakes import matrix
from numba_cnn.reports import measuring
from numba_cnn.reports.page import Section, code, facts, page, picture, table, text
from numba_cnn.reports.results import Results
from numba_cnn.reports.svg import svg

_SAMPLES = 9  # images whose Grad-CAM is shown
_MOST = 400  # images in the plane
_BATCH = 32


@nearest.keywords
def write(
    path: str | os.PathLike[str],
    model: Any,
    results: Results,
    history: Any = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write the report on a model: one HTML file without links to others, whole or not at all.

    results     what the model gave for its test images
    history     of the training, as plots.curves() takes it
    settings    of the training, by name

    Raises ImportError where there is no Matplotlib, TypeError for what is no model, results, history or settings.
    """
    figures.check_model("write", model)
    if not isinstance(results, Results):
        raise TypeError(
            f"write: results must be what results_of() returns. Received: {nearest.shown(results)}"
        )
    if settings is not None and not isinstance(settings, Mapping):
        raise TypeError(f"write: settings must be a dict. Received: {nearest.shown(settings)}")
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"write: path must be a path. Received: {nearest.shown(path)}")
    sections = [_summary(model, results)]
    if history is not None and _epochs(history):
        sections.append(_training(history))
    sections.append(_classes(results))
    if results.is_of_images:
        sections += [_samples(model, results), *_mistakes(model, results)]
    else:
        sections.append(_pixels(results))
    sections += [_inside(model, results), _times(model), _environment(settings)]
    sections.append(_loading(model, Path(path).parent))
    lead = f"<p>{_sentence(model, results)}</p>"
    content = page(
        f"Report on {model.name}", lead, sections, f"Written by numba_cnn {__version__}."
    )
    with files.replacing(Path(path)) as file:
        file.write(content.encode())


def _epochs(history: Any) -> int:
    found = getattr(history, "history", history)
    if not isinstance(found, Mapping) or any(np.ndim(values) != 1 for values in found.values()):
        raise TypeError(
            f"write: history must be what fit() returns, or a dict of lists. Received: {nearest.shown(history)}"
        )
    return max(map(len, found.values()), default=0)


def _sentence(model: Any, results: Results) -> str:
    what = "images" if results.is_of_images else "pixels"
    return (
        f"{results.counts.accuracy:.1%} of {int(results.counts.matrix.sum()):,} test {what} are called right, "
        f"of {len(results.counts.names)} classes, by {model.count_params():,} weights."
    )


def _summary(model: Any, results: Results) -> Section:
    counts = results.counts
    found = [
        ("test accuracy", f"{counts.accuracy:.2%}"),
        ("mean F1 of classes", f"{counts.f1.mean():.4f}"),
        *(
            (f"test {name}", f"{value:.4f}")
            for name, value in results.logs.items()
            if name == "loss"
        ),
        ("test images", f"{len(results.labels):,}"),
        ("weights", f"{model.count_params():,}"),
        ("input", "x".join("any" if n is None else str(n) for n in model.input_shape[1:])),
    ]
    shapes = f"The layers of {model.name} as blocks, from the input to the output."
    drawing = picture(svg(plots.blocks(model), "blocks", shapes), shapes)
    return Section("summary", "Summary", facts(found) + drawing)


def _training(history: Any) -> Section:
    found = getattr(history, "history", history)
    last = {name: values[-1] for name, values in found.items()}
    said = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
    words = f"Values over {_epochs(history)} epochs; after the last: {said}."
    return Section(
        "training", "Training", picture(svg(plots.curves(history), "curves", words), words)
    )


def _classes(results: Results) -> Section:
    counts = results.counts
    rows: list[tuple[str, ...]] = [
        (name, f"{p:.4f}", f"{r:.4f}", f"{f:.4f}", f"{n:,}")
        for name, p, r, f, n in zip(
            counts.names, counts.precision, counts.recall, counts.f1, counts.support, strict=True
        )
    ]
    rows.append(
        (
            "mean",
            *(f"{column.mean():.4f}" for column in (counts.precision, counts.recall, counts.f1)),
            f"{int(counts.support.sum()):,}",
        )
    )
    each = table(
        "Of what is called so, how much is (precision); of what is so, how much is called so (recall)",
        ("class", "precision", "recall", "F1", "samples"),
        rows,
    )
    words = "Confusion matrix: rows are true classes, columns what the model says. " + _confused(
        results
    )
    drawn = figures.figure(matrix)(counts)
    return Section("classes", "Classes", each + picture(svg(drawn, "confusion", words), words))


def _confused(results: Results) -> str:
    """The pair that is mixed up most often, in words."""
    found = results.counts.matrix.copy()
    np.fill_diagonal(found, 0)
    if not found.any():
        return "Nothing is called wrong."
    i, j = np.unravel_index(found.argmax(), found.shape)
    names = results.counts.names
    return (
        f"Most often {names[i]} is called {names[j]}: {found[i, j]} of {results.counts.support[i]}."
    )


def _samples(model: Any, results: Results) -> Section:
    """Images of as many classes as may be, and where the model looks."""
    order = np.argsort(_turns(results.labels), kind="stable")[:_SAMPLES]
    images = results.images(np.sort(order))
    said = results.shares[np.sort(order)].argmax(1)
    names = results.counts.names
    right = int((said == results.labels[np.sort(order)]).sum())
    words = (
        f"{len(images)} test images and Grad-CAM: the brighter, the more a part speaks for what the model says. "
        f"It says {', '.join(names[i] for i in said)}: {right} of {len(said)} are right."
    )
    try:
        drawn = plots.grad_cam(model, images)
    except ValueError as error:  # no maps
        return Section("samples", "What it looks at", text(str(error)))
    return Section("samples", "What it looks at", picture(svg(drawn, "samples", words), words))


def _turns(labels: np.ndarray) -> np.ndarray:
    """Of each label, how many of its kind came before it."""
    turns = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        mine = labels == label
        turns[mine] = np.arange(np.count_nonzero(mine))
    return turns


def _mistakes(model: Any, results: Results) -> list[Section]:
    places = results.worst(12)
    if not len(places):
        return [Section("mistakes", "Mistakes", text("No test image is called wrong."))]
    names = results.counts.names
    images, labels = results.images(places), results.labels[places]
    words = "The test images that the model is surest of and wrong about, the surest first."
    drawn = plots.mistakes(model, images, labels, count=12)
    rows = [
        (
            Path(results.names[i]).name,
            names[results.labels[i]],
            names[s],
            f"{results.shares[i, s]:.1%}",
        )
        for i in places
        for s in (int(results.shares[i].argmax()),)
    ]
    each = table("The same in words", ("image", "is", "called", "probability"), rows)
    return [Section("mistakes", "Mistakes", picture(svg(drawn, "mistakes", words), words) + each)]


def _pixels(results: Results) -> Section:
    """Images beside their true and their called classes."""
    count = min(4, len(results.labels))
    images = results.images(range(count))
    called = results.shares[:count].argmax(-1)
    drawn = figures.figure(_masks)(
        images, results.labels[:count], called, len(results.counts.names)
    )
    words = "Test images, the true class of each pixel, and what the model says."
    return Section("samples", "Samples", picture(svg(drawn, "samples", words), words))


def _masks(images: np.ndarray, labels: np.ndarray, called: np.ndarray, classes: int) -> Any:
    made, axes = figures.grid(3 * len(images), 6, 1.5, 1.7)
    for i, image in enumerate(images):
        for axis, title, shown in zip(
            axes[3 * i :], ("image", "true", "called"), (image, labels[i], called[i]), strict=False
        ):
            axis.set_title(title, fontsize=8)
            if title == "image":
                axis.imshow(figures.visible(shown))
            else:
                axis.imshow(
                    shown, cmap=figures.SCALE, vmin=0, vmax=classes - 1, interpolation="nearest"
                )
    return made


def _inside(model: Any, results: Results) -> Section:
    parts = []
    try:
        words = f"The first filters of {model.name}."
        parts.append(picture(svg(plots.filters(model), "filters", words), words))
        words = "What one test image becomes after each layer: the maps that differ most from place to place."
        drawn = plots.feature_maps(model, results.images([0])[0])
        parts.append(picture(svg(drawn, "maps", words), words))
    except ValueError as error:  # no convolution
        parts.append(text(str(error)))
    if results.is_of_images and len(results.labels) > 2:
        count = min(len(results.labels), _MOST)
        places = np.linspace(0, len(results.labels) - 1, count).astype(int)
        words = f"{count} test images in the plane: those lie near one another that the model finds alike."
        drawn = plots.embeddings(model, results.images(places), results.labels[places])
        parts.append(picture(svg(drawn, "plane", words), words))
    return Section("inside", "Inside", "".join(parts))


def _times(model: Any) -> Section:
    rows, peak = measuring.layers(model, _BATCH, rounds=5), measuring.peak()
    cells = []
    for row in rows:
        share = row.share(peak)
        sums = (f"{row.flop / 1e6:,.1f}", f"{share:.0%}") if share is not None else ("", "")
        shape = "x".join(map(str, row.shape[1:]))
        cells.append((row.name, row.kind, shape, f"{row.seconds * 1e3:.3f}", *sums))
    total = sum(row.seconds for row in rows)
    cells.append(
        ("all", "", "", f"{total * 1e3:.3f}", f"{sum(row.flop for row in rows) / 1e6:,.1f}", "")
    )
    each = table(
        f"Inference on a batch of {_BATCH}, each layer called by itself",
        ("layer", "class", "gives", "ms", "MFLOP", "of peak"),
        cells,
    )
    said = (
        f"The peak is the fastest product of matrices on this machine, {peak / 1e9:.0f} GFLOP/s; operations are "
        "those of direct sums, of which Winograd's algorithm does fewer."
    )
    return Section("times", "Time of each layer", each + text(said))


def _environment(settings: Mapping[str, Any] | None) -> Section:
    given = [
        (name.replace("_", "-"), str(value))
        for name, value in (settings or {}).items()
        if value is not None and isinstance(value, str | int | float)
    ]
    parts = [table("How it was trained", ("option", "value"), given)] if given else []
    parts.append(table("Where", ("what", "value"), config.configuration().items()))
    return Section("environment", "Environment", "".join(parts))


def _loading(model: Any, home: Path) -> Section:
    H, W, C = (64 if n is None else n for n in model.input_shape[1:])
    python = (
        "from numba_cnn import models\n"
        "from numba_cnn.datasets.read_image import read_image\n\n"
        'model = models.load_model("model.keras")\n'
        f'image = read_image("photo.jpg", ({H}, {W}), {C})  # float32, values 0..1\n'
        "shares = model.predict(image[None])[0]\n"
        "print(model.class_names, shares)"
    )
    shell = "numba-cnn predict model.keras photo.jpg\nnumba-cnn serve model.keras"
    return Section("loading", "How to load the model", code(python) + code(shell))
