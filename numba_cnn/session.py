"""What a process shares: the names already given, the seeds of the random generators, and the last change."""

import random
import re
from collections import Counter

import numpy as np

from numba_cnn import shapes
from numba_cnn.nearest import keywords

_given: Counter[str] = Counter()
# Not Python's own generator: rich draws from that, so that a summary would change the weights.
_seeds = random.Random()
# A sequence of its own for the orders of batches, so that a run that is taken up again has the same ones
# however many weights it drew before.
_orders = random.Random()
# Another object whenever something is set on a layer, or a weight gets another array.
last_change = object()


def snake_case(name: str) -> str:
    """A class name as Keras spells it in names: MaxPooling2D is max_pooling2d, ReLU is re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(class_name: str) -> str:
    """The next name for an object of that class: conv2d, conv2d_1, conv2d_2, ..."""
    name = snake_case(class_name)
    _given[name] += 1
    return name if _given[name] == 1 else f"{name}_{_given[name] - 1}"


def note_change() -> None:
    """Have those who remember the last change look again at what they know."""
    global last_change
    last_change = object()


def clear_session() -> None:
    """Start the automatic names anew, as in a fresh process."""
    _given.clear()


@keywords
def set_random_seed(seed: int) -> None:
    """Fix this process's random numbers: initial weights, the order of batches, NumPy's own.

    The same seed, script and versions give the same bits, for any number of threads.
    """
    seed = shapes.count("set_random_seed", "seed", seed, least=0)
    if seed >= 2**32:
        raise ValueError(f"set_random_seed: seed must be below 2**32. Received: {seed}")
    _seeds.seed(seed)
    _orders.seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the script's own draws, as Keras does)


def new_seed() -> int:
    """A seed for a generator that was given none; set_random_seed fixes the sequence of them."""
    return _seeds.randint(1, 10**9)


def new_order_seed() -> int:
    """A seed for the orders of the batches of one fit(), from the sequence that set_random_seed begins."""
    return _orders.randint(1, 10**9)
