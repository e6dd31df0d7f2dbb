"""Two hosts of a network of their own on one machine: network namespaces with a link of so many Gbit/s between them.

It takes root, Debian's iproute2, and a kernel with namespaces and the token bucket filter (tbf).
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# MPICH would find out that both hosts are one machine, and go through its memory.
TCP = {
    "MPIR_CVAR_NOLOCAL": "1",
    "UCX_TLS": "tcp,self",
    "UCX_LOG_LEVEL": "error",
    "UCX_TCP_AF_PRIO": "inet",
}
_LAUNCHER = """#!/bin/sh
# As ssh would: [options] host command
while [ "${1#-}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec NAME${host##*.} sh -c "cd FOLDER; $*"
"""


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
def link(gbit):
    """Two hosts; inside, the words of a command that runs what follows on both, one rank on each, and its settings."""
    name = f"ranks{os.getpid()}x"
    try:
        for i in (1, 2):
            _run(f"ip netns add {name}{i}")
        _run(
            f"ip link add {name[:12]}a netns {name}1 type veth peer name {name[:12]}b netns {name}2"
        )
        for i, end in ((1, "a"), (2, "b")):
            device, inside = f"{name[:12]}{end}", f"-n {name}{i}"
            _run(f"ip {inside} addr add 10.77.0.{i}/24 dev {device}")
            _run(f"ip {inside} link set {device} up")
            _run(f"ip {inside} link set lo up")
            _run(f"ip netns exec {name}{i} sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
            _run(
                f"tc {inside} qdisc add dev {device} root tbf rate {gbit}gbit burst 256kb latency 50ms"
            )
        with tempfile.TemporaryDirectory() as folder:
            launcher = Path(folder, "launch")
            launcher.write_text(_LAUNCHER.replace("NAME", name).replace("FOLDER", str(Path.cwd())))
            launcher.chmod(0o755)
            mpiexec = Path(sys.executable).with_name("mpiexec")
            hosts = f"-launcher ssh -launcher-exec {launcher} -hosts 10.77.0.1,10.77.0.2 -iface {name[:12]}a -n 2"
            yield (
                [*f"ip netns exec {name}1 {mpiexec} {hosts}".split(), sys.executable],
                os.environ | TCP,
            )
    finally:
        for i in (1, 2):
            subprocess.run(f"ip netns del {name}{i}".split(), check=False, capture_output=True)


def _run(command):
    subprocess.run(command.split(), check=True, capture_output=True, text=True)
