"""What Conv2D and Dense share: a kernel, a bias and an activation after them."""

from __future__ import annotations

from typing import Any, ClassVar

from numba_cnn import activations, constraints, initializers, registry, regularizers
from numba_cnn.layers.layer import Backward, InputShape, Layer
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter
from numba_cnn.settings import Settings, flag
from numba_cnn.shapes import Shape

_PENALTIES = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
)


class KernelLayer(Layer):
    """y = activation(op(x, kernel) + bias); the op does a ReLU itself, any other activation follows it."""

    shows_unbuilt = True
    _settings: ClassVar[Settings] = {"activation": activations.setting, "use_bias": flag}

    def __init__(
        self,
        *,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.activation: activations.Use = activation
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Parameter
        self.bias: Parameter | None = None

    @property
    def last_activation(self) -> activations.Use:
        return self.activation

    def kernel_shape(self, input_shape: InputShape) -> Shape:
        """The shape of the kernel."""
        raise NotImplementedError

    def _make_parameters(self, input_shape: InputShape) -> None:
        shape = self.kernel_shape(input_shape)
        self._add_kernel("kernel", shape)
        self._add_bias(self._outputs(shape))

    def _add_kernel(self, name: str, shape: Shape) -> None:
        self.kernel = self._add_parameter(
            name,
            shape,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _add_bias(self, outputs: int) -> None:
        if self.use_bias:
            self.bias = self._add_parameter(
                "bias",
                (outputs,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _outputs(self, kernel_shape: Shape) -> int:
        """The number of channels that come out."""
        return kernel_shape[-1]

    def _apply(self, x: Array, kernel: Array, bias: Array | None, relu: str | None) -> Array:
        raise NotImplementedError

    def _apply_backward(
        self, dy: Array, x: Array, kernel: Array, **options: Any
    ) -> tuple[Array | None, Array, Array]:
        raise NotImplementedError

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y, linear_backward = self.forward_scores(x)
        if self.activation.is_relu or self.activation == activations.LINEAR:
            return y, linear_backward
        y, activation_backward = self.activation.forward(y)
        return y, lambda dy, need_dx=True: linear_backward(activation_backward(dy), need_dx)

    def call(self, x: Array) -> Array:
        y = self.call_scores(x)
        return y if self.activation.is_relu else self.activation.call(y)

    def call_scores(self, x: Array) -> Array:
        return self._apply(x, *self.operands())

    def forward_scores(self, x: Array) -> tuple[Array, Backward]:
        """The passes without an activation that the op does not do itself."""
        kernel, bias, relu = self.operands()
        y = self._apply(x, kernel, bias, relu)
        gate = y if relu else None

        def backward(dy: Array, need_dx: bool = True) -> Array | None:
            return self.keep_gradients(
                *self._apply_backward(dy, x, kernel, need_dx=need_dx, activation=relu, y=gate)
            )

        return y, backward

    def operands(self) -> tuple[Array, Array | None, str | None]:
        """The kernel, the bias, and the activation as far as the op does it."""
        bias = None if self.bias is None else self.bias.value
        return self.kernel.value, bias, "relu" if self.activation.is_relu else None

    def keep_gradients(self, dx: Array | None, dkernel: Array, dbias: Array) -> Array | None:
        """Leave the parameters' gradients with them; dx goes on."""
        self.kernel.add_gradient(dkernel)
        if self.bias is not None:
            self.bias.add_gradient(dbias)
        return dx

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activation": self.activation.name,
            "use_bias": self.use_bias,
            "kernel_initializer": registry.describe("initializers", self.kernel_initializer),
            "bias_initializer": registry.describe("initializers", self.bias_initializer),
            **{
                name: registry.describe(
                    "constraints" if name.endswith("constraint") else "regularizers",
                    getattr(self, name),
                )
                for name in _PENALTIES
                if name != "activity_regularizer" or self.activity_regularizer is not None
            },
        }
