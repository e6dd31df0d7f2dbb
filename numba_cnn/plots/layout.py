"""Where the boxes of a graph go: in rows from top to bottom, by the longest way to each, edges past the boxes between.

The method of Sugiyama, Tagawa and Toda (1981): rows, an order in each that has few crossings, coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

_BETWEEN_ROWS, _BETWEEN_BOXES = 44.0, 28.0
_SWEEPS = (
    8  # down and up, in which rows are ordered and boxes moved; more change nothing that is seen
)
_TURN = 24.0  # beside a box with an edge to itself
_PASS = 14.0  # how wide the way of an edge past boxes is

Point = tuple[float, float]


class Layout(NamedTuple):
    """The middles of the boxes, the points of each edge from its box to the other's, and the size of all."""

    boxes: list[Point]
    edges: list[list[Point]]
    width: float
    height: float


class _Place:
    """A box, or what keeps the way of an edge free in a row that it passes."""

    def __init__(self, width: float, height: float, row: int) -> None:
        self.width, self.height, self.row = width, height, row
        self.above: list[_Place] = []
        self.below: list[_Place] = []
        self.x = 0.0


def layout(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Boxes of these sizes, with edges from box to box."""
    turned = {start for start, end in edges if start == end}  # boxes with an edge to themselves
    others = [edge for edge in edges if edge[0] != edge[1]]
    forward = _without_circles(len(sizes), others)
    rows = _rows(len(sizes), forward)
    places = [
        _Place(width + 2 * _TURN * (box in turned), height, row)
        for box, ((width, height), row) in enumerate(zip(sizes, rows, strict=True))
    ]
    ways = [_way(places[start], places[end]) for start, end in forward]
    ordered = _in_rows([*places, *(place for way in ways for place in way[1:-1])])
    _order(ordered)
    _move(ordered)
    _straighten(ways, ordered)
    left = min((place.x - place.width / 2 for row in ordered for place in row), default=0)
    for row in ordered:
        for place in row:
            place.x -= left
    tops, height = _tops(ordered)
    width = max((place.x + place.width / 2 for row in ordered for place in row), default=0)
    middles = [(p.x, tops[p.row] + p.height / 2) for p in places]
    lines = iter(
        line if edge == given else line[::-1]
        for line, edge, given in zip(
            (_points(way, tops, ordered) for way in ways), forward, others, strict=True
        )
    )
    drawn = [
        _turn(middles[start], sizes[start]) if start == end else next(lines) for start, end in edges
    ]
    return Layout(middles, drawn, width, height)


def _turn(middle: Point, size: Point) -> list[Point]:
    """From below a box around its right side to above it."""
    (x, y), (width, height) = middle, size
    side, half, out = x + width / 2 + _TURN * 0.8, height / 2, _TURN / 2
    return [(x, y + half), (side, y + half + out), (side, y - half - out), (x, y - half)]


def _without_circles(count: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The edges, of which those that close a circle are turned around."""
    followers: list[list[int]] = [[] for _ in range(count)]
    found = []
    for start, end in edges:
        if _reaches(followers, end, start):
            start, end = end, start
        else:
            followers[start].append(end)
        found.append((start, end))
    return found


def _reaches(followers: Sequence[list[int]], start: int, end: int) -> bool:
    seen, stack = {start}, [start]
    while stack:
        for following in followers[stack.pop()]:
            if following == end:
                return True
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return False


def _rows(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each box: one below the lowest of those before it; what has none before it stands as low as it may."""
    rows = [0] * count
    for _ in range(count):
        before = list(rows)
        for start, end in edges:
            rows[end] = max(rows[end], rows[start] + 1)
        if rows == before:
            break
    has_before = {end for _, end in edges}
    for box in range(count):
        after = [rows[end] for start, end in edges if start == box]
        if box not in has_before and after:
            rows[box] = min(after) - 1
    return rows


def _way(start: _Place, end: _Place) -> list[_Place]:
    """The places of an edge from box to box, one in each row that it passes."""
    passed = [_Place(_PASS, 0.0, row) for row in range(start.row + 1, end.row)]
    way = [start, *passed, end]
    for above, below in pairwise(way):
        above.below.append(below)
        below.above.append(above)
    return way


def _in_rows(places: Iterable[_Place]) -> list[list[_Place]]:
    rows: dict[int, list[_Place]] = {}
    for place in places:
        rows.setdefault(place.row, []).append(place)
    return [rows[row] for row in sorted(rows)]


def _order(rows: list[list[_Place]]) -> None:
    """Sort each row by the middle of its neighbours' places, and keep the order with the fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            place_of = {id(p): i for others in rows for i, p in enumerate(others)}
            means = {
                id(p): sum(place_of[id(n)] for n in near) / len(near) if near else place_of[id(p)]
                for p in row
                for near in (p.above if down else p.below,)
            }
            row.sort(key=lambda place: means[id(place)])
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _crossings(rows: Sequence[list[_Place]]) -> int:
    place_of = {id(p): i for row in rows for i, p in enumerate(row)}
    count = 0
    for row in rows:
        lines = [(place_of[id(p)], place_of[id(below)]) for p in row for below in p.below]
        count += sum(
            (a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(lines) for b in lines[:i]
        )
    return count


def _move(rows: Sequence[list[_Place]]) -> None:
    """Bring places near to their neighbours, without changing their order."""
    for row in rows:
        _spread(row, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            wanted = []
            for place in row:
                near = (place.above if down else place.below) or [place]
                wanted.append(sum(n.x for n in near) / len(near))
            _spread(row, wanted)


def _straighten(ways: Sequence[list[_Place]], rows: Sequence[list[_Place]]) -> None:
    """Have the way past boxes be one line where it is the outermost in all of its rows."""
    for outermost, farthest in ((0, min), (-1, max)):
        ends = {id(row[outermost]) for row in rows}
        for _, *passed, _ in ways:
            if passed and all(id(place) in ends for place in passed):
                x = farthest(place.x for place in passed)
                for place in passed:
                    place.x = x


def _spread(row: Sequence[_Place], wanted: Sequence[float]) -> None:
    """The places as near as may be to where they are wanted: groups that touch stand at their mean.

    Each place pulls its group by its own wish; a group's wish is the mean of its places'.
    """
    groups: list[tuple[float, list[tuple[_Place, float]], float]] = []  # wish, places, length
    for place, wish in zip(row, wanted, strict=True):
        start, members, length = wish, [(place, 0.0)], place.width
        while groups:
            before, others, other_length = groups[-1]
            gap = other_length / 2 + length / 2 + _BETWEEN_BOXES
            if start - before >= gap:
                break
            groups.pop()
            whole = other_length + _BETWEEN_BOXES + length
            shift_left = (other_length - whole) / 2
            shift_right = (whole - length) / 2
            merged = [(p, offset + shift_left) for p, offset in others]
            merged += [(p, offset + shift_right) for p, offset in members]
            sums = (before - shift_left) * len(others) + (start - shift_right) * len(members)
            start, members, length = sums / len(merged), merged, whole
        groups.append((start, members, length))
    for middle, members, _ in groups:
        for place, offset in members:
            place.x = middle + offset


def _tops(rows: Sequence[list[_Place]]) -> tuple[dict[int, float], float]:
    """Where each row begins, and how high all are."""
    tops, y = {}, 0.0
    for row in rows:
        tops[row[0].row] = y
        y += max(place.height for place in row) + _BETWEEN_ROWS
    return tops, max(y - _BETWEEN_ROWS, 0.0)


def _points(
    way: Sequence[_Place], tops: dict[int, float], rows: Sequence[list[_Place]]
) -> list[Point]:
    """From the lower side of the first box to the upper side of the last, straight down past the rows between."""
    heights = {row[0].row: max(place.height for place in row) for row in rows}
    start, *passed, end = way
    points = [(start.x, tops[start.row] + start.height)]
    if passed or start.height < heights[start.row]:
        points.append((start.x, tops[start.row] + heights[start.row]))
    for place in passed:
        points += [(place.x, tops[place.row]), (place.x, tops[place.row] + heights[place.row])]
    return [*points, (end.x, tops[end.row])]
