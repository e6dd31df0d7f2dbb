"""Image files, opened by Pillow within bounds, upright, in the mode that is asked for."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

# Formats that Pillow reads by itself, all of it in this process.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_OTHERS_PROGRAMS = ("EPS",)  # formats for which Pillow starts another program
# An image may take so many times its file's bytes.
DECODED = 20
# Bytes of a pixel by the image's mode; of others 4.
_BYTES = dict.fromkeys(("1", "L", "P"), 1) | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 2)
# What systems leave in folders, beside what they hide behind a dot.
NO_CLASSES = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
WHITE = 65535  # in grey of 16 bits
_ORIENTATION = 0x0112  # EXIF's tag


@functools.cache
def formats(pillow: Any) -> tuple[str, ...]:
    """All formats of Pillow's, but for those that run other programs. Those that a file's first bytes tell come first:
    of others Pillow begins to read the file to find out, which takes as long as a small JPEG image."""
    pillow.init()
    others = (name for name in pillow.ID if name not in (*FORMATS, *_OTHERS_PROGRAMS))
    return *FORMATS, *others


@contextlib.contextmanager
def opened(
    pillow: Any, file: BinaryIO, most: int, known: tuple[str, ...] = FORMATS
) -> Iterator[Image.Image]:
    """The decoded image of an open file, of which `most` bytes may come out."""
    try:
        image = pillow.open(file, formats=known)
    except pillow.UnidentifiedImageError as error:  # which names an object of Python's
        raise ValueError(f"expected one of {', '.join(FORMATS)}") from error
    with image:
        _check_size(image, most)
        image.load()
        yield image


def _check_size(image: Image.Image, most: int) -> None:
    """Refuse what would take far more memory than the file, before a pixel is decoded."""
    width, height = image.size
    decoded = width * height * _BYTES.get(image.mode, 4)
    if decoded > most:
        raise ValueError(f"{width}x{height} pixels take {decoded} bytes, of {most} at most")


def upright(image: Image.Image) -> Image.Image:
    """The image turned as EXIF's orientation says, if it does."""
    from PIL.Image import Transpose

    turns: dict[Any, Transpose] = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(image.getexif().get(_ORIENTATION))
    return image if turn is None else image.transpose(turn)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image in 8-bit "L", "RGB" or "RGBA": grey of more bits is scaled, where Pillow cuts it off at 255."""
    if image.mode == "F" or image.mode.startswith("I"):
        image = _in_8_bits(image)
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode == "LAB":
        image = image.convert("RGB")  # the only mode that it knows
    return image if image.mode == mode else image.convert(mode)


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Grey of more bits in 8. White is 65535 in 16 bits; else 255 where no value is larger, so that Pillow cuts nothing
    off; else 65535 of integers. Floats from 0 to 1 have white at 1."""
    from PIL import Image

    values = np.asarray(image)
    low, high = values.min(), values.max()
    deep = image.mode not in ("F", "I") or image.format == "PPM"
    larger = WHITE if deep or high > 255 else 255
    white = larger if image.mode != "F" else 255 if high > 1 else 1
    if not 0 <= low <= high <= white:  # nor is NaN
        raise ValueError(
            f"expected values of 0..{white} in an image of mode {image.mode}. Received: {low} to {high}"
        )
    scaled = np.asarray(values, np.float32) * np.float32(255 / white)
    return Image.fromarray((scaled if white == 255 else np.rint(scaled)).astype(np.uint8))
