"""Models of the user's own: classes with layers in their attributes and a call() that calls them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from numba_cnn import nearest, shapes
from numba_cnn.layers import InputLayer, Layer, tracing
from numba_cnn.layers.composed import INTERNAL, attributes_of, layers_in, layers_of
from numba_cnn.layers.layer import check_batch
from numba_cnn.layers.tensor import Tensor
from numba_cnn.layers.tracing import Trace
from numba_cnn.models import data
from numba_cnn.models.functional import Model
from numba_cnn.models.structure import one_or_all
from numba_cnn.models.summary import Connections


class Subclassed(Model):
    """What a class derived from Model is that defines call().

    call() is run on tensors when the model is built, or first called or fit, once for training and once for inference:
    it may loop, and ask `if training`, but not what numbers the tensors hold. From then on the model is like any other.
    """

    is_composed: ClassVar[bool] = True
    _traces: dict[bool, Trace] | None = None
    _kept: list[Layer] | None = None  # the layers, once the model is built
    _asked: tuple[Sequence[Any], Mapping[str, Any]] | None = None  # of compile(), until then

    def __init__(
        self, *given: Any, name: str | None = None, trainable: bool = True, **more: Any
    ) -> None:
        if given or more.keys() - {"dtype"}:
            raise TypeError(
                f"{type(self).__name__}: a class that defines call() gives Model's constructor name= and trainable= "
                f"alone. Received: {nearest.shown([*given, *more])}"
            )
        self._keys, self._end_keys, self._is_chain = None, None, True
        super(Model, self).__init__(trainable=trainable, name=name)

    @classmethod
    def _is_functional(cls) -> bool:
        return False

    @property
    def _layers(self) -> list[Layer]:
        return layers_of(self) if self._kept is None else self._kept

    @_layers.setter
    def _layers(self, value: list[Layer]) -> None:
        """They are those in the attributes."""

    def saved_parts(self) -> Mapping[str, Any]:
        return {**attributes_of(self), "layers": self._layers}

    @property
    def built(self) -> bool:
        return self._traces is not None

    @built.setter
    def built(self, value: bool) -> None:
        """A build() of the user's own may say so; here it is so when call() is known."""

    def __setattr__(self, name: str, value: Any) -> None:
        """A new layer makes it another model, which has to be built."""
        super().__setattr__(name, value)
        if self._kept is not None and name not in INTERNAL and any(True for _ in layers_in(value)):
            self._kept = self._traces = self.input_shape = None

    def build(self, input_shape: Any) -> None:
        """Make the weights, for inputs of that shape, or of those in a list or a dict.

        Raises TypeError or ValueError for a call() that is not made of layers alone.
        """
        if self.built:
            super().build(input_shape)
            return
        keys = sorted(input_shape) if isinstance(input_shape, Mapping) else None
        given: Any = input_shape if keys is None else [input_shape[key] for key in keys]
        single = not (isinstance(given, list) and given and isinstance(given[0], list | tuple))
        known = [shapes.with_batch(self.name, one) for one in ([given] if single else given)]
        starts = [InputLayer(shape[1:], name=f"input_{i}").output for i, shape in enumerate(known)]
        inputs: Any = starts[0] if single else starts
        if keys is not None:
            inputs = dict(zip(keys, starts, strict=True))
        call: Any = self.call
        asks = tracing.takes_training(call)

        def run(training: bool) -> Any:
            return call(inputs, **({"training": training} if asks else {}))

        self._be(starts, keys, tracing.both(self.name, run, starts))

    def _be(
        self, starts: Sequence[Tensor], keys: list[str] | None, traces: dict[bool, Trace]
    ) -> None:
        """The model of these traces."""
        layers, trace = layers_of(self), traces[False]
        own = {id(leaf) for layer in layers for leaf in layer._leaves()}
        for node in (node for one in traces.values() for node in one.nodes):
            for leaf in node.layer._leaves():
                if leaf.weights and id(leaf) not in own:
                    raise ValueError(
                        f"{self.name}: layers with weights are made in __init__(), as attributes, not in call(). "
                        f"Received: {leaf.name}"
                    )
        self._keys, self._end_keys = keys, trace.keys
        self._starts, self._ends, self._calls = tuple(starts), trace.ends, list(trace.nodes)
        self.input_shape = one_or_all([start.shape for start in starts])
        self._traces, self._kept = traces, layers
        for layer in layers:
            layer._set_paths(self.name)
        self._place()
        if self._asked is not None and not (self._objectives and len(self._ends) == 1):
            given, settings = self._asked
            self.compile(*given, **settings)
        self._asked = None

    def compile(self, *given: Any, **settings: Any) -> None:
        """Choose how to train; of a model that is not built, losses in a list or a dict are looked at when it is."""
        self._asked = None if self.built else (given, settings)
        loss = settings.get("loss", given[1] if len(given) > 1 else None)
        if self.built or not isinstance(loss, list | tuple | Mapping):
            super().compile(*given, **settings)

    def _check_compiled(self, op: str) -> None:
        if self._asked is None:
            super()._check_compiled(op)

    def _ensure(self, shape: Any) -> None:
        """Be built, by the class's own build() too if it has one."""
        if not self.built:
            self.build(shape)
        if not self.built:
            Subclassed.build(self, shape)

    def _inputs(self, op: str, x: Any) -> tuple[np.ndarray, ...]:
        if not self.built and _are_several(x):
            self._ensure(_shapes(x))
        elif not self.built:
            self._ensure((None, *data.inputs(op, "x", x, None).shape[1:]))
        return super()._inputs(op, x)

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        if not self.built:
            if not (isinstance(x, Tensor) or _are_several(x)):
                check_batch(self.name, x)
            self._ensure(_shapes(x))
        return super().__call__(x, training)

    def _connected(self, inputs: tuple[Tensor, ...], training: bool | None = None) -> Any:
        self._ensure(_shapes(inputs[0] if len(inputs) == 1 else list(inputs)))
        return super()._connected(inputs, training)

    def _add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        assert self._traces is not None
        return self._traces[steps.trains].add_steps(steps, slots)

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        *,
        include_optimizer: bool = True,
    ) -> None:
        """Write model, weights and optimizer state to a .keras file; .h5 files have no place for such a class."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"save: a model of a class that defines call() is saved as .keras; save_weights writes an .h5. "
                f"Received: {filepath}"
            )
        super().save(filepath, overwrite, include_optimizer=include_optimizer)

    def connections(self) -> Connections | None:
        return None

    def _build_shape(self) -> Any:
        shape = self.input_shape
        return [list(one) for one in shape] if isinstance(shape, list) else list(shape or ())


def _are_several(x: Any) -> bool:
    """Whether x is a list or a dict of arrays."""
    parts = list(x.values()) if isinstance(x, Mapping) else x
    return isinstance(parts, list | tuple) and all(hasattr(one, "shape") for one in parts)


def _shapes(x: Any) -> Any:
    """The shape of an array or a tensor, the batch as None; or of each in a list or a dict."""
    if isinstance(x, Mapping):
        return {key: _shapes(one) for key, one in x.items()}
    if isinstance(x, list | tuple):
        return [_shapes(one) for one in x]
    return (None, *x.shape[1:])
