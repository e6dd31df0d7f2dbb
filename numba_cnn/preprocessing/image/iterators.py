"""Batches of images that are changed at random: the order of images and the epochs, and images of arrays."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numba_cnn import nearest, session, shapes, threads
from numba_cnn.preprocessing.image.transforms import as_numbers
from numba_cnn.settings import array, choice, flag, path, text
from numba_cnn.utils import array_to_img
from numba_cnn.utils.in_shares import Cut

if TYPE_CHECKING:
    from numba_cnn.preprocessing.image.augmenter import Augmenter

SUBSETS = "training", "validation"
_COMPARED = 64  # samples by which processes compare their arrays
Order = tuple[int, bool, int | None]  # batch_size, shuffle, seed


class Saving(NamedTuple):
    """Where batches are written to as image files, to be looked at."""

    folder: str | None
    prefix: str
    format: str

    @classmethod
    def checked(cls, op: str, folder: Any, prefix: Any, form: Any) -> Saving:
        if not isinstance(prefix, str):
            raise ValueError(
                f"{op}: save_prefix must be a string. Received: {nearest.shown(prefix)}"
            )
        kept = None if folder is None else path(op, "save_to_dir", folder)
        return cls(kept, prefix, text(op, "save_format", form))

    def save(self, index: int, chance: np.random.Generator, image: np.ndarray) -> None:
        name = f"{self.prefix}_{index}_{chance.integers(10_000_000)}.{self.format}"
        array_to_img(image, scale=True).save(Path(self.folder or "", name))


class Iterator:
    """n samples in batches, without an end: next(), or by place in the epoch, [i] of len().

    A derived class says by _get_batches_of_transformed_samples(index_array) what a batch is of samples by their places.
    The order of an epoch hangs on the seed and its number; an epoch ends with on_epoch_end(), or with its last batch
    where next() is asked.
    """

    def __init__(
        self, n: int, batch_size: int = 32, shuffle: bool = False, seed: int | None = None
    ) -> None:
        op = type(self).__name__
        self.n = self.samples = shapes.count(op, "n", n, least=0)
        self.batch_size = shapes.count(op, "batch_size", batch_size)
        self.shuffle = flag(op, "shuffle", shuffle)
        self.seed = None if seed is None else shapes.count(op, "seed", seed, least=0)
        self.batch_index = self.total_batches_seen = 0
        self.epoch = 0
        self._chosen = session.new_order_seed() if self.seed is None else self.seed
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(
                f"{type(self).__name__}: there are {len(self)} batches. Received: batch {index}"
            )
        return self._get_batches_of_transformed_samples(self._places(index))

    def _places(self, index: int) -> np.ndarray:
        return self.index_array[self.batch_size * index : self.batch_size * (index + 1)]

    @property
    def index_array(self) -> np.ndarray:
        """The places of the samples in the order of this epoch."""
        if not self.shuffle:
            return np.arange(self.n)
        return np.random.default_rng((self._chosen, self.epoch)).permutation(self.n)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        with self._lock:
            batch = self[self.batch_index]
            self.batch_index += 1
            self.total_batches_seen += 1
            if self.batch_index == len(self):
                self.on_epoch_end()
        return batch

    next = __next__

    def reset(self) -> None:
        """Begin an epoch."""
        if self.batch_index:
            self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""
        self.batch_index = 0
        self.epoch += 1

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        raise NotImplementedError


class ImageIterator(Iterator):
    """Images that an ImageDataGenerator changes."""

    image_shape: tuple[int, ...]

    def __init__(self, n: int, generator: Augmenter, saving: Saving, order: Order) -> None:
        super().__init__(n, *order)
        self.image_data_generator, self._saving, self._pace = generator, saving, threads.Pace()
        self.dtype, self.data_format = generator.dtype, generator.data_format
        self.save_to_dir, self.save_prefix, self.save_format = saving

    def _in_shares(self, cut: Cut) -> InShares:
        return InShares(self, cut)

    def _told(self) -> Any:
        """What several processes compare, as only equal batches can be put together from shares."""
        order = self.n, self.batch_size, self.shuffle, self._chosen, self.epoch
        return [type(self).__name__, *order, self._samples_told()]

    def _samples_told(self) -> Any:
        raise NotImplementedError

    def _images(self, places: np.ndarray, read: Callable[[int], np.ndarray]) -> np.ndarray:
        """The images at these places: read and changed by a few threads, standardized in order."""
        generator, epoch = self.image_data_generator, self.epoch

        def changed(place: int) -> np.ndarray:
            x = read(place)
            chance = np.random.default_rng((self._chosen, epoch, place))
            return generator.apply_transform(x, generator.drawn(x.shape, chance))

        batch: np.ndarray = np.empty((len(places), *self.image_shape), self.dtype)
        for i, x in enumerate(threads.mapped(changed, map(int, places), pace=self._pace)):
            image = generator.standardize(np.asarray(x, self.dtype))
            if np.shape(image) != self.image_shape:
                raise ValueError(
                    f"{type(self).__name__}: preprocessing_function must return an image of shape "
                    f"{self.image_shape}. Received: {nearest.shown(image)}"
                )
            batch[i] = image
            if self._saving.folder is not None:
                chance = np.random.default_rng((self._chosen, epoch, int(places[i]), 1))
                self._saving.save(int(places[i]), chance, batch[i])
        return batch


class InShares:
    """(N, the samples of a share) for each batch of N images, which are changed one by one."""

    def __init__(self, images: ImageIterator, cut: Cut) -> None:
        self._images, self._cut = images, cut

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Any:
        places = self._images._places(index)
        mine = places[slice(*self._cut(len(places)))]
        return len(places), self._images._get_batches_of_transformed_samples(mine)

    def on_epoch_end(self) -> None:
        self._images.on_epoch_end()


class NumpyArrayIterator(ImageIterator):
    """Batches of arrays, which flow() makes: x alone, (x, y) or (x, y, sample_weight)."""

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        generator: Augmenter,
        saving: Saving,
        order: Order,
        subset: str | None,
        ignore_class_split: bool,
    ) -> None:
        together = isinstance(x, tuple | list) and len(x) > 1
        images, others = (x[0], x[1]) if together else (x, [])
        images = as_numbers("flow", images, 4, "images (N, H, W, C)")
        given = *(others if isinstance(others, list) else [others]), y, sample_weight
        arrays: list[Any] = [images, *(None if one is None else array(one) for one in given)]
        _check_lengths(arrays)
        flag("flow", "ignore_class_split", ignore_class_split)
        if subset is not None:
            arrays = self._part(arrays, subset, generator, ignore_class_split)
        self.x, *self.x_misc, self.y, self.sample_weight = arrays
        self.image_shape = self.x.shape[1:]
        super().__init__(len(self.x), generator, saving, order)

    @staticmethod
    def _part(
        arrays: list[Any], subset: str, generator: Augmenter, ignore_class_split: bool
    ) -> list[Any]:
        """What belongs to the subset of all arrays."""
        choice(*SUBSETS)("flow", "subset", subset)
        at = int(len(arrays[0]) * generator.validation_split)
        parts = slice(0, at), slice(at, None)
        y = arrays[-2]
        if y is not None and not ignore_class_split:
            first, last = (set(np.unique(y[part]).tolist()) for part in parts)
            if first != last:
                raise ValueError(
                    "flow: training and validation subsets must have the same classes; shuffle x and y first, or pass "
                    f"ignore_class_split=True. Received: {len(last)} and {len(first)} classes"
                )
        mine = parts[0] if subset == "validation" else parts[1]
        return [None if one is None else one[mine] for one in arrays]

    def _samples_told(self) -> Any:
        some = np.linspace(0, self.n - 1, min(self.n, _COMPARED)).astype(int)
        arrays = self.x, *self.x_misc, self.y, self.sample_weight
        return [zlib.crc32(one[some].tobytes()) for one in arrays if one is not None]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        images = self._images(index_array, lambda place: np.array(self.x[place]))
        x = [images, *(one[index_array] for one in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return x
        weight = () if self.sample_weight is None else (self.sample_weight[index_array],)
        return (x, self.y[index_array], *weight)


def _check_lengths(arrays: list[Any]) -> None:
    lengths = [len(one) if one.ndim else 0 for one in arrays if one is not None]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"flow: x, y and sample_weight must have the same length. Received: {lengths}"
        )
