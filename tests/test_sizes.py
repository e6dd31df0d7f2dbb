"""How large files and functions may become; what is larger today is listed with its figure, and may only shrink."""

import ast
from pathlib import Path

import pytest

import numba_cnn

PACKAGE = Path(numba_cnn.__file__).parent
MAX_FILE, MAX_FUNCTION = 300, 40  # lines; a function's without docstring and inner functions
MAX_PARAMETERS = 10

# Rooms whose public functions, constructors and methods have the signatures that Keras, or ops, fix.
FIXED = {
    "callbacks", "layers", "losses", "metrics", "models", "ops", "optimizers", "plots", "preprocessing", "utils",
}  # fmt: skip

LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS = {
    "backends/cuda/correlate_kernel.py::correlate_kernel.correlate_kernel": 81,
    "backends/cuda/correlate_weight.py::correlate_weight_kernel.correlate_weight_kernel": 48,
    "backends/cuda/few_channels.py::few_channels_kernel.few_channels_kernel": 67,
    "models/training.py::Trainer.fit": 49,
}
MANY_PARAMETERS = {
    "backends/cuda/correlate_kernel.py::_fetcher.fetch": 14,
    "backends/cuda/correlate_weight.py::_fetcher.fetch": 14,
}


def files():
    return {
        str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))
    }


def functions():
    """("file::outer.inner", its node) for every function and method."""
    for name, text in files().items():
        yield from _inside(ast.parse(text), f"{name}::")


def _inside(node, prefix):
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}."
            if isinstance(child, ast.FunctionDef):
                yield name.removesuffix("."), child
        yield from _inside(child, name)


def lines(node):
    """The lines of a function, without its docstring and the functions inside of it."""
    count = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        count -= node.body[0].end_lineno - node.body[0].lineno + 1
    return count - sum(_extent(inner) for _, inner in _outermost(node))


def _outermost(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield child.name, child
        else:
            yield from _outermost(child)


def _extent(node):
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return node.end_lineno - first + 1


def parameters(node):
    a = node.args
    return (
        len(a.posonlyargs + a.args + a.kwonlyargs) + (a.vararg is not None) + (a.kwarg is not None)
    )


def is_fixed(name):
    path, _, qualified = name.partition("::")
    public = all(not part.startswith("_") or part == "__init__" for part in qualified.split("."))
    return public and path.removesuffix(".py").split("/")[0] in FIXED


def check(sizes, most, exceptions):
    """Sizes are at most `most`, or what stands in the list; what the list need not name any more is in it no more."""
    large = {name: size for name, size in sizes.items() if size > most}
    new = {name: size for name, size in large.items() if size > exceptions.get(name, most)}
    assert not new, f"larger than {most}, or than listed"
    assert not exceptions.keys() - large.keys(), "no longer too large: take it off the list"


def test_files():
    check({name: len(text.splitlines()) for name, text in files().items()}, MAX_FILE, LONG_FILES)


def test_functions():
    check({name: lines(node) for name, node in functions()}, MAX_FUNCTION, LONG_FUNCTIONS)


def test_parameters():
    sizes = {name: parameters(node) for name, node in functions() if not is_fixed(name)}
    check(sizes, MAX_PARAMETERS, MANY_PARAMETERS)


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("layers/conv2d.py::Conv2D.__init__", True),
        ("ops/convolution.py::conv2d", True),
        ("ops/convolution.py::_helper", False),
        ("models/graphs.py::_Hidden.run", False),
        ("backends/cpu/conv2d.py::forward", False),
    ],
)
def test_which_signatures_are_fixed(name, fixed):
    assert is_fixed(name) == fixed


def test_what_is_counted():
    text = """
def outer(a, *rest, b=1, **more):
    '''One.

    Two.
    '''
    x = 1

    @decorated
    def inner():
        return 1
    return x
"""
    (_, outer), (name, inner) = _inside(ast.parse(text), "")
    assert (lines(outer), parameters(outer)) == (4, 4)
    assert (name, lines(inner), parameters(inner)) == ("outer.inner", 2, 0)
