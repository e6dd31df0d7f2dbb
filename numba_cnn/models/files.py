"""What every model does with its description: prints it, and writes it to files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

from numba_cnn import custom, formats, layers, registry, shapes
from numba_cnn.constructors import is_ours
from numba_cnn.layers import Layer
from numba_cnn.metrics.accuracies import FittingAccuracy
from numba_cnn.models.notebook import model_html
from numba_cnn.models.objectives import Objective
from numba_cnn.models.probing import Probed
from numba_cnn.models.structure import one_or_all
from numba_cnn.models.summary import Connections, print_summary
from numba_cnn.settings import flag, function, optional, path

T = TypeVar("T", bound="Saved")

_KINDS: dict[str, type[Saved]] = {}  # by the names that files have for them


def kind(*names: str) -> Callable[[type[T]], type[T]]:
    """A decorator of classes of models: what files call them."""

    def register(cls: type[T]) -> type[T]:
        _KINDS.update(dict.fromkeys(names, cls))
        return cls

    return register


def kind_of(description: Any) -> type[Saved] | None:
    """The class of a model that a description names, or None."""
    own = custom.described(description)
    if isinstance(own, type) and issubclass(own, Saved):
        return own
    name = description.get("class_name")
    return _KINDS.get(name) if isinstance(name, str) else None


def layer_from(description: Any) -> Layer:
    """The layer, which may be a model, that a Keras configuration describes."""
    cls = kind_of(description) if isinstance(description, Mapping) else None
    return (
        layers.from_description(description)
        if cls is None
        else cls.from_config(description["config"])
    )


def described(layer: Layer) -> registry.Configuration:
    """The Keras configuration of a layer, which may be a model."""
    return layer._description() if isinstance(layer, Saved) else layers.describe(layer)


class Saved(Probed):
    """A model with a description."""

    _keras_class: ClassVar[str]  # the name of the class in Keras's files, and where it is from
    _keras_module: ClassVar[str]

    @property
    def class_name(self) -> str:
        cls = type(self)
        return self._keras_class if is_ours(cls) else cls.__name__

    def get_config(self) -> registry.Configuration:
        raise NotImplementedError

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """A model with new weights from get_config(); classes of the user's own are those of custom_objects."""
        with custom.CustomObjectScope(custom_objects):
            return cls._of_config(config)

    @classmethod
    def _of_config(cls, config: Mapping[str, Any]) -> Self:
        raise NotImplementedError

    def to_json(self, **settings: Any) -> str:
        """The model's description, without weights, for model_from_json(); settings are those of json.dumps."""
        return json.dumps(self._description(), **settings)

    def connections(self) -> Connections | None:
        """For each layer by name, which outputs of which calls it is called on; None for a chain of layers."""
        return None

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by its place."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: pass a name or an index. Received: {name!r}, {index!r}")
        if index is not None:
            last = len(self._layers) - 1
            if shapes.count("get_layer", "index", index, least=-last - 1) > last:
                raise ValueError(f"get_layer: index must be at most {last}. Received: {index}")
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self._layers)
        raise ValueError(f"get_layer: the layers are {names}. Received: {name!r}")

    def _repr_html_(self) -> str:
        """What a notebook shows where the model is a cell's value."""
        return model_html(self)

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
        expand_nested     whether the layers of models inside are listed, too
        """
        print_fn = optional(function)("summary", "print_fn", print_fn)
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        *,
        include_optimizer: bool = True,
    ) -> None:
        """Write model, weights and optimizer state to a .keras file, or to the older .h5, which Keras reads too.

        include_optimizer    False: without optimizer, loss and metrics, so that the file is of a model that is not
                             compiled

        Of another ending a .keras file appears, with a warning. Of a distributed model rank 0 alone writes, and the
        others do not wait for it.
        """
        filepath = path("save", "filepath", filepath)
        overwrite = flag("save", "overwrite", overwrite)
        is_whole = flag("save", "include_optimizer", include_optimizer)
        if not self.built:
            raise ValueError(f"save: build the model first. Received: unbuilt {self.name}")
        if not self._is_first:
            return
        description = {**self._description(), **(self._compile_config() if is_whole else {})}
        if self.class_names is not None:  # which Keras does not look for
            description["class_names"] = self.class_names
        optimizer = self.optimizer if is_whole else None
        formats.save_model(filepath, description, self, optimizer, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write weights and optimizer state to a .weights.h5 file, or weights to an .h5 file, which Keras reads too."""
        filepath = path("save_weights", "filepath", filepath)
        overwrite = flag("save_weights", "overwrite", overwrite)
        if not self.built:
            raise ValueError(f"save_weights: build the model first. Received: unbuilt {self.name}")
        if not self._is_first:
            return
        formats.save_weights(filepath, self, self.optimizer, overwrite)

    def load_weights(
        self,
        filepath: str | os.PathLike[str],
        skip_mismatch: bool = False,
        *,
        by_name: bool = False,
    ) -> None:
        """Take over a .weights.h5 file, and the optimizer's state if the optimizer is in use; or an .h5 file.

        skip_mismatch    whether layers keep their weights where the file's are of other shapes, with a warning
        by_name          of .h5: layers get the weights of those of the same names; the others keep theirs
        """
        filepath = path("load_weights", "filepath", filepath)
        skip_mismatch = flag("load_weights", "skip_mismatch", skip_mismatch)
        by_name = flag("load_weights", "by_name", by_name)
        if not self.built:
            raise ValueError(f"load_weights: build the model first. Received: unbuilt {self.name}")
        formats.load_weights(
            filepath, self, self.optimizer, by_name=by_name, skip_mismatch=skip_mismatch
        )

    def _description(self) -> registry.Configuration:
        """The model as Keras's files have it, whether it is the whole or a layer."""
        cls, module = type(self), self._keras_module
        registered: str | None = None if module == "keras" else self._keras_class
        if not is_ours(cls):
            module, registered = cls.__module__, custom.get_registered_name(cls)
        return {
            "module": module,
            "class_name": self.class_name,
            "config": self.get_config(),
            "registered_name": registered,
            "build_config": {"input_shape": self._build_shape()},
        }

    def _build_shape(self) -> Any:
        """The shape that Keras builds the model for, or None where it needs none."""
        return None

    def _compile_config(self) -> registry.Configuration:
        if self.optimizer is None:
            return {}
        asked, weights = self._objectives, [one.weight for one in self._objectives]
        return {
            "compile_config": {
                "optimizer": registry.describe("optimizers", self.optimizer),
                "loss": one_or_all([_loss(one) for one in asked]),
                "loss_weights": None if all(w == 1 for w in weights) else one_or_all(weights),
                "metrics": one_or_all([_described(one, weighted=False) for one in asked]),
                "weighted_metrics": one_or_all([_described(one, weighted=True) for one in asked]),
            }
        }


def _loss(objective: Objective) -> Any:
    return registry.describe("losses", objective.loss) if objective.has_loss else None


def _described(objective: Objective, *, weighted: bool) -> list[Any]:
    """Metrics as files have them; Keras has no class of its own for the accuracy that fits the targets."""
    return [
        metric.name
        if type(metric) is FittingAccuracy and metric.name in ("accuracy", "acc")
        else registry.describe("metrics", metric)
        for metric in objective.metrics
        if metric.weighted == weighted
    ]
