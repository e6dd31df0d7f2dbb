"""summary(): the text of Keras's documentation, character for character; test_against_keras.py asks Keras."""

import pytest
import small_cnn

from numba_cnn import layers, models
from numba_cnn.models.summary import readable_size

TUTORIAL = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                      │ (None, 62, 62, 32)          │             896 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ max_pooling2d (MaxPooling2D)         │ (None, 31, 31, 32)          │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ conv2d_1 (Conv2D)                    │ (None, 29, 29, 64)          │          18,496 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ max_pooling2d_1 (MaxPooling2D)       │ (None, 14, 14, 64)          │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ conv2d_2 (Conv2D)                    │ (None, 12, 12, 64)          │          36,928 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ flatten (Flatten)                    │ (None, 9216)                │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dense (Dense)                        │ (None, 64)                  │         589,888 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ dense_1 (Dense)                      │ (None, 10)                  │             650 │
└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
 Total params: 646,858 (2.47 MB)
 Trainable params: 646,858 (2.47 MB)
 Non-trainable params: 0 (0.00 B)
"""


def test_the_tutorials_model_in_100_columns(capsys):
    small_cnn.tutorial(layers, models).summary()
    assert capsys.readouterr().out == TUTORIAL


def test_no_weight_is_drawn_for_it():
    model = models.Sequential([layers.Dense(10**6, input_shape=(10**6,))])
    lines = []
    model.summary(print_fn=lines.append)
    assert " Total params: 1,000,001,000,000 (3.64 TB)\n" in lines[0]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (2_587_432, "2.47 MB"),
     (2**60, "1024.00 PB")],
)  # fmt: skip
def test_sizes(size, text):
    assert readable_size(size) == text


def test_wrong_arguments():
    model = small_cnn.build(layers, models)
    with pytest.raises(ValueError, match=r"too short for its columns. Received: 10"):
        model.summary(line_length=10)
    with pytest.raises(ValueError, match=r"no layer has such a name. Received: \['x', 'y'\]"):
        model.summary(layer_range=["x", "y"])
