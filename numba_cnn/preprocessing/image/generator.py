"""ImageDataGenerator: batches of images that are changed at random while they are read."""

from __future__ import annotations

import os
from typing import Any

from numba_cnn.preprocessing.image.augmenter import Augmenter
from numba_cnn.preprocessing.image.from_files import DirectoryIterator, Reading
from numba_cnn.preprocessing.image.from_tables import DataFrameIterator
from numba_cnn.preprocessing.image.iterators import NumpyArrayIterator, Saving


class ImageDataGenerator(Augmenter):
    """Batches of images, each changed at random in every epoch, as Keras's class of that name makes them.

    featurewise_center, featurewise_std_normalization, zca_whitening    by what fit() has seen: its mean taken off,
                             divided by its deviation, whitened
    samplewise_center, samplewise_std_normalization    the same by the image's own mean and deviation
    rotation_range           degrees by which images are turned at most
    width_shift_range, height_shift_range    below 1 a share of the extent, else pixels; a list of shifts to choose from
    brightness_range         (least, largest) factor of brightness; needs the extra "images"
    shear_range              degrees
    zoom_range               (least, largest), or how far they lie from 1
    channel_shift_range      what is added to all values at most
    fill_mode, cval          beyond the border: "nearest", "reflect", "wrap", or "constant", which is cval
    rescale                  a factor of all values
    preprocessing_function   a function of an image (H, W, C) that returns one; called in the order of images, by one
                             thread at a time
    validation_split         the share of images, at the beginning, that subset="validation" takes
    interpolation_order      0 the nearest pixel, 1 what lies between the four around
    dtype                    of the batches: "float32", "float64", "float16"

    What an image becomes hangs on the seed, the epoch and the place of the image among all, not on the batch or the
    thread that reads it.
    """

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of images x (N, H, W, C) with y and sample_weight, as far as they are given.

        x              of any real dtype; or (images, others), of which the others go along unchanged
        seed           of the order and of the changes; unless given from the sequence that set_random_seed begins
        save_to_dir    a folder for what the batches hold, as image files of save_format, named from save_prefix
        subset         "validation" is the share validation_split at the beginning, "training" the rest
        """
        saving = Saving.checked("flow", save_to_dir, save_prefix, save_format)
        order = batch_size, shuffle, seed
        return NumpyArrayIterator(
            x, y, sample_weight, self, saving, order, subset, ignore_class_split
        )

    def flow_from_directory(
        self,
        directory: str | os.PathLike[str],
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        upright: bool = False,
    ) -> DirectoryIterator:
        """Batches of the images in directory/<class>/ and in folders below; needs the extra "images".

        target_size    (height, width) that all are brought to, as interpolation says, which load_img() explains;
                       keep_aspect_ratio cuts off what does not fit, instead of stretching
        color_mode     "rgb", "rgba" or "grayscale"
        upright        whether to turn images as EXIF's orientation says, which Keras does not
        classes        the folders that are classes, in the order of their numbers; by name unless given
        class_mode     what y is: "categorical" (N, classes), "sparse" or "binary" numbers (N,), "input" the images
                       themselves; None: there is no y
        seed, save_to_dir, save_prefix, save_format, subset    as flow(); of a subset, the share is that of each class

        Neither what is hidden is a class or an image, nor what is no regular file. Raises ValueError where there is no
        image, and when a batch is made for one that cannot be read.
        """
        op = "flow_from_directory"
        how = interpolation, keep_aspect_ratio, upright
        reading = Reading.checked(op, target_size, color_mode, *how)
        saving = Saving.checked(op, save_to_dir, save_prefix, save_format)
        order = batch_size, shuffle, seed
        return DirectoryIterator(
            directory, self, reading, saving, order, classes, class_mode, follow_links, subset
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | os.PathLike[str] | None = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        keep_aspect_ratio: bool = False,
        upright: bool = False,
    ) -> DataFrameIterator:
        """Batches of the image files that a table names; needs the extra "images".

        dataframe             whatever gives a column by its name: a data frame, a dict of lists, a structured array
        directory             what the paths in x_col begin from
        x_col, y_col          the columns of paths, and of names of classes, or lists of them
        weight_col            the column of a weight for each image
        class_mode            what y is: "categorical", "sparse", "binary", "input" and None as flow_from_directory();
                              "raw" the numbers in y_col, a column or several; "multi_output" a list of columns
        validate_filenames    whether to leave out, with a warning, files that are not there
        """
        op = "flow_from_dataframe"
        how = interpolation, keep_aspect_ratio, upright
        reading = Reading.checked(op, target_size, color_mode, *how)
        saving = Saving.checked(op, save_to_dir, save_prefix, save_format)
        columns, order = (x_col, y_col, weight_col), (batch_size, shuffle, seed)
        rest = columns, classes, class_mode, subset, validate_filenames
        return DataFrameIterator(dataframe, directory, self, reading, saving, order, *rest)
