"""Which implementation of a convolution runs: the choice, its explanation, and the user's word for a whole process."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from cases import Conv2DCase, conv2d_cases
from hypothesis import example, given, settings
from hypothesis import strategies as st

import numba_cnn as nc
from numba_cnn import layers, models, ops
from numba_cnn.backends.cpu.codegen.host import VECTOR_BITS
from numba_cnn.backends.cpu.runtime import launch_graph
from numba_cnn.ops import conv_algorithm

cpu = import_module("numba_cnn.backends.cpu.conv2d")


@pytest.fixture(autouse=True)
def _default_of_each_test(monkeypatch):
    monkeypatch.delenv(conv_algorithm.VARIABLE, raising=False)
    monkeypatch.setattr(conv_algorithm, "_default", None)
    yield
    nc.set_conv_algorithm("auto")  # recordings follow what monkeypatch takes back


class Spy:
    """Stands for an implementation: notes that it would run, and computes nothing."""

    def __init__(self, module, log):
        self.module, self.log = module, log
        self.__name__, self.ALGORITHM = module.__name__, module.ALGORITHM
        self.supports, self.pays = module.supports, module.pays

    def _note(self, *arguments):
        self.log.append(self.module.__name__.rpartition(".")[2])

    forward = weight_gradient = _note


def what_runs(case, dtype, algorithm):
    """The names of the implementations that the three passes run."""
    log, g = [], case.geometry
    x, weight, y = (np.zeros(shape, dtype) for shape in (g.x, g.weight, g.y))
    arguments = {"algorithm": algorithm, **case.arguments}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch_graph, "RECORDINGS", 0)
        for name in ("FORWARD", "WEIGHT_GRADIENT"):
            patch.setattr(cpu, name, tuple(Spy(module, log) for module in getattr(cpu, name)))
        ops.conv2d(x, weight, **arguments)
        ops.conv2d_backward(y, x, weight, **arguments)
    return log


def explained(case, dtype, algorithm):
    """[(pass, implementation)] of explain_conv2d, without what only models do."""
    text = ops.explain_conv2d(
        case.x_shape, case.weight_shape, dtype=dtype, algorithm=algorithm, **case.arguments
    )
    lines = [line.partition(": ")[0].rsplit(maxsplit=1) for line in text.splitlines()]
    return [(of.strip(), name) for of, name in lines if "model" not in of]


@given(
    case=conv2d_cases() | conv2d_cases(winograd=True),
    dtype=st.sampled_from(["float32", "float64"]),
    algorithm=st.sampled_from(["auto", "auto", "direct"]),
)
@example(Conv2DCase((2, 14, 14, 256), (3, 3, 256, 256), {"padding": "same"}), "float32", "auto")
@example(Conv2DCase((2, 14, 14, 64), (3, 3, 64, 64), {"padding": "same"}), "float32", "winograd")
@example(Conv2DCase((1, 9, 9, 3), (3, 3, 3, 64), {}), "float32", "auto")
@example(Conv2DCase((1, 14, 14, 512), (3, 3, 1, 512), {"groups": 512}), "float32", "auto")
@example(Conv2DCase((1, 20, 25, 64), (3, 3, 64, 1), {"strides": (1, 2)}), "float32", "auto")
@settings(max_examples=200)
def test_what_is_explained_is_what_runs(case, dtype, algorithm):
    runs = dict.fromkeys(what_runs(case, dtype, algorithm))
    answers = explained(case, dtype, algorithm)
    assert list(dict.fromkeys(name for _, name in answers)) == list(runs)
    passes = [of for of, _ in answers]
    assert passes[0] == "forward"
    assert passes[-1] == "weight gradient"
    assert set(passes[1:-1]) <= {"input gradient"}


@pytest.mark.skipif(VECTOR_BITS != 512, reason="the thresholds differ with the width of vectors")
@pytest.mark.parametrize(
    ("pixels", "C", "F", "expected"),
    [
        (8, 16, 16, "direct direct direct_weight"),  # 4 patches
        (12, 16, 16, "winograd direct winograd_weight"),  # 9, of which an input gradient needs 16
        (16, 16, 16, "winograd winograd winograd_weight"),
        (16, 16, 8, "direct_small_f winograd winograd_weight"),  # 8 filters fill half a vector
        (16, 7, 16, "direct direct_small_f direct_weight"),
        (8, 128, 128, "winograd_nonfused winograd_nonfused winograd_weight_nonfused"),
        (8, 127, 128, "direct direct direct_weight"),  # fewer than 16,384 weights
        (12, 3, 32, "winograd_rgb direct_small_f direct_weight_rgb"),
        (12, 3, 31, "direct direct_small_f direct_weight_rgb"),
    ],
)
def test_thresholds(pixels, C, F, expected):
    case = Conv2DCase((1, pixels, pixels, C), (3, 3, C, F), {"padding": "same"})
    assert what_runs(case, "float32", "auto") == expected.split()


def test_a_model_that_predicts_keeps_the_transforms_of_its_filters():
    text = ops.explain_conv2d((1, 8, 8, 128), (3, 3, 128, 128), padding="same")
    assert "forward, in a model that predicts  winograd: 4 patches" in text


def test_explanations_say_why():
    def lines(*arguments, **keywords):
        return ops.explain_conv2d(*arguments, **keywords).splitlines()

    deep = lines((1, 16, 16, 64), (3, 3, 64, 64), padding="same")
    assert deep[0] == "forward          winograd: 16 patches, 64 channels"
    strided = lines((1, 16, 16, 20), (5, 5, 20, 40), strides=2)
    assert strided[0].endswith("direct: 5x5, strides (2, 2), 20 channels, 40 filters")
    assert lines((1, 9, 9, 7), (3, 3, 7, 40))[0].endswith(
        "7 channels, Winograd's transforms need 8"
    )
    assert lines((1, 9, 9, 9), (3, 3, 9, 40))[0].endswith("4 patches, Winograd's transforms need 9")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.explain_conv2d((1, 8, 8), (3, 3, 1, 1)), "x must have 4 axes"),
        (lambda: ops.explain_conv2d((1, 8, 8, 1), (3, 3, 2, 1)), "x has 1 channels"),
        (
            lambda: ops.explain_conv2d((1, 8, 8, 1), (3, 3, 1, 1), dtype="float16"),
            "Received: 'float16'",
        ),
        (
            lambda: ops.explain_conv2d((1, 8, 8, 1), (3, 3, 1, 1), algorithm="fft"),
            "auto, direct, winograd",
        ),
        (lambda: ops.explain_conv2d((1, 8, 8, 1), "abc"), "weight_shape must be a tuple"),
        (lambda: nc.set_conv_algorithm("fft"), "one of auto, direct, winograd. Received: 'fft'"),
        (lambda: nc.set_conv_algorithm(None), "one of auto, direct, winograd. Received: None"),
    ],
)
def test_nonsense(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_backend_refuses_what_no_implementation_computes():
    g = Conv2DCase((1, 8, 8, 2), (5, 5, 2, 2), {}).geometry
    x, weight, y = (np.zeros(shape, np.float32) for shape in (g.x, g.weight, g.y))
    with pytest.raises(
        ValueError, match="no implementation computes this forward by the algorithm"
    ):
        cpu.forward(x, weight, None, g, False, "winograd", y, np.empty(0, np.uint8))


class TestWordOfTheProcess:
    case = Conv2DCase((1, 16, 16, 16), (3, 3, 16, 16), {"padding": "same"})
    strided = Conv2DCase((1, 16, 16, 16), (3, 3, 16, 16), {"strides": 2})

    def test_auto_means_what_it_says(self):
        nc.set_conv_algorithm("direct")
        assert what_runs(self.case, "float32", "auto") == ["direct", "direct", "direct_weight"]
        named = what_runs(self.case, "float32", "winograd")  # by the caller
        assert named == ["winograd", "winograd", "winograd_weight"]
        nc.set_conv_algorithm("winograd")
        small = Conv2DCase((1, 5, 5, 2), (3, 3, 2, 4))
        assert what_runs(small, "float32", "auto") == ["winograd", "winograd", "winograd_weight"]
        assert set(what_runs(self.strided, "float32", "auto")) == {"direct", "direct_weight"}
        assert what_runs(self.case, "float32", "direct") == ["direct", "direct", "direct_weight"]

    @pytest.mark.parametrize("word", ["direct", "winograd"])
    def test_recorded_ops_follow(self, word):
        rng = np.random.default_rng(0)
        x, weight = (
            rng.standard_normal(s).astype(np.float32)
            for s in (self.case.x_shape, self.case.weight_shape)
        )
        by_name = {name: ops.conv2d(x, weight, algorithm=name) for name in ("direct", "winograd")}
        np.testing.assert_array_equal(ops.conv2d(x, weight), by_name["winograd"])
        nc.set_conv_algorithm(word)
        np.testing.assert_array_equal(ops.conv2d(x, weight), by_name[word])
        assert (by_name["direct"] != by_name["winograd"]).any()

    def test_recordings_of_models_follow(self):
        conv = layers.Conv2D(16, 3, input_shape=(16, 16, 16))
        model = models.Sequential([conv])
        x = np.random.default_rng(0).standard_normal((2, 16, 16, 16)).astype(np.float32)
        weight = conv.weights[0].value
        for word in ("auto", "direct", "winograd", "direct", "auto"):
            nc.set_conv_algorithm(word)
            expected = ops.conv2d(x, weight, algorithm="direct" if word == "direct" else "winograd")
            for _ in range(2):
                np.testing.assert_array_equal(model(x), expected)

    def test_the_environment_says_it_until_the_process_does(self, monkeypatch):
        monkeypatch.setenv(conv_algorithm.VARIABLE, "direct")
        assert what_runs(self.case, "float32", "auto")[0] == "direct"
        assert nc.config.configuration()["convolutions"] == "direct"
        nc.set_conv_algorithm("auto")
        assert what_runs(self.case, "float32", "auto")[0] == "winograd"

    def test_nonsense_in_the_environment(self, monkeypatch):
        monkeypatch.setenv(conv_algorithm.VARIABLE, "fft")
        words = "NUMBA_CNN_CONV_ALGORITHM must be one of auto, direct, winograd. Received: 'fft'"
        with pytest.raises(ValueError, match=words):
            what_runs(self.case, "float32", "auto")
        monkeypatch.setenv(conv_algorithm.VARIABLE, "")
        assert what_runs(self.case, "float32", "auto")[0] == "winograd"


@pytest.mark.parametrize("name", ["FORWARD", "WEIGHT_GRADIENT"])
def test_the_documented_lists_are_those_of_the_code(name):
    page = Path(__file__).parents[1] / "docs" / "cpu.md"
    if not page.exists():
        pytest.skip("not run: the documentation is not part of a source distribution")
    _, _, table = page.read_text().partition(f"(`{name}`)")
    rows = table.split("\n\n")[1].splitlines()
    names = [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert names == [module.__name__.rpartition(".")[2] for module in getattr(cpu, name)]
