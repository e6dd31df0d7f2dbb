"""The figures of the pages that explain: python docs/figures.py writes them into docs/images (needs matplotlib)."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

IMAGES = Path(__file__).with_name("images")
BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#d9d9d9"  # told apart by colour-blind readers too


def new(width, height, w, h):
    """A figure of so many inches without axes, and the axes, in units of w and h from above."""
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    axes.set_xlim(0, w)
    axes.set_ylim(h, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure, axes


def grid(axes, x, y, rows, columns, color="white", cell=1.0, edge="black"):
    for r in range(rows):
        for c in range(columns):
            place = x + c * cell, y + r * cell
            axes.add_patch(Rectangle(place, cell, cell, facecolor=color, edgecolor=edge, lw=0.7))


def arrow(axes, start, end, text=""):
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "lw": 1.2})
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 0.35
    axes.text(*middle, text, ha="center", va="bottom", fontsize=9)


def winograd():
    """F(4x4, 3x3): a patch and a filter are transformed, multiplied place by place, and transformed back."""
    figure, axes = new(9, 3.9, 33, 14.2)
    grid(axes, 0.3, 1.5, 6, 6, GREY)
    grid(axes, 1.3, 2.5, 4, 4, BLUE)
    axes.text(3.3, 1.1, "patch, 6x6 pixels", ha="center", fontsize=9)
    grid(axes, 1.8, 9.6, 3, 3, ORANGE)
    axes.text(3.3, 9.2, "filter, 3x3", ha="center", fontsize=9)
    for y, color, words in ((1.5, GREY, "BᵀdB"), (8.0, ORANGE, "GgGᵀ")):
        arrow(axes, (6.8, y + 3 if y < 5 else 11.1), (10.2, y + 3 if y < 5 else 11.0), words)
        grid(axes, 10.5, y if y < 5 else 8.1, 6, 6, color)
    axes.text(13.5, 1.1, "sums of pixels, 6x6", ha="center", fontsize=9)
    arrow(axes, (16.8, 4.5), (19.4, 6.4))
    arrow(axes, (16.8, 10.3), (19.4, 8.2))
    grid(axes, 19.7, 4.3, 6, 6, "white")
    axes.text(22.7, 3.9, "36 products, each\nsummed over channels", ha="center", fontsize=9)
    arrow(axes, (26.0, 7.3), (28.4, 7.3), "AᵀmA")
    grid(axes, 28.6, 5.3, 4, 4, BLUE)
    axes.text(30.6, 4.9, "4x4 outputs", ha="center", fontsize=9)
    axes.text(22.7, 11.5, "direct sums take 16 x 9 = 144", ha="center", fontsize=9)
    return figure


def plan():
    """A pass as steps from slot to slot; the launches that a recording keeps; the arena in which slots share memory."""
    figure, axes = new(9, 4.6, 36, 18.4)
    steps = ["conv2d + relu\n+ max pooling", "conv2d + relu", "flatten,\ndense + relu", "dense"]
    for i, words in enumerate(steps):
        x = 4.2 + 7.6 * i
        axes.add_patch(Rectangle((x, 1.2), 5.4, 2.8, facecolor=BLUE, edgecolor="black", alpha=0.35))
        axes.text(x + 2.7, 2.6, words, ha="center", va="center", fontsize=9)
        arrow(axes, (x - 2.2, 2.6), (x, 2.6), f"slot {i}")
    arrow(axes, (32.4, 2.6), (35.6, 2.6), "slot 4")
    axes.text(0.1, 0.7, "the plan: layers that fuse are one step", fontsize=9)
    axes.text(
        0.1,
        6.2,
        "the recording: addresses of kernels and their arguments, run by one call",
        fontsize=9,
    )
    for i in range(9):
        x = 4.2 + 3.2 * i
        axes.add_patch(Rectangle((x, 7), 2.8, 1.4, facecolor=ORANGE, edgecolor="black", alpha=0.6))
        axes.text(x + 1.4, 7.7, f"launch {i}", ha="center", va="center", fontsize=7.5)
    axes.text(
        0.1, 10.6, "the arena: where two slots do not live at once, they share memory", fontsize=9
    )
    lives = [(1, 0, 3, 0, 3.0), (2, 2, 5, 3.0, 2.0), (3, 4, 8, 0, 1.4), (4, 7, 9, 3.0, 1.0)]
    for slot, first, last, above, tall in lives:
        place = 4.2 + 3.2 * first, 11.4 + above
        wide = 3.2 * (last - first) - 0.4
        axes.add_patch(Rectangle(place, wide, tall, facecolor=GREY, edgecolor="black"))
        axes.text(
            place[0] + wide / 2,
            place[1] + tall / 2,
            f"slot {slot}",
            ha="center",
            va="center",
            fontsize=8,
        )
    axes.annotate("", (33.4, 17.2), (4.2, 17.2), arrowprops={"arrowstyle": "->"})
    axes.text(33.6, 17.3, "launches", va="center", fontsize=8)
    axes.annotate("", (3.6, 16.6), (3.6, 11.4), arrowprops={"arrowstyle": "->"})
    axes.text(3.2, 14, "memory", rotation=90, ha="right", va="center", fontsize=8)
    return figure


def tile():
    """A block of threads owns a tile of the product; both factors come through shared memory in slabs."""
    figure, axes = new(8, 4.6, 30, 17.5)
    axes.add_patch(Rectangle((1, 7), 9, 9, facecolor="white", edgecolor="black"))
    axes.add_patch(Rectangle((12, 1), 14, 4.5, facecolor="white", edgecolor="black"))
    axes.add_patch(Rectangle((12, 7), 14, 9, facecolor="white", edgecolor="black"))
    axes.add_patch(Rectangle((1, 9), 9, 3, facecolor=GREY, edgecolor="black", lw=0.7))
    axes.add_patch(Rectangle((4, 9), 1.5, 3, facecolor=ORANGE, edgecolor="black", lw=0.7))
    axes.add_patch(Rectangle((16, 1), 4, 4.5, facecolor=GREY, edgecolor="black", lw=0.7))
    axes.add_patch(Rectangle((16, 2.5), 4, 0.75, facecolor=ORANGE, edgecolor="black", lw=0.7))
    axes.add_patch(Rectangle((16, 9), 4, 3, facecolor=BLUE, edgecolor="black", alpha=0.45))
    grid(axes, 16.5, 9.4, 2, 2, BLUE, 0.45)
    axes.text(5.5, 16.9, "windows (M, K), never written down", ha="center", fontsize=9)
    axes.text(5.5, 6.6, "a slab of BK through shared memory", ha="center", fontsize=9)
    axes.text(26.4, 3.2, "filters\n(K, N)", va="center", fontsize=9)
    axes.text(19, 16.9, "outputs (M, N)", ha="center", fontsize=9)
    axes.annotate("a block's tile,\nBM x BN", (20, 10.5), (21.6, 10.2), fontsize=9, va="center")
    axes.annotate(
        "a thread's piece, in registers",
        (16.95, 10.3),
        (13, 14.3),
        fontsize=9,
        arrowprops={"arrowstyle": "->"},
    )
    axes.annotate("", (15.9, 10.5), (10.1, 10.5), arrowprops={"arrowstyle": "->", "lw": 1.2})
    axes.annotate("", (18, 8.9), (18, 5.6), arrowprops={"arrowstyle": "->", "lw": 1.2})
    return figure


if __name__ == "__main__":
    for draw in (winograd, plan, tile):
        draw().savefig(IMAGES / f"{draw.__name__}.png", dpi=100)
