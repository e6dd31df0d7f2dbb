"""What the server's threads share: the model, and how many images are decoded at a time."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from numba_cnn import classification, nearest
from numba_cnn.datasets.read_image import decode_image


class Classifier:
    """A model that says what images in memory show.

    Raises ValueError for a model that does not take images, or does not tell classes.
    """

    def __init__(self, model: Any, decoded: int, decoders: int) -> None:
        if not hasattr(model, "predict"):
            raise TypeError(f"serve: model must be a model. Received: {nearest.shown(model)}")
        shape, outputs = model.input_shape, model.output_shape
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] not in (1, 3):
            raise ValueError(
                f"serve: model must take images, grey or in colour. Received: inputs {shape}"
            )
        if not isinstance(outputs, tuple) or len(outputs) != 2:
            raise ValueError(
                f"serve: model must tell classes of images. Received: outputs {outputs}"
            )
        self.shape = (shape[1] or 64, shape[2] or 64, shape[3])
        self.model, self._decoded = model, decoded
        self._decoding, self._running = threading.BoundedSemaphore(decoders), threading.Lock()
        shares = classification.as_shares("serve", self._run(np.zeros(self.shape, np.float32)))
        self.names = classification.class_names(model.class_names, shares.shape[1])

    def classes(self, content: bytes, top: int) -> list[dict[str, Any]]:
        """The likeliest classes of the image in a file's bytes; ValueError for what is no image, or too large."""
        with self._decoding:
            image = decode_image(content, self.shape[:2], self.shape[2], self._decoded)
        shares = classification.as_shares("serve", self._run(image))
        return classification.likeliest(shares[0], self.names, top)

    def _run(self, image: np.ndarray) -> np.ndarray:
        with self._running:
            found: np.ndarray = self.model.predict(image[None], verbose=0)
        return found
