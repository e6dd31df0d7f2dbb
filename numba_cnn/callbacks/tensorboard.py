"""The callback that writes what TensorBoard shows; by its own library, which the extra "tensorboard" installs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from numba_cnn.callbacks.callback import Callback, Logs
from numba_cnn.settings import Settings, flag, integer, path

_BINS = 30  # of a histogram, as TensorBoard's own


def _frequency(owner: str, name: str, value: Any) -> str | int:
    """ "epoch", "batch" or a number of batches."""
    if isinstance(value, str) and value in ("epoch", "batch"):
        return value
    return integer(1)(owner, name, value)  # type: ignore[no-any-return]


class TensorBoard(Callback):
    """Writes losses and metrics of every epoch, or of every so many batches, and histograms of weights.

    log_dir           the folder, with train/ and validation/ below it
    histogram_freq    every how many epochs weights are written; 0 never
    update_freq       "epoch", "batch" or a number of batches

    write_graph, write_images, write_steps_per_second, profile_batch and the embeddings' arguments are taken, and write
    nothing.
    """

    on_first_rank_only: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {
        "log_dir": path,
        "histogram_freq": integer(0),
        "update_freq": _frequency,
        "write_graph": flag,
        "write_images": flag,
        "write_steps_per_second": flag,
    }
    _learned: ClassVar[tuple[str, ...]] = ("_batches",)

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        _library()
        self.log_dir, self.histogram_freq = log_dir, histogram_freq
        self.update_freq, self.write_graph, self.write_images = (
            update_freq,
            write_graph,
            write_images,
        )
        self.write_steps_per_second = write_steps_per_second
        self._writers: dict[str, Any] = {}
        self._batches = 0
        if update_freq != "epoch":  # only then, since a batch hook has every step's loss read
            self.on_train_batch_end = self._write_batch  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_writers": {}}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        parts = {
            "train": {n: v for n, v in logs.items() if not n.startswith("val_")},
            "validation": {n[4:]: v for n, v in logs.items() if n.startswith("val_")},
        }
        for part, values in parts.items():
            if values:
                self._write(part, epoch, {f"epoch_{name}": value for name, value in values.items()})
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not hasattr(self, "params") or "epochs" not in self.params:  # of evaluate()
            values = {f"evaluation_{name}_vs_iterations": v for name, v in (logs or {}).items()}
            self._write("validation", int(self.model.optimizer.iterations), values)
            self.on_train_end()

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _write_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        every = 1 if self.update_freq == "batch" else int(self.update_freq)
        if self._batches % every == 0:
            values = {f"batch_{name}": value for name, value in (logs or {}).items()}
            self._write("train", self._batches, values)

    def _write(self, part: str, step: int, values: dict[str, float]) -> None:
        _, proto = _library()
        summaries = [proto.Summary.Value(tag=n, simple_value=float(v)) for n, v in values.items()]
        self._add(part, step, proto.Summary(value=summaries))

    def _write_weights(self, epoch: int) -> None:
        _, proto = _library()
        for layer in self.model.layers:
            for parameter in layer.weights:
                values = parameter.numpy().astype(np.float64).ravel()
                counts, edges = np.histogram(values, _BINS)
                histogram = proto.HistogramProto(
                    min=values.min(), max=values.max(), num=values.size, sum=values.sum(),
                    sum_squares=float(values @ values), bucket_limit=edges[1:].tolist(), bucket=counts.tolist(),
                )  # fmt: skip
                tag = f"{layer.name}/{parameter.name}/histogram"
                self._add(
                    "train",
                    epoch,
                    proto.Summary(value=[proto.Summary.Value(tag=tag, histo=histogram)]),
                )

    def _add(self, part: str, step: int, summary: Any) -> None:
        import time

        from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]

        if part not in self._writers:
            writer, _ = _library()
            self._writers[part] = writer(str(Path(self.log_dir) / part))
        event = Event(wall_time=time.time(), step=step, summary=summary)
        self._writers[part].add_event(event)
        self._writers[part].flush()


def _library() -> tuple[Any, Any]:
    """The writer of event files, and the messages that they hold."""
    try:
        from tensorboard.compat.proto import summary_pb2  # type: ignore[import-untyped]
        from tensorboard.summary.writer.event_file_writer import (  # type: ignore[import-untyped]
            EventFileWriter,
        )
    except ImportError:
        raise ImportError(
            'TensorBoard needs its library: pip install "numba-cnn[tensorboard]"'
        ) from None
    return EventFileWriter, summary_pb2
