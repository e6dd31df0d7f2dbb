"""Broken files from good ones, always the same for the same seed.

NUMBA_CNN_MUTATIONS says how many of each kind the tests make; see docs/reliability.md.
"""

import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Iterator

COUNT = int(os.environ.get("NUMBA_CNN_MUTATIONS", "60"))
SIZES = (0, 1, 0xFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)  # that a file may state
VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.5, 1e308, float("nan"), float("inf"),
    "", "é", "Dense", "x" * 999, [], [0], [None], [[]], {}, {"class_name": "Adam"}, {"config": None},
)  # fmt: skip


def damaged(content: bytes, count: int = COUNT, seed: int = 0) -> Iterator[bytes]:
    """The content cut off, with bytes or integers changed, with parts moved, lost, or doubled."""
    draw = random.Random(seed)
    for _ in range(count):
        broken = bytearray(content)
        for _ in range(draw.choice((1, 1, 2, 8))):
            draw.choice(_DAMAGES)(broken, draw)
        yield bytes(broken)


def repacked(content: bytes, count: int = COUNT, seed: int = 0) -> Iterator[bytes]:
    """A zip whose checksums are right, one member of which is damaged, lost, or packed in another way."""
    draw = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    ways = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    for _ in range(count):
        changed, name = dict(members), draw.choice(list(members))
        changed[name] = next(damaged(members[name], 1, draw.randrange(2**32)))
        if draw.random() < 0.1:
            del changed[name]
        yield packed(changed, draw.choice(ways))


def misstated(content: bytes, count: int = COUNT, seed: int = 0) -> Iterator[bytes]:
    """A zip whose directory states other sizes, places, ways of packing or flags than the members have."""
    draw = random.Random(seed)
    start = content.index(b"PK\1\2")
    for _ in range(count):
        broken = bytearray(content)
        for _ in range(draw.choice((1, 2, 4))):
            place = draw.randrange(start, len(broken) - 4)
            value = draw.choice((*SIZES[:6], 8, 12, 14, 93, 99))
            struct.pack_into(
                *draw.choice((("<H", broken, place, value & 0xFFFF), ("<I", broken, place, value)))
            )
        yield bytes(broken)


def misconfigured(
    content: bytes, member: str, count: int = COUNT, seed: int = 0
) -> Iterator[bytes]:
    """A zip in whose JSON a value is replaced by one that nobody expects, or is lost."""
    draw = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(count):
        config = json.loads(members[member])
        for _ in range(draw.choice((1, 1, 3))):
            holder, key = draw.choice(list(_places(config)))
            if isinstance(holder, dict) and draw.random() < 0.1:
                del holder[key]
            else:
                holder[key] = draw.choice(VALUES)
        yield packed({**members, member: json.dumps(config).encode()})


def packed(members: dict[str, bytes], way: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", way) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def saved(save, *values, **settings) -> bytes:
    """The bytes that save(file, ...) writes."""
    file = io.BytesIO()
    save(file, *values, **settings)
    return file.getvalue()


def _places(value):
    """(holder, key) of everything inside a value of JSON."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _cut(broken, draw):
    del broken[draw.randrange(len(broken) + 1) :]


def _flip(broken, draw):
    if broken:
        broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)


def _overwrite(broken, draw):
    if broken:
        broken[draw.randrange(len(broken))] = draw.randrange(256)


def _state(broken, draw):
    """A size of 2, 4 or 8 bytes, in either order of bytes."""
    letter, bits = draw.choice((("H", 16), ("I", 32), ("Q", 64)))
    value = struct.pack(draw.choice("<>") + letter, draw.choice(SIZES) & (2**bits - 1))
    place = draw.randrange(len(broken) + 1)
    broken[place : place + len(value)] = value


def _part(broken, draw):
    start = draw.randrange(len(broken) + 1)
    return slice(start, start + draw.choice((1, 8, 100, 1000)))


def _lose(broken, draw):
    del broken[_part(broken, draw)]


def _double(broken, draw):
    part = _part(broken, draw)
    broken[part.start : part.start] = broken[part]


def _zero(broken, draw):
    part = _part(broken, draw)
    broken[part] = bytes(len(broken[part]))


_DAMAGES = (_cut, _flip, _flip, _overwrite, _state, _state, _state, _lose, _double, _zero)
