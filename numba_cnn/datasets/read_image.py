"""Image files, of every mode and number of bits, as arrays."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from numba_cnn import files, pictures

if TYPE_CHECKING:
    from PIL import Image

_DECODED_FREE = 64 * 2**20  # bytes that an image may take in any case


def read_image(
    path: str | os.PathLike[str], size: tuple[int, int], channels: int = 3
) -> np.ndarray:
    """An image file as float32 in [0, 1], (H, W, 3), or in grey (H, W, 1); needs Pillow.

    size        (H, W) of the array; the image is resized to it, bicubic
    channels    3 for red, green and blue, 1 for grey

    Grey of 16 bits keeps them; floats must lie in 0..1, 32-bit integers in 0..65535. Transparency is
    dropped, not blended: what shows is the colour that is stored, of premultiplied modes the colour before
    the multiplication. EXIF's orientation is applied; of an animation the first frame is read.

    Raises ValueError for a file that is no image, is broken, or takes more than 20 times its bytes and
    more than 64 MiB once it is decoded; reading takes three times that and what was asked for.
    """
    pillow = _pillow(path)
    with (
        files.reading("cannot read the image", path),
        files.open_regular(path) as file,
        pictures.opened(pillow, file, _most(files.size(file))) as image,
    ):
        return as_array(pictures.upright(image), size, channels)


def decode_image(
    content: bytes, size: tuple[int, int], channels: int = 3, most: int | None = None
) -> np.ndarray:
    """An image file's bytes as read_image() returns them, and within its bounds; or within so many bytes, decoded."""
    pillow = _pillow("bytes")
    most = _most(len(content)) if most is None else most
    with (
        files.reading("cannot read the image", f"{len(content)} bytes"),
        pictures.opened(pillow, io.BytesIO(content), most) as image,
    ):
        return as_array(pictures.upright(image), size, channels)


def read_values(path: str | os.PathLike[str], size: tuple[int, int]) -> np.ndarray:
    """The values of a mask (H, W), whole numbers, each pixel that of the nearest; of a palette their numbers in it."""
    pillow = _pillow(path)
    with (
        files.reading("cannot read the mask", path),
        files.open_regular(path) as file,
        pictures.opened(pillow, file, _most(files.size(file))) as image,
    ):
        if image.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L"):
            raise ValueError(
                f"expected a mask of one channel. Received: an image of mode {image.mode}"
            )
        resized = pictures.upright(image).resize(size[::-1], pillow.Resampling.NEAREST)
        return np.asarray(resized).astype(np.int32)


def _pillow(source: Any) -> Any:
    """The module that opens images."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f'reading image files needs Pillow: pip install "numba-cnn[images]". Received: {source}'
        ) from None
    return Image


def _most(length: int) -> int:
    """The bytes that the image of a file of that many bytes may take."""
    return max(pictures.DECODED * length, _DECODED_FREE)


def as_array(image: Image.Image, size: tuple[int, int], channels: int) -> np.ndarray:
    """An image of Pillow as read_image() returns it."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep(image, size, channels)
    converted = _convert(image, "L" if channels == 1 else "RGB").resize(size[::-1])
    return np.asarray(converted, np.float32).reshape(*size, channels) / np.float32(255)


def _convert(image: Image.Image, mode: str) -> Image.Image:
    """The image in 8-bit colour or grey, its transparency dropped."""
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    if image.mode not in ("1", "L", "LA", "RGB"):
        image = image.convert("RGB")  # the only mode that all the others know
    return image if image.mode == mode else image.convert(mode)


def _deep(image: Image.Image, size: tuple[int, int], channels: int) -> np.ndarray:
    """A grey image of more than 8 bits, resized as floats."""
    from PIL import Image

    values = np.asarray(image)
    white = 1 if image.mode == "F" else pictures.WHITE
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= white:  # nor is NaN
        raise ValueError(
            f"expected values of 0..{white} in an image of mode {image.mode}. Received: {low} to {high}"
        )
    grey = Image.fromarray(np.asarray(values, np.float32) / np.float32(white))
    # Where there are edges, bicubic sums leave the range a little, which integers cannot.
    resized = np.clip(np.asarray(grey.resize(size[::-1]), np.float32), 0, 1)
    return np.repeat(resized[..., None], channels, axis=-1)
