"""compile, fit, evaluate and predict: the loops over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numba_cnn import arguments, backends, losses, optimizers, session, shapes
from numba_cnn.callbacks import Callback, CallbackList, History
from numba_cnn.metrics import Mean, SparseCategoricalAccuracy
from numba_cnn.metrics import get as get_metric
from numba_cnn.models import data
from numba_cnn.models.graphs import Arrays, Results
from numba_cnn.models.network import Network
from numba_cnn.models.progress import Progress
from numba_cnn.ops import Array

Logs = dict[str, float]
Callbacks = Callback | Sequence[Callback] | None


class Trainer(Network):
    """A network that learns."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.optimizer: optimizers.Optimizer | None = None
        self.loss: losses.SparseCategoricalCrossentropy | None = None
        self._metrics: list[SparseCategoricalAccuracy] = []
        self.history: History | None = None
        self.stop_training = False
        self._mean_loss = Mean("loss")

    @property
    def metrics(self) -> list[SparseCategoricalAccuracy]:
        """What compile() was given, as a list of the caller's own."""
        return list(self._metrics)

    @property
    def metrics_names(self) -> list[str]:
        return ["loss", "compile_metrics"] if self.metrics else ["loss"]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        *,
        backend: str = "auto",
    ) -> None:
        """Choose how to train, and where: "cpu", "cuda", or "auto" for a real GPU if there is one.

        optimizer    "adam", "sgd", "rmsprop", or an object of optimizers
        loss         "sparse_categorical_crossentropy", or an object of losses
        metrics      a list of "accuracy" or objects of metrics
        """
        new_loss, new_optimizer = losses.get(loss), optimizers.get(optimizer)
        new_metrics = [get_metric(identifier) for identifier in metrics or []]
        new_backend = backends.get(backend)
        if new_optimizer.built:
            new_optimizer.build(self.trainable_weights, new_backend)
        # Nothing can go wrong any more: a call that fails leaves the model as it was.
        self.loss, self.optimizer, self._metrics = new_loss, new_optimizer, new_metrics
        self._backend = new_backend
        self._place(self.weights)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Callbacks = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Any] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train for the epochs initial_epoch..epochs - 1, in batches of 32 unless told otherwise.

        x                   samples (N, ...), of any real dtype; read and converted batch by batch, so
                            that a callback may change them between epochs. A batch with NaN or infinity
                            is a ValueError before its step; the steps before it stand
        y                   the class of each sample (N,), integers from 0
        verbose             1 or "auto" progress, 2 one line per epoch, 0 nothing
        validation_split    the share of the samples, at the end and before any shuffle, to test on
        validation_data     (x, y) or (x, y, sample_weight) to test on instead
        class_weight        weight in the loss of each class that is named; others weigh 1
        validation_freq     every how many epochs to evaluate

        Returns the History: .history holds a list for each of loss, accuracy, val_loss,
        val_accuracy.
        """
        shapes.count("fit", "epochs", epochs, least=0)
        shapes.count("fit", "initial_epoch", initial_epoch, least=0)
        shapes.count("fit", "validation_freq", validation_freq)
        dataset, validation = self._dataset("fit", x, y, sample_weight, class_weight), None
        if validation_data is not None:
            validation = self._dataset("fit", *validation_data)
        elif validation_split:
            dataset, validation = data.split("fit", dataset, validation_split)
        generator = np.random.default_rng(session.new_seed()) if shuffle else None
        batches = self._batches("fit", dataset, batch_size, generator)
        tests = None
        if validation is not None:
            size = batch_size if validation_batch_size is None else validation_batch_size
            tests = self._batches("fit, validation", validation, size)
            tests.check()
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_weights, self.backend)

        self.history, self.stop_training = History(), False
        parameters = {"verbose": verbose, "epochs": epochs, "steps": len(batches)}
        hooks = CallbackList([*_as_list(callbacks), self.history], self, parameters)
        progress = self._progress(verbose, batches, epochs)
        hooks.call("on_train_begin", None)
        logs: Logs = {}
        for epoch in range(initial_epoch, epochs):
            logs = self._train_epoch(epoch, batches, progress, hooks)
            if tests is not None and (epoch + 1) % validation_freq == 0:
                results = self._test(tests, Progress(0, len(tests)), hooks)
                logs |= {f"val_{name}": value for name, value in results.items()}
            progress.clear()
            hooks.call("on_epoch_end", epoch, logs)
            progress.end(len(batches), logs)
            if self.stop_training:
                break
        hooks.call("on_train_end", logs)
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
    ) -> Any:
        """[loss, accuracy] of a dataset, or a dict of them; the loss alone without metrics."""
        dataset = self._dataset("evaluate", x, y, sample_weight)
        batches = self._batches("evaluate", dataset, batch_size)
        progress = self._progress(verbose, batches)
        logs = self._test(batches, progress, self._hooks(callbacks, verbose, batches))
        if return_dict:
            return logs
        results = [logs["loss"], *(logs[metric.name] for metric in self.metrics)]
        return results if self.metrics else results[0]

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        callbacks: Callbacks = None,
    ) -> np.ndarray:
        """What the model makes of each sample, as a float32 array (N, ...)."""
        dataset = data.Dataset(self._inputs("predict", x))
        batches = self._batches("predict", dataset, batch_size)
        progress = self._progress(verbose, batches)
        hooks = self._hooks(callbacks, verbose, batches)
        outputs = []
        progress.begin()
        hooks.call("on_predict_begin", None)
        for step, (batch, _, _) in enumerate(batches):
            hooks.call("on_predict_batch_begin", step, {})
            outputs.append(np.array(self.backend.to_numpy(self(batch))))
            hooks.call("on_predict_batch_end", step, {})
            progress.step(step + 1)
        hooks.call("on_predict_end", None)
        progress.end(len(batches))
        return np.concatenate(outputs)

    def train_step(self, x: Array, labels: Array, sample_weight: Array | None = None) -> None:
        """One step of the optimizer on a batch on the model's backend; waits for nothing."""
        assert self.optimizer is not None
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_weights, self.backend)
        gradients = self._run(self._values_and_gradients, x, labels, sample_weight, trains=True)
        for parameter, gradient in zip(self.trainable_weights, gradients, strict=True):
            parameter.gradient = gradient
        self.optimizer.step(self.trainable_weights)

    def _run(
        self,
        function: Any,
        x: Array,
        labels: Array,
        sample_weight: Array | None,
        *,
        trains: bool = False,
    ) -> Arrays:
        """Count the loss and the metrics that a function gives of a batch; returns what else it gives."""
        assert self.output_shape is not None
        assert self.output_shape[-1] is not None
        backends.of(self.name, labels=labels)  # an array, or an error that says what it is
        labels = arguments.class_labels(self.name, labels, self.output_shape[-1])
        values, rest = self._graphs.run(self, function, x, labels, sample_weight, trains=trains)
        for mean, value in zip((self._mean_loss, *self.metrics), values, strict=True):
            mean.add(value, labels.shape[0])
        return rest

    def _values_and_gradients(
        self, x: Array, labels: Array, sample_weight: Array | None
    ) -> Results:
        logits, backward = self.forward(x)
        values, dlogits = self._loss_and_metrics(logits, labels, sample_weight)
        backward(dlogits)
        gradients = [parameter.gradient for parameter in self.trainable_weights]
        for parameter in self.weights:
            parameter.gradient = None
        return values, gradients

    def _values(self, x: Array, labels: Array, sample_weight: Array | None) -> Results:
        return self._loss_and_metrics(self.logits(x), labels, sample_weight)[0], []

    def _loss_and_metrics(
        self, logits: Array, labels: Array, sample_weight: Array | None
    ) -> tuple[Arrays, Array]:
        """The batch's loss and its metrics, and the gradient of the loss."""
        assert self.loss is not None
        loss, dlogits = self.loss(logits, labels, sample_weight)
        return [loss, *(metric.of_batch(logits, labels) for metric in self.metrics)], dlogits

    def _parts(self) -> list[Any]:
        return [*super()._parts(), self.loss, *self.metrics]

    def reset_metrics(self) -> None:
        for mean in (self._mean_loss, *self.metrics):
            mean.reset_state()

    def read_metrics(self) -> Logs:
        """The means since reset_metrics(), by name in alphabetical order; waits for a device."""
        means = sorted((self._mean_loss, *self.metrics), key=lambda mean: mean.name)
        return {mean.name: mean.result() for mean in means}

    def _train_epoch(
        self, epoch: int, batches: data.Batches, progress: Progress, hooks: CallbackList
    ) -> Logs:
        self.reset_metrics()
        progress.begin(epoch)
        hooks.call("on_epoch_begin", epoch, None)
        for step, batch in enumerate(batches):
            hooks.call("on_train_batch_begin", step, {})
            self.train_step(*batch)
            hooks.call_batch("on_train_batch_end", step, self.read_metrics)
            progress.step(step + 1, self.read_metrics)
            if self.stop_training:
                break
        return self.read_metrics()

    def _test(self, batches: data.Batches, progress: Progress, hooks: CallbackList) -> Logs:
        assert self.loss is not None
        self.reset_metrics()
        progress.begin()
        hooks.call("on_test_begin", None)
        for step, (x, labels, sample_weight) in enumerate(batches):
            hooks.call("on_test_batch_begin", step, {})
            for part in self._in_parts(x, labels, sample_weight):
                self._run(self._values, *part)
            hooks.call_batch("on_test_batch_end", step, self.read_metrics)
            progress.step(step + 1, self.read_metrics)
        logs = self.read_metrics()
        hooks.call("on_test_end", logs)
        progress.end(len(batches), logs)
        return logs

    def _dataset(
        self,
        op: str,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> data.Dataset:
        """The checked arrays, for a model that is known to be compiled and fit for its loss."""
        if self.loss is None:
            raise ValueError(
                f"{op}: call compile(optimizer, loss) first. Received: an uncompiled model"
            )
        x = self._inputs(op, x)
        labels = data.labels(op, y, len(x), data.classes(op, self.layers, self.loss.from_logits))
        return data.Dataset(x, labels, data.weights(op, labels, sample_weight, class_weight))

    def _inputs(self, op: str, x: Any) -> np.ndarray:
        """The checked samples; they build a model that does not know its shape yet."""
        if not self.layers:
            raise ValueError(f"{op}: add layers to the model first. Received: a model without any")
        samples = data.inputs(op, x, self.input_shape)
        if not self.built:
            self.build((None, *samples.shape[1:]))
        return samples

    def _batches(
        self,
        op: str,
        dataset: data.Dataset,
        batch_size: int | None,
        generator: np.random.Generator | None = None,
    ) -> data.Batches:
        size = shapes.count(op, "batch_size", 32 if batch_size is None else batch_size)
        return data.Batches(op, dataset, size, self.backend, generator)

    def _progress(
        self, verbose: str | int, batches: data.Batches, epochs: int | None = None
    ) -> Progress:
        progress = Progress(verbose, len(batches), epochs)
        if verbose and not self.backend.is_warm():
            print("Compiling kernels (once; kept in a cache)...", flush=True)
        return progress

    def _hooks(
        self, callbacks: Callbacks, verbose: str | int, batches: data.Batches
    ) -> CallbackList:
        return CallbackList(_as_list(callbacks), self, {"verbose": verbose, "steps": len(batches)})


def _as_list(callbacks: Callbacks) -> list[Callback]:
    if callbacks is None:
        return []
    return [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
