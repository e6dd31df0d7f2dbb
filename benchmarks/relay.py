"""A wire that takes time: what comes in by one network device goes out by the other so many seconds later.

    python -m benchmarks.relay DEVICE DEVICE SECONDS    # until it is ended; as root, where both devices are

Linux has a queueing discipline for this, netem, which many kernels are built without.
"""

import contextlib
import os
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path

# Of linux/if_packet.h, linux/if_ether.h and asm-generic/socket.h.
_SOL_PACKET, _VNET_HDR, _IGNORE_OUTGOING = 263, 15, 23
_EVERY_PROTOCOL = 0x0003
_SO_RCVBUFFORCE = 33
_BUFFER = 64 << 20  # bytes that wait for this process: half a second of 1 Gbit/s
_LARGEST = 65536 + 256  # bytes of a frame: senders leave it to devices to cut 64 KiB into packets


def opened(device):
    """A socket that receives what others send on a device, and sends there.

    Before each frame stands the kernel's note (struct virtio_net_hdr) of which checksum is missing and where it is to
    be cut, which goes along with it: no device between two namespaces computes or cuts anything.
    """
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    found.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    found.setsockopt(_SOL_PACKET, _VNET_HDR, 1)
    found.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    found.bind((device, _EVERY_PROTOCOL))
    return found


def relay(one, other, seconds):
    """Hand on frames both ways, each so many seconds after it came; without an end."""
    ways = {one: (other, deque()), other: (one, deque())}
    while True:
        due = [waiting[0][0] for _, waiting in ways.values() if waiting]
        rest = max(min(due) - time.monotonic(), 0.0) if due else None
        came, _, _ = select.select([*ways], [], [], rest)
        for end in came:
            ways[end][1].append((time.monotonic() + seconds, end.recv(_LARGEST)))
        for out, waiting in ways.values():
            while waiting and waiting[0][0] <= time.monotonic():
                out.send(waiting.popleft()[1])


def main():
    one, other, seconds = sys.argv[1:]
    Path("/proc/self/timerslack_ns").write_text("1000")  # sleeps end 50 us late else
    with contextlib.suppress(PermissionError):  # before programs that compute, as a wire is
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    ends = opened(one), opened(other)
    print("ready", flush=True)
    relay(*ends, float(seconds))


if __name__ == "__main__":
    main()
