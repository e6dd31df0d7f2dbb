"""Prints the static tables of docs/cuda.md:

    PYTHONPATH=.:tests/cuda python tests/cuda/compiled/tables.py > docs/cuda_tables.md

Registers, shared memory, occupancy and the share of multiply-adds come from the machine code;
sectors of global memory and wavefronts of shared memory from kernels executed by the interpreter.
Nothing here was measured on a GPU.
"""

import parity
import pytest
import toolchain
from catalogue import KERNELS
from device import Device

from numba_cnn.backends import cuda
from numba_cnn.backends.cuda import tile

_IMAGE, _FILTERS = (1, 18, 18, 64), (3, 3, 64, 64)
_WIDE = (1, 18, 18, 128), (3, 3, 128, 128)
_RUNS = {
    "correlate, small tile, forward": lambda: _conv2d(_IMAGE, _FILTERS),
    "correlate, small tile, forward, ragged": lambda: _conv2d((1, 18, 18, 62), (3, 3, 62, 62)),
    "correlate, small tile, backward": lambda: _backward(_IMAGE, _FILTERS),
    "correlate, small tile, backward, ragged": lambda: _backward((1, 18, 18, 62), (3, 3, 62, 62)),
    "correlate, narrow tile, forward": lambda: _conv2d(_IMAGE, (3, 3, 64, 32)),
    "correlate, narrow tile, backward": lambda: _backward((1, 18, 18, 32), (3, 3, 32, 64)),
    "correlate, large tile, forward": lambda: _conv2d(*_WIDE),
    "correlate, large tile, backward": lambda: _backward(*_WIDE),
    "correlate_weight, small tile": lambda: _weight_gradient(_IMAGE, _FILTERS),
    "correlate_weight, small tile, first layer": lambda: _first_layer(3),
    "correlate_weight, large tile": lambda: _weight_gradient(*_WIDE),
    "pad_channels": lambda: _first_layer(3),
    "few_channels, 1 channel": lambda: _conv2d((1, 34, 34, 1), (3, 3, 1, 32)),
    "few_channels, 3 channels": lambda: _conv2d((1, 34, 34, 3), (3, 3, 3, 32)),
    "conv2d": lambda: _plain(),
    "conv2d_backward_input": lambda: _plain(),
    "conv2d_backward_weight": lambda: _plain(),
    "relu": lambda: parity.check_elementwise((1, 32, 32, 32)),
    "relu_backward": lambda: parity.check_elementwise((1, 32, 32, 32)),
    "max_pool2d": lambda: parity.check_max_pool2d((1, 32, 32, 32)),
    "max_pool2d_backward": lambda: parity.check_max_pool2d((1, 32, 32, 32)),
    "column_sums": lambda: _weight_gradient(_IMAGE, _FILTERS),
    "sum_partials": lambda: _weight_gradient(_IMAGE, _FILTERS),
    "softmax": lambda: parity.check_losses(32, 1000),
    "crossentropy": lambda: parity.check_losses(32, 1000),
    "mean": lambda: parity.check_losses(32, 1000),
    "hits": lambda: parity.check_losses(32, 1000),
    **{name: lambda name=name: _optimizer(name) for name in parity.OPTIMIZERS},
    "copy": lambda: cuda.asarray(cuda.asarray(parity.Draw()(32, 32, 32))[:, :, :16]),
}


def _conv2d(x, weight):
    draw = parity.Draw()
    parity.check("conv2d", draw(*x), draw(*weight), draw(weight[3]), activation="relu")


def _weight_gradient(x, weight, need_dx=False):
    draw = parity.Draw()
    dy = draw(x[0], x[1] - weight[0] + 1, x[2] - weight[1] + 1, weight[3])
    parity.check("conv2d_backward", dy, draw(*x), draw(*weight), need_dx=need_dx)


def _backward(x, weight):
    _weight_gradient(x, weight, need_dx=True)


def _first_layer(C):
    _weight_gradient((1, 34, 34, C), (3, 3, C, 32))


def _plain():
    """Two groups."""
    parity.check_conv2d((1, 18, 18, 32), (3, 3, 16, 32), groups=2)


def _optimizer(name):
    parity.check_optimizer(*parity.OPTIMIZERS[name])


def print_code():
    """One row a kernel, one column an architecture: registers, occupancy, share of multiply-adds."""
    texts = [toolchain.ptx_of(entry.kernel, entry.signature) for entry in KERNELS.values()]
    codes = [toolchain.assembled(texts, architecture) for architecture in toolchain.ARCHITECTURES]
    print("| kernel | threads | shared, bytes |", " | ".join(toolchain.ARCHITECTURES), "|")
    print("| --- " * (3 + len(codes)) + "|")
    for i, (name, entry) in enumerate(KERNELS.items()):
        cells = []
        for architecture, code in zip(toolchain.ARCHITECTURES, codes, strict=True):
            loop = toolchain.main_loop(code[i].listing)
            busy = toolchain.occupancy(architecture, entry.threads, code[i])
            share = toolchain.multiply_adds(loop) / len(loop) if entry.density else None
            cells.append(
                f"{code[i].registers}, {busy:.0%}" + (f", **{share:.1%}**" if share else "")
            )
        print(f"| {name} | {entry.threads} | {codes[1][i].shared} |", " | ".join(cells), "|")


def print_memory():
    """One row a kernel: what a request costs on average, and what it would cost at best."""
    print(
        "| kernel | grid | sectors a global request (ideal) | wavefronts a shared request (ideal) |"
    )
    print("| --- " * 4 + "|")
    for name, run in _RUNS.items():
        with pytest.MonkeyPatch.context() as patch:
            device = Device()
            device.counts = True
            device.install(patch)
            if "large tile" in name:  # by itself only a layer too large for the interpreter gets it
                patch.setattr(tile, "BLOCKS", 1)
            run()
        kernel = f"{name.split(',')[0]}_kernel"
        launch = next(launch for launch in device.launches if launch.kernel == kernel)
        cells = [
            "{:.2f} ({:.2f})".format(*launch.statistics.per_request(space))
            if any(kind == space for kind, _ in launch.statistics.requests)
            else "none"
            for space in ("global", "shared")
        ]
        print(f"| {name} | {' x '.join(map(str, launch.grid))} |", " | ".join(cells), "|")


if __name__ == "__main__":
    print("# What compiled GPU kernels take\n")
    print("Registers, occupancy (and the share of multiply-adds in the main loop).\n")
    print_code()
    print("\nMemory requests of one launch on the interpreter.\n")
    print_memory()
