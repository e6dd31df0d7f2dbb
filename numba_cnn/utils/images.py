"""Image files for scripts, by Pillow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from numba_cnn import files, nearest, pictures, shapes
from numba_cnn.settings import choice, flag

if TYPE_CHECKING:
    from PIL import Image

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
_INTERPOLATIONS = "nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"
_DEEP = "I;16", "I;16L", "I;16B", "I;16N", "I"  # integers of more than 8 bits
# Bytes that an image may take in any case: photographs of 64 megapixels, however well they are packed.
_DECODED_FREE = 256 * 2**20
_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}
_last = choice("channels_last")


@nearest.keywords
def load_img(
    path: str | os.PathLike[str],
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    upright: bool = False,
) -> Image.Image:
    """An image file as an image of Pillow, which the extra "images" installs.

    color_mode           "rgb", "rgba" or "grayscale", which keeps integers of 16 and 32 bits as they are; in colour
                         65535 becomes 255, and of floats that go up to 1 at most, 1 does
    target_size          (height, width) to which it is resized; the shape of an image says both
    interpolation        "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos"
    keep_aspect_ratio    whether to cut off what does not fit, instead of stretching
    upright              whether to turn the image as EXIF's orientation says, which Keras does not

    Raises ValueError for a file that is no image, or takes more than 20 times its bytes and more than 256 MiB once it
    is decoded.
    """
    mode = _MODES[choice(*_MODES)("load_img", "color_mode", color_mode)]
    how = choice(*_INTERPOLATIONS)("load_img", "interpolation", interpolation)
    keep = flag("load_img", "keep_aspect_ratio", keep_aspect_ratio)
    pillow = _pillow("load_img")
    turned = flag("load_img", "upright", upright)
    with files.reading("cannot read the image", path), files.open_regular(path) as file:
        most = max(pictures.DECODED * files.size(file), _DECODED_FREE)
        with pictures.opened(pillow, file, most, pictures.formats(pillow)) as image:
            if turned:
                image = pictures.upright(image)
            if mode != "L" or image.mode not in _DEEP:
                image = pictures.in_mode(image, mode)
    if target_size is None:
        return image
    if isinstance(target_size, tuple | list) and len(target_size) == 3:
        target_size = target_size[0], target_size[1]
    height, width = shapes.pair("load_img", "target_size", target_size)
    box = _of_shape(image.size, width, height) if keep else None
    return image.resize((width, height), getattr(pillow.Resampling, how.upper()), box)


@nearest.keywords
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image of Pillow as an array (H, W, channels) of float32, or of another dtype; values 0..255."""
    _last("img_to_array", "data_format", data_format or "channels_last")
    array: np.ndarray = np.asarray(img, np.float32 if dtype is None else dtype)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3:
        raise ValueError(
            f"img_to_array: img must be an image. Received: {nearest.shown(np.asarray(img))}"
        )
    return array


@nearest.keywords
def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Image.Image:
    """An array (H, W, 1, 3 or 4) as an image of Pillow; `scale` brings its values to 0..255."""
    _last("array_to_img", "data_format", data_format or "channels_last")
    array: np.ndarray = np.asarray(x, np.float32 if dtype is None else dtype)
    if array.ndim != 3 or array.shape[-1] not in _CHANNELS:
        raise ValueError(
            f"array_to_img: x must have shape (H, W, 1, 3 or 4). Received: x of shape {array.shape}"
        )
    if flag("array_to_img", "scale", scale):
        array = array - array.min()
        most = array.max()
        array = array / most * 255 if most else array
    pixels = array.astype(np.uint8)
    image: Image.Image = _pillow("array_to_img").fromarray(
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    )
    return image


@nearest.keywords
def save_img(
    path: str | os.PathLike[str],
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
) -> None:
    """Write an array (H, W, 1, 3 or 4) as an image file."""
    image = array_to_img(x, data_format, scale)
    with files.naming(path):
        image.save(path, format=file_format)


def _of_shape(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The middle of an image that has the shape width x height."""
    W, H = size
    w, h = min(W, H * width // height), min(H, W * height // width)
    left, top = (W - w) // 2, (H - h) // 2
    return left, top, left + w, top + h


def _pillow(op: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f'{op} needs Pillow: pip install "numba-cnn[images]"') from None
    return Image
