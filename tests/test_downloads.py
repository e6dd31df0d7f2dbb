"""Files from a server on this machine: fetched once, taken up again, checked, unpacked; Keras's data sets."""

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from numba_cnn import downloads, utils
from numba_cnn.datasets import cifar, cifar10, cifar100, fashion_mnist, mnist

RNG = np.random.default_rng(0)
CONTENT = RNG.bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Gives files, in parts where asked; `breaks` of them break off in the middle."""

    files, asked, breaks = {}, [], 0

    def do_GET(self):
        content = self.files.get(self.path)
        Handler.asked.append((self.path, self.headers.get("Range")))
        if content is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].rstrip("-"))
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        whole = content[start:]
        if Handler.breaks:
            Handler.breaks -= 1
            whole = whole[: len(whole) // 2]
        self.wfile.write(whole)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    Handler.files, Handler.asked, Handler.breaks = {"/file.bin": CONTENT}, [], 0
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_a_file_is_fetched_once(server, tmp_path):
    path = utils.get_file(origin=f"{server}/file.bin", file_hash=SHA256)
    assert path == str(tmp_path / "home" / "datasets" / "file.bin")
    assert Path(path).read_bytes() == CONTENT
    utils.get_file(origin=f"{server}/file.bin", file_hash=SHA256)
    assert len(Handler.asked) == 1
    utils.get_file(
        "other.bin",
        f"{server}/file.bin",
        cache_subdir="x",
        md5_hash=hashlib.md5(CONTENT).hexdigest(),
    )
    assert (tmp_path / "home" / "x" / "other.bin").stat().st_size == len(CONTENT)
    utils.get_file("other.bin", f"{server}/file.bin", cache_subdir="x", force_download=True)
    assert len(Handler.asked) == 3


def test_what_broke_off_goes_on(server, tmp_path):
    Handler.breaks = 1
    with pytest.raises(
        OSError, match="broke off after 1500000 of 3000000 bytes; call again to go on"
    ):
        utils.get_file(origin=f"{server}/file.bin", file_hash=SHA256)
    assert not (tmp_path / "home" / "datasets" / "file.bin").exists()
    path = utils.get_file(origin=f"{server}/file.bin", file_hash=SHA256)
    assert Path(path).read_bytes() == CONTENT
    assert Handler.asked[1] == ("/file.bin", "bytes=1500000-")
    assert os.listdir(tmp_path / "home" / "datasets") == ["file.bin"]


def test_another_file_than_was_meant(server, tmp_path):
    with pytest.raises(ValueError, match="is not the file that was meant"):
        utils.get_file(origin=f"{server}/file.bin", file_hash="0" * 64)
    assert os.listdir(tmp_path / "home" / "datasets") == []
    target = tmp_path / "home" / "datasets" / "file.bin"
    target.write_bytes(b"broken")
    utils.get_file(origin=f"{server}/file.bin", file_hash=SHA256)
    assert target.read_bytes() == CONTENT


def test_errors_say_what_to_do(server, tmp_path):
    with pytest.raises(
        OSError,
        match=r"cannot be fetched: Not Found\. Fetch it elsewhere and put it at .*none\.bin",
    ):
        utils.get_file(origin=f"{server}/none.bin")
    with pytest.raises(OSError, match=r"cannot be fetched: .*put it at .*mnist\.npz"):
        downloads.fetch(tmp_path / "mnist.npz", "http://127.0.0.1:9/mnist.npz")
    with pytest.raises(ValueError, match=r"by https alone\. Received: 'http://example"):
        utils.get_file("a", "http://example.org/a")
    with pytest.raises(ValueError, match="origin must be a string"):
        utils.get_file("a")


def archive(kind, name):
    content = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(content, "w") as zipped:
            zipped.writestr(name, "inside")
    else:
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            info = tarfile.TarInfo(name)
            info.size = 6
            tar.addfile(info, io.BytesIO(b"inside"))
    return content.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archives_are_unpacked_into_their_folder(kind, server, tmp_path):
    Handler.files[f"/a.{kind}"] = archive(kind, "sub/a.txt")
    folder = utils.get_file("a", f"{server}/a.{kind}", extract=True)
    assert Path(folder, "sub/a.txt").read_text() == "inside"
    Handler.files[f"/evil.{kind}"] = archive(kind, "../../evil.txt")
    with pytest.raises((ValueError, OSError)):
        utils.get_file("evil", f"{server}/evil.{kind}", untar=True)
    assert not list(tmp_path.rglob("evil.txt"))


def idx(array):
    head = np.array([0x0800 + array.ndim, *array.shape], ">i4").tobytes()
    return gzip.compress(head + array.tobytes())


def test_mnist_and_fashion_mnist(server, monkeypatch, tmp_path):
    sets = {"x_train": RNG.integers(0, 255, (6, 28, 28), np.uint8), "y_train": np.arange(6, dtype=np.uint8),
            "x_test": RNG.integers(0, 255, (2, 28, 28), np.uint8), "y_test": np.arange(2, dtype=np.uint8)}  # fmt: skip
    content = io.BytesIO()
    np.savez(content, **sets)
    Handler.files["/mnist.npz"] = content.getvalue()
    for prefix, word in (("train", "train"), ("t10k", "test")):
        Handler.files[f"/{prefix}-images-idx3-ubyte.gz"] = idx(sets[f"x_{word}"])
        Handler.files[f"/{prefix}-labels-idx1-ubyte.gz"] = idx(sets[f"y_{word}"])
    monkeypatch.setattr(mnist, "_ORIGIN", f"{server}/mnist.npz")
    monkeypatch.setattr(mnist, "_SHA256", hashlib.sha256(content.getvalue()).hexdigest())
    monkeypatch.setattr(fashion_mnist, "_ORIGIN", f"{server}/")
    for load in (mnist.load_data, fashion_mnist.load_data):
        (x_train, y_train), (x_test, y_test) = load()
        for name, got in zip(sets, (x_train, y_train, x_test, y_test), strict=True):
            np.testing.assert_array_equal(got, sets[name])
    (tmp_path / "home/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz").write_bytes(
        b"\x1f\x8b broken"
    )
    with pytest.raises(ValueError, match="t10k-images"):
        fashion_mnist.load_data()


def batch(n, key, seed=0):
    rng = np.random.default_rng(seed)
    return {
        key.encode(): rng.integers(0, 10, n).tolist(),
        b"data": rng.integers(0, 255, (n, 3072), np.uint8),
    }


def test_cifar(server, monkeypatch, tmp_path):
    found = {f"data_batch_{i}": batch(3, "labels", i) for i in range(1, 6)} | {
        "test_batch": batch(2, "labels")
    }
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, one in found.items():
            pickled = pickle.dumps(one, protocol=2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(pickled)
            tar.addfile(info, io.BytesIO(pickled))
    Handler.files["/c.tar.gz"] = content.getvalue()
    monkeypatch.setattr(cifar10, "_ORIGIN", f"{server}/c.tar.gz")
    monkeypatch.setattr(cifar10, "_SHA256", hashlib.sha256(content.getvalue()).hexdigest())
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.shape, x_test.shape, y_test.shape) == (
        (15, 32, 32, 3), (15, 1), (2, 32, 32, 3), (2, 1))  # fmt: skip
    assert x_train.dtype == y_train.dtype == np.uint8
    np.testing.assert_array_equal(
        x_train[3, :, :, 1].ravel(), found["data_batch_2"][b"data"][0, 1024:2048]
    )
    unpacked = (
        tmp_path / "home/datasets/cifar-100-python-target/cifar-100-python"
    )  # where Keras has it
    unpacked.mkdir(parents=True)
    for name, n in (("train", 4), ("test", 2)):
        (unpacked / name).write_bytes(pickle.dumps(batch(n, "coarse_labels"), protocol=2))
    (x_train, y_train), _ = cifar100.load_data("coarse")
    assert (x_train.shape, y_train.shape) == ((4, 32, 32, 3), (4, 1))
    with pytest.raises(ValueError, match=r"must have data .* and fine_labels"):
        cifar100.load_data()
    with pytest.raises(ValueError, match=r'must be "fine" or "coarse". Received: \'all\''):
        cifar100.load_data("all")


class Evil:
    def __reduce__(self):
        return os.system, ("echo run",)


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Evil()),
        pickle.dumps({b"data": np.array([Evil()], object)}),
        pickle.dumps({b"data": np.ones(3)}, protocol=2),
        pickle.dumps([1]),
        b"",
    ],
)
def test_pickles_run_nothing(content, tmp_path, capfd):
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(ValueError, match="batch"):
        cifar._read(tmp_path / "batch")
    assert "run" not in capfd.readouterr().out


def test_the_shape_of_an_image_as_a_size_is_keras_own(tmp_path):
    utils.save_img(tmp_path / "a.png", RNG.integers(0, 255, (6, 8, 3), np.uint8))
    load = "import sys, keras; print(keras.utils.load_img(sys.argv[1], target_size=(3, 5, 3)).tobytes())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", load, tmp_path / "a.png"], capture_output=True, text=True,
        env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    image = utils.load_img(tmp_path / "a.png", target_size=(3, 5, 3))
    assert (image.size, done.stdout) == ((5, 3), f"{image.tobytes()}\n"), done.stderr


def test_images_of_scripts(tmp_path):
    x = RNG.integers(0, 255, (6, 8, 3), np.uint8)
    utils.save_img(tmp_path / "a.png", x, scale=False)
    image = utils.load_img(tmp_path / "a.png")
    np.testing.assert_array_equal(utils.img_to_array(image), x)
    assert utils.img_to_array(image).dtype == np.float32
    assert utils.img_to_array(utils.load_img(tmp_path / "a.png", "grayscale", (3, 5))).shape == (
        3,
        5,
        1,
    )
    kept = utils.load_img(tmp_path / "a.png", target_size=(6, 6), keep_aspect_ratio=True)
    np.testing.assert_array_equal(utils.img_to_array(kept), x[:, 1:7])
    assert utils.array_to_img(x / 255.0).size == (8, 6)
    with pytest.raises(ValueError, match="color_mode must be one of"):
        utils.load_img(tmp_path / "a.png", "blue")
    with pytest.raises(ValueError, match=r"x must have shape \(H, W, 1, 3 or 4\)"):
        utils.array_to_img(x[0])
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot read the image: .*b\.png"):
        utils.load_img(tmp_path / "b.png")
