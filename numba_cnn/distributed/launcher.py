"""Who started this process: a launcher of MPI's with others, or nobody; and mpi4py, which is an extra."""

from __future__ import annotations

import faulthandler
import os
from typing import Any

# The variables in which launchers tell processes how many there are, and which one each is.
_SIZES = "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"
_RANKS = "PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"


def launched() -> int:
    """How many processes a launcher such as mpiexec started together with this one; 1 without a launcher."""
    return max(_number(_SIZES), 1)


def is_first() -> bool:
    """Whether this process is the one of several that prints and saves: rank 0, or the only one."""
    return launched() == 1 or _number(_RANKS) == 0


def mpi(timeout: float) -> Any:
    """mpi4py's MPI, known to count as many processes as the launcher; ImportError or RuntimeError in one sentence."""
    try:
        MPI = _wait_until_every_rank_calls_distribute(timeout)
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            'distribute: MPI takes the extra "mpi": pip install "numba-cnn[mpi]", which brings mpi4py, MPICH and its '
            f"mpiexec. Received: {error}"
        ) from error
    expected, counted = launched(), MPI.COMM_WORLD.size
    if counted == 1 < expected:
        raise RuntimeError(
            f"distribute: the launcher started {expected} processes, but each finds itself alone: mpiexec and the MPI "
            f"that mpi4py uses must be of one kind. Received: {MPI.Get_library_version().split()[0]}"
        )
    return MPI


def _wait_until_every_rank_calls_distribute(timeout: float) -> Any:
    """mpi4py's MPI, whose import waits for all processes in C, where nothing but a timer ends it.

    The timer ends the process with this function's name in what it prints.
    """
    if launched() > 1:
        faulthandler.dump_traceback_later(timeout, exit=True)
    try:
        from mpi4py import MPI
    finally:
        faulthandler.cancel_dump_traceback_later()
    return MPI


def _number(names: tuple[str, ...]) -> int:
    found = [os.environ[name] for name in names if os.environ.get(name, "").isdecimal()]
    return int(found[0]) if found else 0
