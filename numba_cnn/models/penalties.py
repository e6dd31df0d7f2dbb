"""What regularizers add to a batch's loss and to its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba_cnn import backends, ops
from numba_cnn.layers.layer import Backward
from numba_cnn.layers.stand_in import StandIn
from numba_cnn.models.plan import Plan
from numba_cnn.ops import Array
from numba_cnn.parameter import Parameter


class Penalties:
    """The penalties of one pass: of weights, and of what some layers give, as a mean over the batch."""

    def __init__(self) -> None:
        self.outputs: list[tuple[Any, Array]] = []  # regularizers, and what they are for

    def of(self, plan: Plan) -> Plan:
        """The plan, whose layers with an activity_regularizer tell what they give."""
        regularizers = [getattr(step.layer, "activity_regularizer", None) for step in plan.steps]
        if not any(regularizers):
            return plan
        steps = zip(plan.steps, regularizers, strict=True)
        return plan._replace(
            steps=tuple(
                step if regularizer is None else step._replace(layer=_Told(step.layer, self))
                for step, regularizer in steps
            )
        )

    def total(self, like: Array, parameters: Sequence[Parameter]) -> list[Array]:
        """The sum of all penalties, as an array like the loss; or nothing where there are none."""
        penalised = [p for p in parameters if p.regularizer is not None]
        if not self.outputs and not penalised:
            return []
        total = ops.subtract(like, like)  # zero, where the loss is
        for regularizer, y in self.outputs:
            regularizer.add_value(backends.of("loss", y=y), y, 1 / y.shape[0], total)
        for parameter in penalised:
            value = parameter.value
            parameter.regularizer.add_value(backends.of("loss", value=value), value, 1.0, total)
        return [total]

    def add_gradients(self, parameters: Sequence[Parameter]) -> None:
        """Add the gradients of the weights' penalties to those that the parameters have, in place."""
        for parameter in parameters:
            regularizer, gradient = parameter.regularizer, parameter.gradient
            if regularizer is not None and gradient is not None:
                backend = backends.of("loss", gradient=gradient)
                regularizer.add_gradient(backend, parameter.value, 1.0, gradient)


class _Told(StandIn):
    """A layer that tells what it gives, and whose gradient has the penalty's in it."""

    def __init__(self, layer: Any, penalties: Penalties) -> None:
        super().__init__(layer)
        self.penalties, self.acts_in_training = penalties, layer.acts_in_training

    def forward(self, x: Array) -> tuple[Array, Backward]:
        y, backward = self.layer.forward(x)
        regularizer = self.layer.activity_regularizer
        self.penalties.outputs.append((regularizer, y))

        def with_penalty(dy: Array, need_dx: bool = True) -> Array | None:
            dy = ops.activate(dy, "affine", scale=1.0)  # a copy: others may have the same gradient
            regularizer.add_gradient(backends.of("loss", y=y), y, 1 / y.shape[0], dy)
            return backward(dy, need_dx)

        return y, with_penalty

    def call(self, x: Array) -> Array:
        y = self.layer.call(x)
        self.penalties.outputs.append((self.layer.activity_regularizer, y))
        return y
