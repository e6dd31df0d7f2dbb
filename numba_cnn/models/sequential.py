"""The model of Keras's scripts: a stack of layers that trains, prints its summary, saves itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numba_cnn import layers, nearest, registry
from numba_cnn.models.files import Saved


class Sequential(Saved):
    """Layers one after the other.

    model = Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(64, 64, 3)))
    ...
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5)
    """

    _keras_class, _keras_module = "Sequential", "keras"

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
