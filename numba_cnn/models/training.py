"""fit, evaluate and predict: the loops over batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numba_cnn import nearest, session, shapes
from numba_cnn.callbacks import Callback, CallbackList, History
from numba_cnn.callbacks.callback import as_list
from numba_cnn.models import data, targets
from numba_cnn.models.learner import Learner, Logs
from numba_cnn.models.progress import Progress, verbosity
from numba_cnn.settings import flag

Callbacks = Callback | Sequence[Callback] | None


class Trainer(Learner):
    """A model that learns from whole datasets."""

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
        shuffle             whether each epoch has an order of its own, which hangs on the seed and the
                            number of the epoch: set_random_seed(s) and fit(initial_epoch=3) go on with
                            the orders of a run that began with the same seed
        y                   the class of each sample (N,), integers from 0
        verbose             1 or "auto" progress, 2 one line per epoch, 0 nothing
        validation_split    the share of the samples, at the end and before any shuffle, to test on
        validation_data     (x, y) or (x, y, sample_weight) to test on instead
        class_weight        weight in the loss of training of each class that is named; others weigh 1
        validation_freq     every how many epochs to evaluate

        Returns the History: .history holds a list for each of loss, accuracy, val_loss,
        val_accuracy.
        """
        shapes.count("fit", "epochs", epochs, least=0)
        shapes.count("fit", "initial_epoch", initial_epoch, least=0)
        shapes.count("fit", "validation_freq", validation_freq)
        shuffle = flag("fit", "shuffle", shuffle)
        if validation_batch_size is not None:
            shapes.count("fit", "validation_batch_size", validation_batch_size)
        dataset, validation = self._dataset("fit", x, y, sample_weight), None
        if validation_data is not None:
            validation = self._dataset("fit", *_parts_of(validation_data))
        elif not (isinstance(validation_split, int | float) and validation_split == 0):
            dataset, validation = data.split("fit", dataset, validation_split)
        dataset = targets.weighted("fit", dataset, class_weight, self._outputs_of_a_sample())
        seed = session.new_order_seed() if shuffle else None
        batches = self._batches("fit", dataset, batch_size, seed)
        tests = None
        if validation is not None:
            size = batch_size if validation_batch_size is None else validation_batch_size
            tests = self._batches("fit, validation", validation, size)
            tests.check()
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_weights, self.backend, self)

        self.history, self.stop_training = History(), False
        parameters = {"verbose": verbose, "epochs": epochs, "steps": len(batches)}
        hooks = CallbackList([*as_list(callbacks), self.history], self, parameters)
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
        self._end_training(hooks, logs)
        return self.history

    def _end_training(self, hooks: CallbackList, logs: Logs) -> None:
        """Give the weights their moving averages, if the optimizer keeps any."""
        if self.optimizer is not None:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        hooks.call("on_train_end", logs)

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
        return_dict = flag("evaluate", "return_dict", return_dict)
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
        samples = self._inputs("predict", x)
        if verbose == 0 and callbacks is None and self._is_one_batch(samples, batch_size):
            return np.array(self.backend.to_numpy(self(self.backend.asarray(samples))))
        dataset = data.Dataset(samples)
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

    def _is_one_batch(self, samples: np.ndarray, batch_size: int | None) -> bool:
        """Whether predict has no more to do than to call the model: few samples come often, and Python would show."""
        size = 32 if batch_size is None else shapes.count("predict", "batch_size", batch_size)
        return len(samples) <= size and data.is_ready(samples)

    def _train_epoch(
        self, epoch: int, batches: data.Batches, progress: Progress, hooks: CallbackList
    ) -> Logs:
        self.reset_metrics()
        progress.begin(epoch)
        hooks.call("on_epoch_begin", epoch, None)
        for step, batch in enumerate(batches.epoch(epoch)):
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
    ) -> data.Dataset:
        """The checked arrays, for a model that is known to be compiled and fit for its loss."""
        if self.loss is None:
            raise ValueError(
                f"{op}: call compile(optimizer, loss) first. Received: an uncompiled model"
            )
        x = self._inputs(op, x)
        targets.check_scores(op, self._last_layer, self.loss)
        labels = targets.targets(op, y, len(x), self.output_shape, self.loss)
        return data.Dataset(
            x, labels, targets.weights(op, labels, sample_weight, self.output_shape)
        )

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
        seed: int | None = None,
    ) -> data.Batches:
        size = shapes.count(op, "batch_size", 32 if batch_size is None else batch_size)
        return data.Batches(op, dataset, size, self.backend, seed)

    def _progress(
        self, verbose: str | int, batches: data.Batches, epochs: int | None = None
    ) -> Progress:
        verbose = verbosity(batches.op, "verbose", verbose)
        progress = Progress(verbose, len(batches), epochs)
        if verbose and not self.backend.is_warm():
            print("Compiling kernels (once; kept in a cache)...", flush=True)
        return progress

    def _hooks(
        self, callbacks: Callbacks, verbose: str | int, batches: data.Batches
    ) -> CallbackList:
        return CallbackList(as_list(callbacks), self, {"verbose": verbose, "steps": len(batches)})


def _parts_of(validation_data: Any) -> Sequence[Any]:
    if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
        raise ValueError(
            "fit: validation_data must be (x, y) or (x, y, sample_weight). "
            f"Received: {nearest.shown(validation_data)}"
        )
    return validation_data
