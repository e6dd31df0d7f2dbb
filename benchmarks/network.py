"""Two hosts of a network of their own on one machine: network namespaces with a link of so many Gbit/s between them.

It takes root, Debian's iproute2, and a kernel with namespaces and the token bucket filter (tbf).
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

# MPICH would find out that both hosts are one machine, and go through its memory.
TCP = {
    "MPIR_CVAR_NOLOCAL": "1",
    "UCX_TLS": "tcp,self",
    "UCX_LOG_LEVEL": "error",
    "UCX_TCP_AF_PRIO": "inet",
}
_count = itertools.count()
_LAUNCHER = """#!/bin/sh
# As ssh would: [options] host command
while [ "${1#-}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec NAME${host##*.} sh -c "cd FOLDER; $*"
"""


class Hosts(NamedTuple):
    """The words of a command that runs what follows on both hosts, one rank on each, its settings, and their name."""

    command: list[str]
    environment: dict[str, str]
    name: str

    def on(self, i):
        """The words of a command that runs what follows on host 1 or 2."""
        return f"ip netns exec {self.name}{i}".split()


def address(i):
    """Of host 1 or 2."""
    return f"10.77.0.{i}"


def why_not():
    """What is missing here, or None."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "network namespaces take root"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "network namespaces take ip and tc, of iproute2"
    try:
        with link(1.0):
            return None
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"


@contextlib.contextmanager
def link(gbit, delay=0.0):
    """Two Hosts, whose frames take `delay` seconds one way, beside what so many Gbit/s need for them."""
    name, devices = f"ranks{os.getpid()}x{next(_count)}x", {1: "veth1", 2: "veth2"}
    with contextlib.ExitStack() as stack:
        for i in devices:
            stack.enter_context(_namespace(f"{name}{i}"))
        if delay:
            stack.enter_context(_slow_wire(name, devices, delay))
        else:
            one, other = (f"{device} netns {name}{i}" for i, device in devices.items())
            _run(f"ip link add {one} type veth peer name {other}")
        for i, device in devices.items():
            inside = f"-n {name}{i}"
            _run(f"ip {inside} addr add {address(i)}/24 dev {device}")
            _run(f"ip {inside} link set {device} up")
            _run(f"ip {inside} link set lo up")
            _run(
                f"tc {inside} qdisc add dev {device} root tbf rate {gbit}gbit burst 72kb latency 50ms"
            )
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        launcher = Path(folder, "launch")
        launcher.write_text(_LAUNCHER.replace("NAME", name).replace("FOLDER", str(Path.cwd())))
        launcher.chmod(0o755)
        mpiexec = Path(sys.executable).with_name("mpiexec")
        words = f"-launcher ssh -launcher-exec {launcher} -hosts {address(1)},{address(2)} -n 2"
        started = f"ip netns exec {name}1 {mpiexec} {words} -iface {devices[1]}"
        yield Hosts([*started.split(), sys.executable], os.environ | TCP, name)


@contextlib.contextmanager
def _namespace(name):
    _run(f"ip netns add {name}")
    try:
        _run(f"ip netns exec {name} sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        yield
    finally:
        subprocess.run(f"ip netns del {name}".split(), check=False, capture_output=True)


@contextlib.contextmanager
def _slow_wire(name, devices, delay):
    """A third namespace, to which each host has a wire, and where relay.py hands on what comes."""
    middle = f"{name}0"
    with _namespace(middle):
        for i, device in devices.items():
            _run(
                f"ip link add {device} netns {name}{i} type veth peer name {device} netns {middle}"
            )
            _run(f"ip -n {middle} link set {device} up")
        words = [*devices.values(), f"{delay:.9f}"]
        command = [*f"ip netns exec {middle} {sys.executable} -m benchmarks.relay".split(), *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
            try:
                relay.stdout.readline()  # it has begun
                yield
            finally:
                relay.terminate()


def _run(command):
    subprocess.run(command.split(), check=True, capture_output=True, text=True)
