"""The model of the tutorial that the library is measured by."""

from __future__ import annotations

from numba_cnn import shapes
from numba_cnn.layers import Conv2D, Dense, Flatten, MaxPooling2D
from numba_cnn.models.sequential import Sequential
from numba_cnn.nearest import keywords


@keywords
def tutorial_cnn(input_shape: tuple[int, int, int] = (64, 64, 3), classes: int = 10) -> Sequential:
    """Three 3x3 convolutions, two poolings, two dense layers; 646,858 weights at 64x64x3."""
    shapes.count("tutorial_cnn", "classes", classes)
    model = Sequential()
    model.add(Conv2D(32, (3, 3), activation="relu", input_shape=input_shape))
    model.add(MaxPooling2D((2, 2)))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(MaxPooling2D((2, 2)))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(Flatten())
    model.add(Dense(64, activation="relu"))
    model.add(Dense(classes, activation="softmax"))
    return model
