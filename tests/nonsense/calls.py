"""Calls with nonsense, and how they end."""

import contextlib
import io
import os
import random
import re
import tempfile
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np

from .examples import EXAMPLES
from .exceptions import EXCEPTIONS, INSIDE
from .kinds import KINDS, VALUES
from .parameters import ALIASES, PARAMETERS
from .targets import targets


class Outcome(NamedTuple):
    verdict: str  # right, unnamed, compiler, internal, taken
    call: str
    error: str


def nonsense_for(target, parameter):
    """The values that the parameter should refuse, and their names."""
    name = target.name.removesuffix(" = ")
    kind = EXCEPTIONS.get(f"{name}.{parameter}", PARAMETERS[parameter])
    if parameter == "input_shape" and name.startswith("layers."):
        kind = "?sample shape"
    fine = KINDS[kind.removeprefix("?")] | ({"None"} if kind[0] == "?" else set())
    found = {key: value for key, value in VALUES.items() if key not in fine}
    for where, values in INSIDE.items():
        if f"{name}.{parameter}".endswith(where):
            found |= values
    return list(found.items())


def judge(target, parameter, name, value):
    """Make the call, and say how it ended."""
    sets = target.name.endswith(" = ")
    arguments = {**({} if sets else EXAMPLES.get(target.name, {})), parameter: value}
    shown = f"{target.name}({parameter}={name})"
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            target.call(**arguments)
    except (ValueError, TypeError) as error:
        text = str(error)
        if type(error).__module__.startswith("numba.") or "nopython" in text:
            return Outcome("compiler", shown, text)
        named = re.search(rf"\b({ALIASES.get(parameter, parameter)}|{parameter})\b", text)
        right = named and "Received" in text
        return Outcome("right" if right else "unnamed", shown, f"{type(error).__name__}: {text}")
    except FileNotFoundError as error:
        named = parameter in ("directory", "filepath", "path", "source") and str(value) in str(
            error
        )
        return Outcome("right" if named else "internal", shown, str(error))
    except Exception as error:
        compiler = type(error).__module__.startswith(("numba.", "llvmlite"))
        return Outcome(
            "compiler" if compiler else "internal", shown, f"{type(error).__name__}: {error}"
        )
    return Outcome("taken", shown, "")


def run(calls, seed):
    """So many calls drawn from the seed, in an empty folder."""
    chance, outcomes = random.Random(seed), []
    pairs = [(target, p) for target in targets() for p in target.parameters]
    pairs = [(target, p, nonsense_for(target, p)) for target, p in pairs]
    pairs = [pair for pair in pairs if pair[2]]
    before, state = os.getcwd(), np.random.get_state()  # noqa: NPY002
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for _ in range(calls):
                target, parameter, values = chance.choice(pairs)
                outcomes.append(judge(target, parameter, *chance.choice(values)))
        finally:
            os.chdir(before)
            np.random.set_state(state)  # noqa: NPY002
    return outcomes


def shares(outcomes):
    counts = Counter(outcome.verdict for outcome in outcomes)
    return {v: counts[v] for v in ("right", "unnamed", "compiler", "internal", "taken")}
