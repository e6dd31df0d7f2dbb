"""What a link between two hosts is: the time to the other one and back, and the bytes a second of one connection.

    python -m benchmarks.probe [--gbit 1] [--delay 0.0002]    # of network.link()

It takes what network.py takes.
"""

import argparse
import json
import socket
import subprocess
import sys
import time

from . import network

_PORT = 7077
_ECHOES = 50
_BYTES = 64 << 20


def measured(hosts):
    """(seconds to the second host and back, the least of some; bytes a second from the first to the second)."""
    words = [sys.executable, "-m", "benchmarks.probe"]
    begun = [*hosts.on(2), *words, "--serve"]
    with subprocess.Popen(begun, stdout=subprocess.PIPE, text=True) as server:
        try:
            server.stdout.readline()  # it listens
            command = [*hosts.on(1), *words, "--ask"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        finally:
            server.kill()
    return tuple(json.loads(done.stdout))


def serve():
    """Send back single bytes, then take many, and say that they have come."""
    with socket.create_server(("", _PORT)) as listening:
        print("listens", flush=True)
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_ECHOES):
            connection.sendall(connection.recv(1))
        left, room = _BYTES, bytearray(1 << 20)
        while left:
            left -= connection.recv_into(room)
        connection.sendall(b".")


def ask():
    times, block = [], bytes(1 << 20)
    with socket.create_connection((network.address(2), _PORT)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_ECHOES):
            begun = time.perf_counter()
            connection.sendall(b".")
            connection.recv(1)
            times.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        for _ in range(_BYTES // len(block)):
            connection.sendall(block)
        connection.recv(1)
        taken = time.perf_counter() - begun
    print(json.dumps([min(times), _BYTES / taken]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gbit", type=float, default=1.0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds, one way")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--ask", action="store_true")
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
    elif arguments.ask:
        ask()
    else:
        with network.link(arguments.gbit, arguments.delay) as hosts:
            back, rate = measured(hosts)
        print(f"there and back {1e3 * back:.3f} ms; {8e-9 * rate:.3f} Gbit/s of contents")


if __name__ == "__main__":
    main()
