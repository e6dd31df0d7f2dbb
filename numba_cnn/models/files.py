"""What every model does with its description: prints it, and writes it to files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from numba_cnn import registry, saving
from numba_cnn.metrics import Metric
from numba_cnn.metrics.accuracies import FittingAccuracy
from numba_cnn.models.summary import print_summary
from numba_cnn.models.training import Trainer
from numba_cnn.settings import flag, function, optional, path


class Saved(Trainer):
    """A model with a description."""

    _keras_class: ClassVar[str]  # the name of the class in Keras's files, and where it is from
    _keras_module: ClassVar[str]

    def get_config(self) -> registry.Configuration:
        raise NotImplementedError

    def connections(self) -> dict[str, list[tuple[str, int]]] | None:
        """For each layer by name, which calls of which layers it is called on; None for a chain of layers."""
        return None

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print a table of the layers, their output shapes and parameters, as Keras does.

        print_fn          gets the whole text, instead of standard output
        positions         where the columns end, as shares of line_length
        layer_range       names, or patterns of names, of the first and the last layer to show
        expand_nested     changes nothing: no layer here holds others
        """
        print_fn = optional(function)("summary", "print_fn", print_fn)
        print_summary(self, line_length, positions, print_fn, show_trainable, layer_range)

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write model, weights and optimizer state to a .keras file, which Keras reads too."""
        filepath = path("save", "filepath", filepath)
        overwrite = flag("save", "overwrite", overwrite)
        if not self.built:
            raise ValueError(f"save: build the model first. Received: unbuilt {self.name}")
        description = self._description()
        saving.save_model(filepath, description, self.name, self.layers, self.optimizer, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write weights and optimizer state to a .weights.h5 file, which Keras reads too."""
        filepath = path("save_weights", "filepath", filepath)
        overwrite = flag("save_weights", "overwrite", overwrite)
        if not self.built:
            raise ValueError(f"save_weights: build the model first. Received: unbuilt {self.name}")
        saving.save_weights(filepath, self.name, self.layers, self.optimizer, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take over a .weights.h5 file, and the optimizer's state if the optimizer is in use."""
        filepath = path("load_weights", "filepath", filepath)
        if not self.built:
            raise ValueError(f"load_weights: build the model first. Received: unbuilt {self.name}")
        saving.load_weights(filepath, self.layers, self.optimizer)

    def _description(self) -> registry.Configuration:
        """The whole of config.json."""
        description = {
            "module": self._keras_module,
            "class_name": self._keras_class,
            "config": self.get_config(),
            "registered_name": None if self._keras_module == "keras" else self._keras_class,
            "build_config": {"input_shape": list(self.input_shape or ())},
        }
        if self.optimizer is not None:
            description["compile_config"] = {
                "optimizer": registry.describe("optimizers", self.optimizer),
                "loss": registry.describe("losses", self.loss),
                "metrics": [_described(one) for one in self.metrics if not one.weighted],
                "weighted_metrics": [_described(one) for one in self.metrics if one.weighted],
            }
        return description


def _described(metric: Metric) -> Any:
    """A metric as files have it; Keras has no class of its own for the accuracy that fits the targets."""
    if type(metric) is FittingAccuracy and metric.name in ("accuracy", "acc"):
        return metric.name
    return registry.describe("metrics", metric)
