"""Single batches: train_on_batch, test_on_batch, predict_on_batch."""

from __future__ import annotations

from typing import Any

from numba_cnn.models import targets
from numba_cnn.models.structure import one_or_all
from numba_cnn.models.training import Trainer
from numba_cnn.settings import flag


class OnBatch(Trainer):
    """A model that is also given one batch at a time."""

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of the optimizer on a batch; returns the loss and the metrics as evaluate() does.

        They are means over the batches since reset_metrics().
        """
        return_dict = flag("train_on_batch", "return_dict", return_dict)
        given = self._given("train_on_batch", x, y, sample_weight)
        batch = self._whole("train_on_batch", given, class_weight)
        self._train_batch(batch)
        return self._told(return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics, means over the batches since reset_metrics(), as evaluate() returns them."""
        return_dict = flag("test_on_batch", "return_dict", return_dict)
        given = self._given("test_on_batch", x, y, sample_weight)
        xs, labels, weights, share = self._whole("test_on_batch", given, None)
        self._test_batch(share, *xs, *labels, *weights)
        return self._told(return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """What the model makes of the samples, all in one batch."""
        xs = self._inputs("predict_on_batch", x)
        return self.predict(one_or_all(list(xs)), batch_size=len(xs[0]), verbose=0)

    def _whole(self, op: str, given: Any, class_weight: Any) -> Any:
        """Checked arrays as one batch where the model lives."""
        dataset = targets.weighted(op, given, class_weight, self.output_shape)
        return next(self._in_batches(op, dataset, dataset.N).epoch(0))

    def _told(self, return_dict: bool) -> Any:
        logs = self.read_metrics()
        return logs if return_dict else one_or_all(self._in_turn(logs))
