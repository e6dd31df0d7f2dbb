"""The model of Keras's scripts: a stack of layers that trains, prints its summary, saves itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numba_cnn import layers, nearest, registry, saving
from numba_cnn.models.summary import print_summary
from numba_cnn.models.training import Trainer
from numba_cnn.settings import flag, function, optional, path


class Sequential(Trainer):
    """Layers one after the other.

    model = Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(64, 64, 3)))
    ...
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5)
    """

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

    def get_config(self) -> registry.Configuration:
        """Name and layers, as Keras writes them."""
        stack = [*([self._input_layer] if self._input_layer else []), *self.layers]
        config: registry.Configuration = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [layers.describe(layer) for layer in stack],
        }
        if self.input_shape is not None:
            config["build_input_shape"] = list(self.input_shape)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Sequential:
        """A model with new weights from get_config()."""
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list | tuple):
            raise TypeError(
                "from_config: config must be what get_config() gives, with a list of layers. "
                f"Received: {nearest.shown(config)}"
            )
        stack = [layers.from_description(description) for description in config["layers"]]
        model = cls(stack, config.get("trainable", True), config.get("name"))
        if config.get("build_input_shape") and not model.built:
            model.build(config["build_input_shape"])
        return model

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
            "module": "keras",
            "class_name": "Sequential",
            "config": self.get_config(),
            "registered_name": None,
            "build_config": {"input_shape": list(self.input_shape or ())},
        }
        if self.optimizer is not None:
            description["compile_config"] = {
                "optimizer": registry.describe("optimizers", self.optimizer),
                "loss": registry.describe("losses", self.loss),
                "metrics": [registry.describe("metrics", metric) for metric in self.metrics],
            }
        return description
