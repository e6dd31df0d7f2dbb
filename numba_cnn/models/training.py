"""fit, evaluate and predict: the loops over batches."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from numba_cnn import nearest, session, shapes
from numba_cnn.backends import compiling
from numba_cnn.callbacks import Callback, CallbackList, History, ProgbarLogger
from numba_cnn.callbacks.callback_list import as_list
from numba_cnn.models import data, sources
from numba_cnn.models.feeding import BATCH_SIZE, Given, split
from numba_cnn.models.learner import Logs
from numba_cnn.models.resuming import Resumable
from numba_cnn.models.sources import Source
from numba_cnn.models.structure import one_or_all
from numba_cnn.progress import Progress, verbosity
from numba_cnn.settings import batches_asked_for, flag

Callbacks = Callback | Sequence[Callback] | None
_COMPILING = "Compiling kernels (once; kept in a cache)..."


class Trainer(Resumable):
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
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train for the epochs initial_epoch..epochs - 1, in batches of 32 unless told otherwise.

        x                   samples (N, ...), of any real dtype, or a list of them for several inputs, or a dict by
                            their names; read and converted batch by batch, so
                            that a callback may change them between epochs. A batch with NaN or infinity
                            is a ValueError before its step; the steps before it stand.
                            Arrays of h5py, and memory maps, are read batch by batch too.
                            Or what gives batches (x, y) or (x, y, sample_weight): a generator, a data set or loader
                            of another library, an object with a length and items such as a utils.PyDataset; but for
                            generators, a thread makes the next batch while a step runs
        shuffle             whether each epoch has an order of its own, which hangs on the seed and the
                            number of the epoch: set_random_seed(s) and fit(initial_epoch=3) go on with
                            the orders of a run that began with the same seed; "batch" puts batches in
                            order, whose samples stay together, as suits files
        y                   the class of each sample (N,), integers from 0, or numbers, as the loss takes them; for
                            several outputs a list, or a dict by their names, as is sample_weight
        verbose             1 or "auto" progress, 2 one line per epoch, 0 nothing, more the numbers of epochs alone
        validation_split    the share of the samples, at the end and before any shuffle, to test on
        validation_data     (x, y) or (x, y, sample_weight) to test on instead
        class_weight        weight in the loss of training of each class that is named; others weigh 1
        validation_freq     every how many epochs to evaluate
        steps_per_epoch     how many batches an epoch has, where it does not end by itself; so validation_steps

        Returns the History: .history holds a list for each of loss, accuracy, val_loss,
        val_accuracy.
        """
        shapes.count("fit", "epochs", epochs, least=0)
        shapes.count("fit", "initial_epoch", initial_epoch, least=0)
        shapes.count("fit", "validation_freq", validation_freq)
        by_batches = isinstance(shuffle, str) and shuffle == "batch"
        shuffle = by_batches or flag("fit", "shuffle", shuffle)
        if validation_batch_size is not None:
            shapes.count("fit", "validation_batch_size", validation_batch_size)
        given, validation = self._given("fit", x, y, sample_weight), None
        self.class_names = sources.class_names(x) or self.class_names
        if validation_data is not None:
            validation = self._given("fit, validation", *_parts_of(validation_data))
        elif not (isinstance(validation_split, int | float) and validation_split == 0):
            given, validation = split("fit", given, validation_split)
        seed = session.new_order_seed() if shuffle else None
        how: Any = {"seed": seed, "by_batches": by_batches, "class_weight": class_weight}
        batches = self._fed("fit", given, batch_size, steps_per_epoch, **how)
        tests = self._tests(validation, validation_batch_size or batch_size, validation_steps)
        self._build_optimizer()
        self.history, self.stop_training = History(), False
        names = [type(callback).__name__ for callback in self._mine(callbacks, every=True)]
        together = self._together("fit", batches, tests, callbacks=names, epochs=epochs)
        with together, self._progress(verbose, batches, callbacks, epochs) as progress:
            if tests is not None:
                tests.check()
            parameters: Any = {"verbose": verbose, "epochs": epochs, "steps": batches.steps}
            hooks = CallbackList([*self._mine(callbacks), self.history], model=self, **parameters)
            self._source, self._position = batches, (initial_epoch, 0)
            self._train(batches, tests, validation_freq, progress, hooks)
        self._source = None
        return self.history

    def _tests(
        self, given: Given | None, batch_size: int | None, steps: int | None
    ) -> Source | None:
        """What fit validates on."""
        steps = batches_asked_for("fit", "validation_steps", steps)
        return None if given is None else self._fed("fit, validation", given, batch_size, steps)

    def _train(
        self,
        batches: Source,
        tests: Source | None,
        validation_freq: int,
        progress: Progress,
        hooks: CallbackList,
    ) -> None:
        """The epochs from where fit() begins."""
        logs: Logs = {}
        hooks.call("on_train_begin", None)
        epochs, (first, done) = progress.epochs or 0, self._position
        for epoch in range(first, epochs):
            logs = self._train_epoch(epoch, batches, done if epoch == first else 0, progress, hooks)
            if tests is not None and (epoch + 1) % validation_freq == 0 and not tests.is_used_up:
                results = self._test(tests, Progress(0, tests.steps), hooks)
                logs = _with_validation(logs, results)
            progress.clear()
            hooks.call("on_epoch_end", epoch, logs)
            self._check_equal("fit", epoch)
            progress.end(batches.steps, logs)
            if batches.is_used_up and epoch + 1 < epochs:
                warnings.warn(
                    f"fit: x has no more batches: training ends after epoch {epoch + 1} of {epochs}; what is to be "
                    "gone through again must be no generator, or steps_per_epoch must be given",
                    stacklevel=4,
                )
                break
            if self.stop_training:
                break
        if self.optimizer is not None:  # which may keep moving averages of the weights
            self.optimizer.finalize_variable_values(self.trainable_weights)
        hooks.call("on_train_end", logs)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
    ) -> Any:
        """[loss, accuracy] of a dataset, or a dict of them; the loss alone without metrics."""
        return_dict = flag("evaluate", "return_dict", return_dict)
        given = self._given("evaluate", x, y, sample_weight)
        batches = self._fed("evaluate", given, batch_size, steps)
        together = self._together("evaluate", batches)
        with together, self._progress(verbose, batches, callbacks) as progress:
            logs = self._test(batches, progress, self._hooks(callbacks, verbose, batches))
        if return_dict:
            return logs
        return one_or_all(self._in_turn(logs))

    def _in_turn(self, logs: Logs) -> list[float]:
        """What evaluate returns: the loss, and metrics in compile's order; or the losses, and metrics by name."""
        if len(self._objectives) == 1:
            return [logs["loss"], *(logs[metric.name] for metric in self.metrics)]
        first = ["loss", *(one.mean.name for one in self._objectives if one.is_logged)]
        return [logs[name] for name in [*first, *(name for name in logs if name not in first)]]

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Callbacks = None,
    ) -> Any:
        """What the model makes of each sample, as a float32 array (N, ...), or a list or dict of them for several."""
        quick = verbose == 0 and callbacks is None and batch_size is steps is None
        if quick and self._ranks is None and _is_ready(x):
            results = self._graphs.again(self._outputs, x)  # one image often: Python would show
            if results is not None:
                return self.backend.to_numpy(results[0][0])
        batches = self._samples("predict", x, batch_size, steps)
        together = self._together("predict", batches)
        with together, self._progress(verbose, batches, callbacks) as progress:
            outputs = self._predicted(batches, progress, self._hooks(callbacks, verbose, batches))
        return self._arranged(outputs)

    def _predicted(
        self, batches: Source, progress: Progress, hooks: CallbackList
    ) -> list[np.ndarray]:
        """What the model makes of all samples, for each output."""
        outputs: list[list[np.ndarray]] = [[] for _ in self._ends]
        progress.begin()
        hooks.call("on_predict_begin", None)
        with closing(batches.epoch(0)) as passing:
            for step, (xs, _, _, share) in enumerate(passing):
                hooks.call("on_predict_batch_begin", step, {})
                for kept, one in zip(outputs, self._listed(self(one_or_all(xs))), strict=True):
                    kept.append(self._whole_output(np.array(self.backend.to_numpy(one)), share))
                hooks.call("on_predict_batch_end", step, {})
                progress.step(step + 1)
        hooks.call("on_predict_end", None)
        progress.end(batches.steps)
        return [np.concatenate(kept) for kept in outputs]

    def _train_epoch(
        self, epoch: int, batches: Source, done: int, progress: Progress, hooks: CallbackList
    ) -> Logs:
        """An epoch's steps, but for those that are done."""
        self.reset_metrics()
        progress.begin(epoch)
        hooks.call("on_epoch_begin", epoch, None)
        with closing(batches.epoch(epoch)) as passing:
            for step, batch in enumerate(islice(passing, done, None), done):
                hooks.call("on_train_batch_begin", step, {})
                self._train_batch(batch)
                hooks.call_batch("on_train_batch_end", step, self.read_metrics)
                progress.step(step + 1, self.read_metrics)
                self.stop_training = self._any_stops(hooks)
                if self.stop_training:
                    break
        return self.read_metrics()

    def _test(self, batches: Source, progress: Progress, hooks: CallbackList) -> Logs:
        self.reset_metrics()
        progress.begin()
        hooks.call("on_test_begin", None)
        with closing(batches.epoch(0)) as passing:
            for step, (xs, labels, weights, share) in enumerate(passing):
                hooks.call("on_test_batch_begin", step, {})
                self._test_batch(share, *xs, *labels, *weights)
                hooks.call_batch("on_test_batch_end", step, self.read_metrics)
                progress.step(step + 1, self.read_metrics)
        logs = self.read_metrics()
        hooks.call("on_test_end", logs)
        progress.end(batches.steps, logs)
        return logs

    @contextmanager
    def _progress(
        self, verbose: str | int, batches: Source, callbacks: Callbacks, epochs: int | None = None
    ) -> Iterator[Progress]:
        """What shows how far the passes have come, and says when they compile kernels."""
        shows = any(isinstance(one, ProgbarLogger) for one in as_list(callbacks))
        verbose = 0 if shows else verbosity(batches.op, "verbose", verbose)
        progress = Progress(verbose, batches.steps, epochs)
        if not verbose:
            yield progress
            return
        if not self.backend.is_warm():
            progress.say(_COMPILING)
            yield progress
            return
        with compiling.announced(partial(progress.say, _COMPILING)):
            yield progress

    def _hooks(self, callbacks: Callbacks, verbose: str | int, batches: Source) -> CallbackList:
        return CallbackList(self._mine(callbacks), model=self, verbose=verbose, steps=batches.steps)

    def _mine(self, callbacks: Callbacks, every: bool = False) -> list[Callback]:
        """Those that run on this rank, or on every one."""
        listed, first = as_list(callbacks), self._is_first and not every
        return [one for one in listed if first or not getattr(one, "on_first_rank_only", False)]


def _with_validation(logs: Logs, results: Logs) -> Logs:
    """Both, in the alphabetical order of Keras."""
    both = logs | {f"val_{name}": value for name, value in results.items()}
    return nearest.Logged(sorted(both.items()))


def _parts_of(validation_data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample_weight."""
    if sources.makes_batches(validation_data):
        return validation_data, None, None
    if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
        raise ValueError(
            "fit: validation_data must be (x, y) or (x, y, sample_weight), or give batches of them. "
            f"Received: {nearest.shown(validation_data)}"
        )
    x, y, sample_weight = (*validation_data, None)[:3]
    return x, y, sample_weight


def _is_ready(x: Any) -> bool:
    """Whether samples are one batch that can go to a recording as they are."""
    return type(x) is np.ndarray and x.ndim > 0 and 0 < len(x) <= BATCH_SIZE and data.is_ready(x)
