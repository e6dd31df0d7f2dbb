"""Calls with one nonsense argument each: python -m tests.nonsense --calls 9000 --seed 0.

Public functions, constructors, methods and settings are found in the namespaces (targets.py); examples.py has
the arguments of one good call of each; parameters.py, kinds.py and exceptions.py say what each parameter takes. A call
is right if it ends in a ValueError or TypeError that names the argument and says what was received.
"""

from .calls import run, shares

__all__ = ["run", "shares"]
