"""Files that were changed, cut off or made to harm: each is an error that names it, and takes nothing over."""

import contextlib
import io
import json
import zipfile

import h5py
import numpy as np
import pytest
import small_cnn
from hypothesis import given
from hypothesis import strategies as st
from test_saving import trained

from numba_cnn import layers, models


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A good file's bytes."""
    path = tmp_path_factory.mktemp("whole") / "m.keras"
    trained().save(path)
    return path.read_bytes()


def repacked(whole, tmp_path, change, compression=zipfile.ZIP_STORED):
    """The file with its members, a dict of bytes, changed."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path = tmp_path / "changed.keras"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def configured(change):
    """A change of config.json."""

    def apply(members):
        config = json.loads(members["config.json"])
        change(config)
        members["config.json"] = json.dumps(config).encode()

    return apply


def rewritten(change):
    """A change of the HDF5 file."""

    def apply(members):
        file = io.BytesIO(members["model.weights.h5"])
        with h5py.File(file, "r+") as h5:
            change(h5)
        members["model.weights.h5"] = file.getvalue()

    return apply


def replace(path, **dataset):
    def change(h5):
        del h5[path]
        h5.create_dataset(path, **dataset)

    return rewritten(change)


def remove(path):
    return rewritten(lambda h5: h5.__delitem__(path))


def link(path, target):
    def change(h5):
        del h5[path]
        h5[path] = target

    return rewritten(change)


HOSTS = [("/etc/hosts", 0, 24)]  # a file, an offset and a size in bytes


def layer(index, **settings):
    return configured(lambda c: c["config"]["layers"][index]["config"].update(settings))


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda members: members.pop("config.json"), "config.json is missing"),
            (lambda members: members.pop("model.weights.h5"), "model.weights.h5 is missing"),
            (lambda members: members.update({"config.json": b"{"}), r"not a complete \.keras file"),
            (lambda members: members.update({"config.json": b"\xff"}), "not a complete"),
            (lambda members: members.update({"config.json": b"[1]"}), "no model is described"),
            (lambda members: members.update({"config.json": b"{}"}), "no model is described"),
            (lambda members: members.update({"config.json": b" " * 2**25}), "config.json unpacks"),
            (
                configured(lambda c: c.update(class_name="Functional")),
                "a layer of a Model must say what it is called on. Received: ",
            ),
            (
                configured(lambda c: c.update(class_name="MyModel")),
                "expected a Sequential or a Functional model. Received: 'MyModel'",
            ),
            (
                configured(lambda c: c["config"]["layers"][1].update(class_name="Lambda")),
                "layer: there is no 'Lambda'.* Allowed: .* Received: 'Lambda'",
            ),
            (
                configured(lambda c: c["config"]["layers"][1].update(class_name=["Dense"])),
                "layer: there is no",
            ),
            (configured(lambda c: c["config"].update(layers=7)), "no model is described"),
            (configured(lambda c: c["config"].update(layers=[])), "knows no input shape"),
            (layer(1, filters="many"), "filters must be an integer"),
            (layer(1, kernel_quantizer={"class_name": "L2"}), "no setting 'kernel_quantizer'"),
            (layer(1, dtype="float16"), "compute in float32. Received: 'float16'"),
            (layer(1, filters=6), r"shapes \[\(3, 2, 2, 6\), .* the file has .*\(3, 2, 2, 5\)"),
            (layer(6, units=10**9), "asks for .* bytes of weights. Received"),
            (layer(0, batch_shape=[None, 10**9, 10**9, 2]), "asks for .* bytes|fit|shape"),
            (lambda members: members.update({"model.weights.h5": b"no" * 9999}), "cannot be read"),
            (remove("layers/dense"), "the file has nothing in its place, layers/dense"),
            (remove("layers/dense/vars/1"), r"the file has .* with \[\(21, 6\)\] in its place"),
            (
                replace("layers/dense/vars/1", data=np.zeros(7, np.float32)),
                r"\(6,\)\], the file has .*\(7,\)\] in its place",
            ),
            (replace("layers/dense/vars/1", data=[b"abcdef"] * 6), "arrays of numbers"),
            (
                replace("layers/dense/vars/1", shape=(6,), dtype="S100000"),
                "arrays of numbers",
            ),
            (link("layers/dense/vars/1", h5py.ExternalLink("/etc/passwd", "/x")), "ExternalLink"),
            (link("layers/dense", h5py.ExternalLink("other.h5", "/layers/dense")), "ExternalLink"),
            (link("layers/dense/vars/1", h5py.SoftLink("/layers/dense_1/vars/1")), "SoftLink"),
            (
                replace("layers/dense/vars/1", shape=(6,), dtype="f4", external=HOSTS),
                "must be stored in the file itself",
            ),
        ],
    )  # fmt: skip
    def test_changed(self, whole, tmp_path, change, message):
        path = repacked(whole, tmp_path, change)
        with pytest.raises(ValueError, match=message):
            models.load_model(path, backend="cpu")

    def test_zip_bomb(self, whole, tmp_path):
        path = repacked(
            whole,
            tmp_path,
            lambda members: members.update({"model.weights.h5": bytes(2**26)}),
            zipfile.ZIP_DEFLATED,
        )
        assert path.stat().st_size < 2**20
        with pytest.raises(ValueError, match=r"model\.weights\.h5 unpacks to 67108864"):
            models.load_model(path, backend="cpu")

    def test_a_dataset_that_claims_more_than_the_file_holds(self, whole, tmp_path):
        """Stored in chunks, it takes no room until it is read."""
        model = models.Sequential([layers.Dense(2**14, use_bias=False, input_shape=(2**14,))])
        path = tmp_path / "m.weights.h5"
        with h5py.File(path, "w") as h5:
            shape = model.weights[0].shape  # 1 GiB
            h5.create_dataset("layers/dense/vars/0", shape, "f4", chunks=(64, 64))
        with pytest.raises(ValueError, match="Received: 1073741824 bytes"):
            model.load_weights(path)

    def test_unknown_training_leaves_the_model_uncompiled(self, whole, tmp_path):
        change = configured(lambda c: c["compile_config"].update(loss="ctc"))
        path = repacked(whole, tmp_path, change)
        with pytest.warns(UserWarning, match="the model is not compiled: .*ctc"):
            model = models.load_model(path, backend="cpu")
        assert model.optimizer is None
        assert model.predict(small_cnn.data()[0], verbose=0).shape == (23, 4)

    def test_other_optimizer_state_starts_afresh(self, whole, tmp_path):
        path = repacked(whole, tmp_path, remove("optimizer/vars/9"))
        with pytest.warns(UserWarning, match="the optimizer starts afresh"):
            model = models.load_model(path, backend="cpu")
        assert model.optimizer.iterations == 0

    def test_nothing_is_taken_over_from_a_file_that_is_wrong_at_its_end(self, tmp_path):
        model, path = trained(), tmp_path / "m.weights.h5"
        model.save_weights(path)
        with h5py.File(path, "r+") as h5:
            del h5["layers/dense_1/vars/1"]
        other = small_cnn.build(layers, models)
        before = other.get_weights()
        with pytest.raises(ValueError, match=r"the file has .* with \[\(6, 4\)\]"):
            other.load_weights(path)
        for a, b in zip(before, other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    @given(st.data())
    def test_truncated_or_with_bytes_changed(self, whole, tmp_path_factory, data):
        """Any damage gives a model or a ValueError, never another error."""
        broken = bytearray(whole)
        for _ in range(data.draw(st.integers(0, 20))):
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
        length = data.draw(st.one_of(st.just(len(broken)), st.integers(0, len(broken))))
        path = tmp_path_factory.mktemp("broken") / "m.keras"
        path.write_bytes(broken[:length])
        with contextlib.suppress(ValueError):
            models.load_model(path, compile=False)
