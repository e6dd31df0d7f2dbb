"""What all layers share: names, shapes, parameters, passes down and up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from numba_cnn import activations, backends, nearest, session, shapes
from numba_cnn.alike import alike
from numba_cnn.constructors import is_of_package
from numba_cnn.initializers import Initializer
from numba_cnn.layers import tracing
from numba_cnn.layers.configured import Configured
from numba_cnn.layers.tensor import Node, Tensor, tensors
from numba_cnn.layers.weighted import float32, initial
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, flag, text

Backward = Callable[..., Array | None]  # (dy, need_dx=True) -> dx
InputShape = tuple[int | None, ...]  # (None, H, W, C) or (None, K); None stands for the batch


class Layer(Configured):
    """One step of a model.

    build() makes the parameters once the shape of the input is known. forward(x) is training: it
    returns (y, backward), where backward(dy, need_dx=True) leaves each parameter's gradient and returns
    dx. call(x) is inference and returns y alone.
    """

    # Whether a summary says "(unbuilt)"; Keras counts layers that have nothing to build as built
    # from the start.
    shows_unbuilt = False
    # Settings of Keras that the layer's constructor does not take, and the values at which they
    # change nothing.
    is_composed: ClassVar[bool] = False  # whether it is the user's own, and made of layers
    arity: ClassVar[int | None] = 1  # inputs; None: a list of any number
    acts_in_training: ClassVar[bool] = False  # whether forward() does something else than call()
    inert: ClassVar[dict[str, tuple[Any, ...]]] = {"data_format": ("channels_last",)}
    version: object
    dtype: Any = "float32"
    generator: Parameter | None = None  # (seed, counter, first sample), of layers of chance
    input_shape: Any  # (None, ...), or a list of them; None before the layer is built
    output_shape: Any
    _nodes: list[Node]
    _first_weights: list[Any] | None = None  # what it begins with once it is built
    activity_regularizer: Any = None  # of regularizers: what the loss grows by with the output
    _takes_any_name: ClassVar[bool] = True
    _settings: ClassVar[Settings] = {"trainable": flag, "name": text, "dtype": float32}

    def __init__(
        self,
        *,
        input_shape: int | Sequence[int | None] | None = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        weights: Sequence[Any] | None = None,
    ) -> None:
        if not isinstance(name, str | None) or "/" in (name or ""):
            raise ValueError(f"a layer's name must be a string without '/'. Received: {name!r}")
        self.name = name or session.auto_name(type(self).__name__)
        self.trainable, self.dtype = trainable, dtype
        self.weights, self._first_weights = [], initial(self.name, weights)
        self._nodes = []  # its calls in graphs of layers
        self.input_shape, self.output_shape = None, None
        self.first_shape = None if input_shape is None else sample_shape(self.name, input_shape)

    @classmethod
    def _bases_for(cls, name: str, namespace: Mapping[str, Any]) -> tuple[type, ...]:
        """A class of the user's own that defines call(), and no forward(), is made of layers."""
        if "call" not in namespace or "forward" in namespace or is_of_package(namespace):
            return (cls,)
        from numba_cnn.layers import composed

        return composed.bases_for(cls, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Whatever is set on a layer makes it another one to those who remember its version, an object."""
        super().__setattr__(name, value)
        self.__dict__["version"] = object()
        session.note_change()

    @property
    def class_name(self) -> str:
        """The name of the class in Keras's summaries and files."""
        return type(self).__name__

    @property
    def inner_layers(self) -> list[Layer]:
        """The layers inside of it, if it is a model or made of layers."""
        return []

    def saved_parts(self) -> Mapping[str, Any]:
        """Layers inside, in lists too, by the names that Keras's files have for them, in their order."""
        return {}

    def _leaves(self) -> list[Layer]:
        """The layers that compute: itself, or those inside of it, each once."""
        return [self]

    def _set_paths(self, above: str) -> None:
        """Tell the weights where they are."""
        for parameter in self.weights:
            parameter.path = f"{above}/{self.name}/{parameter.name}"

    def _add_steps(self, steps: Any, slots: tuple[int, ...]) -> tuple[int, ...]:
        """Have the layer's step, or a model's many, run on those slots of a plan; the slots that they fill."""
        filled: tuple[int, ...] = steps.add(self, slots)
        return filled

    @property
    def last_activation(self) -> activations.Use:
        """The activation that the layer ends in; a loss may take what it gives before that, its scores."""
        return activations.LINEAR

    @property
    def built(self) -> bool:
        return self.output_shape is not None

    @property
    def states(self) -> list[Parameter]:
        """Arrays that the passes read or change, beside the weights: generators of random numbers."""
        return []

    @property
    def losses(self) -> list[Array]:
        """The penalties of the weights that are trained, each an array of shape ()."""
        trained = self.trainable_weights
        return [p.regularizer(p.value) for p in trained if p.regularizer is not None]

    def build(self, input_shape: InputShape) -> None:
        """Make the parameters for inputs of that shape, unless they are made."""
        input_shape = shapes.with_batch(self.name, input_shape)
        if self.input_shape == input_shape:
            return
        if self.weights and shapes.fits(input_shape, self.input_shape):
            return
        if self.weights:
            raise ValueError(
                f"{self.name}: the layer has weights for inputs of shape {self.input_shape}. "
                f"Received: input_shape {input_shape}"
            )
        self._settle()
        output_shape = self.compute_output_shape(input_shape)
        self._make_parameters(input_shape)
        if self._first_weights is not None:
            first, self._first_weights = self._first_weights, None
            self.set_weights(first)
        self.input_shape, self.output_shape = input_shape, output_shape

    def _shape_of_call(self, input_shape: Any) -> Any:
        """The shape of the output where the layer, which is built, is called on another input."""
        if self.weights and input_shape[-1] != self.input_shape[-1]:
            self.build(input_shape)  # which says what the weights are for
        return self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: InputShape) -> InputShape:
        """The shape of the output, the batch as None; ValueError if the input does not fit."""
        return shapes.with_batch(self.name, input_shape)

    def _make_parameters(self, input_shape: InputShape) -> None:
        """Layers with weights make them here."""

    def _add_parameter(
        self,
        name: str,
        shape: shapes.Shape,
        initializer: Initializer,
        trainable: bool = True,
        *,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Parameter:
        parameter = Parameter(name, f"{self.name}/{name}", shape, initializer, trainable)
        parameter.regularizer, parameter.constraint = regularizer, constraint
        self.weights.append(parameter)
        return parameter

    def forward(self, x: Array) -> tuple[Array, Backward]:
        """Training: (y, backward)."""
        raise NotImplementedError

    def call(self, x: Array) -> Array:
        """Inference: y, and nothing is remembered."""
        return self.forward(x)[0]

    def forward_inference(self, x: Array) -> tuple[Array, Backward]:
        """(y, backward) of what call() computes; where the layer acts in training, it must say how."""
        return self.forward(x)

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """The output for a batch; a layer that is not built takes its shape from it.

        Called on what another layer returned for an Input, it returns what a Model is made of. There training=False or
        True holds for that call in all passes of the model; None: the pass decides.
        """
        if given := tensors(x):
            return self._connected(given, training)
        xs = self._batches(x)
        if self.output_shape is None:
            met: Any = [with_batch(one.shape[1:]) for one in xs]
            self.build(met if self.arity is None else met[0])
        return alike(next(iter(xs), x), self.forward(*xs)[0] if training else self.call(*xs))

    def _connected(self, inputs: tuple[Tensor, ...], training: bool | None = None) -> Any:
        """The tensor, or the list of them, that the layer gives for tensors; it is built for their shapes."""
        shapes = [tensor.shape for tensor in inputs]
        if self.arity is not None and len(inputs) != self.arity:
            raise ValueError(
                f"{self.name}: the layer takes {self.arity} input. Received: {len(inputs)} tensors"
            )
        shape: Any = shapes if self.arity is None else shapes[0]
        if self.output_shape is None:
            self.build(shape)
        given = self._shape_of_call(shape)
        node = Node(self, inputs, given if isinstance(given, list) else [given], training)
        self._nodes.append(node)
        tracing.note(node)
        return node.output

    @property
    def input(self) -> Any:
        """What the layer was first called on in a graph of layers: a tensor, or a list of them."""
        inputs = self._first_node().inputs
        return list(inputs) if self.arity is None else inputs[0]

    @property
    def output(self) -> Any:
        """What it gave then."""
        return self._first_node().output

    def _first_node(self) -> Node:
        if not self._nodes:
            raise AttributeError(
                f"{self.name}: the layer was not called on an Input. Received: no input or output"
            )
        return self._nodes[0]

    def _batches(self, x: Any) -> Sequence[Array]:
        """The batches that the layer is called on; or an error that says why one is none."""
        if self.arity is None and not isinstance(x, list | tuple):
            raise TypeError(
                f"{self.name}: x must be a list of arrays. Received: {nearest.shown(x)}"
            )
        xs = x if self.arity is None else (x,)
        for one in xs:
            if not self.built or not getattr(one, "shape", ()):
                check_batch(self.name, one)
        return xs

    def count_params(self) -> int:
        """The number of weights, counted one by one."""
        if not self.built:
            raise ValueError(
                f"{self.name}: there are no weights to count before it is built. "
                "Received: nothing built"
            )
        return sum(parameter.size for parameter in self.weights)

    def __getstate__(self) -> dict[str, Any]:
        """All but the calls in graphs: those belong to models, which give them back."""
        return {**vars(self), "_nodes": []}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def check_batch(name: str, x: Any) -> None:
    """Raise a TypeError or a ValueError for what a layer or a model cannot be called on."""
    if isinstance(x, Layer):
        raise TypeError(
            f"{name}: call the layer on an array, or on what Input(...) or another layer returned. "
            f"Received: the layer {x.name!r} itself"
        )
    if x is None:
        raise TypeError(f"{name}: x must be an array. Received: None")
    backends.of(name, x=x)
    if not x.shape:
        raise ValueError(f"{name}: x must be a batch of samples. Received: x of shape ()")


def sample_shape(name: str, shape: Any) -> InputShape:
    """The shape of one sample, known to be positive integers, or None where the extent is not known."""
    shape = (shape,) if isinstance(shape, int) and not isinstance(shape, bool) else shape
    what, known = "a sample's shape, input_shape,", shape
    if isinstance(shape, list | tuple):
        known = [1 if n is None else n for n in shape]
    shapes.extents(name, what, known, least=1)
    extents = tuple(shape)
    if not extents:
        raise ValueError(
            f"{name}: a sample's shape, input_shape, must not be empty. Received: {shape}"
        )
    return extents


def with_batch(sample: Sequence[int | None]) -> InputShape:
    return None, *sample
