"""The server: right answers under many clients, one sentence for hostile ones, bounded memory and time."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection

import numpy as np
import pytest

from numba_cnn import Input, Sequential, layers
from numba_cnn.serving import Limits, Server

Image = pytest.importorskip("PIL.Image")
NAMES = ["red", "green", "blue"]


def classifier():
    """Tells the brightest of three channels."""
    model = Sequential(
        [Input((8, 8, 3)), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")],
        name="colours",
    )
    model.set_weights([9 * np.eye(3), np.zeros(3)])
    model.class_names = NAMES
    return model


def picture(channel, kind="png", side=20):
    pixels = np.full((side, side, 3), 20, np.uint8)
    pixels[..., channel] = 230
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def server():
    with running(Limits(upload=2**20, decoded=2**22, connections=24, seconds=5)) as found:
        yield found


def running(limits):
    made = Server(classifier(), 0, limits)
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    return closing(made)


class closing:
    def __init__(self, made):
        self.made = made

    def __enter__(self):
        return self.made

    def __exit__(self, *error):
        self.made.shutdown()
        self.made.server_close()


def ask(server, method="POST", path="/predict", body=None, **headers):
    connection = HTTPConnection(*server.server_address[:2], timeout=20)
    try:
        connection.request(
            method, path, body, {key.replace("_", "-"): value for key, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.read(), response
    finally:
        connection.close()


def said(answer):
    return answer[0], json.loads(answer[1])


def raw(server, content, wait=6.0):
    """What comes back for bytes that are no request of a library's."""
    with socket.create_connection(server.server_address[:2], timeout=wait) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp", "tiff"])
def test_an_image_in_classes_out(server, kind):
    code, answer = said(ask(server, path="/predict?top=2", body=picture(1, kind)))
    assert code == 200
    assert answer["classes"][0]["name"] == "green"
    assert len(answer["classes"]) == 2
    assert answer["classes"][0]["probability"] > 0.9


def test_the_model_and_the_page(server):
    assert said(ask(server, "GET", "/model")) == (
        200,
        {"name": "colours", "input": [8, 8, 3], "classes": NAMES},
    )
    for path, kind in (
        ("/", "text/html"),
        ("/drop.js", "text/javascript"),
        ("/drop.css", "text/css"),
    ):
        code, content, response = ask(server, "GET", path)
        assert (code, response.headers.get_content_type()) == (200, kind)
        assert len(content) > 200
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_eight_clients_at_once_get_their_own_answers(server):
    def client(number):
        for turn in range(25):
            channel = (number + turn) % 3
            code, answer = said(ask(server, body=picture(channel)))
            assert code == 200
            assert answer["classes"][0]["name"] == NAMES[channel]
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(client, range(8)))


def png_that_claims(width, height):
    """A small file of a large image."""

    def chunk(kind, data):
        return (
            len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        )

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    rows = zlib.compress(bytes(min(width * height * 3 + height, 2**25)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HOSTILE = {
    "nothing": b"",
    "noise": os.urandom(5000),
    "half a file": picture(0)[:60],
    "a page": b"<html><script>alert(1)</script>",
    "a bomb": png_that_claims(3000, 2000),
    "a larger bomb": png_that_claims(30000, 30000),
    "no pixels": png_that_claims(0, 0),
    "a text": b"../../etc/passwd",
    "a pickle": b"\x80\x04cos\nsystem\n(S'touch /tmp/hacked'\ntR.",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_hostile_images_get_one_sentence(server, name):
    code, answer = said(ask(server, body=HOSTILE[name]))
    assert code == 400
    assert set(answer) == {"error"}
    assert "\n" not in answer["error"]
    assert not re.search(r"Traceback|0x[0-9a-f]{6}|object at", answer["error"])
    assert said(ask(server, body=picture(2)))[1]["classes"][0]["name"] == "blue"


@pytest.mark.parametrize(
    ("request_", "code", "why"),
    [
        ({"body": bytes(2**20 + 1)}, 413, "an image may have 1048576 bytes; this one has 1048577"),
        ({"path": "/predict?top=0", "body": b"x"}, 400, "top must be a whole number"),
        ({"path": "/predict?top=-1", "body": b"x"}, 400, "top must be a whole number"),
        ({"path": "/predict?top=²", "body": b"x"}, 400, "top must be a whole number"),
        ({"path": "/other", "body": b"x"}, 404, "images are posted to /predict"),
        ({"method": "GET", "path": "/../../etc/passwd"}, 404, "there are /, /model and /predict"),
        ({"method": "GET", "path": "/server.py"}, 404, "there are /, /model and /predict"),
        ({"method": "DELETE"}, 501, "Unsupported method"),
        ({"body": b"x", "Host": "evil.example"}, 403, "the request must be to 127"),
        ({"body": b"x", "Origin": "https://evil.example"}, 403, "another site's page"),
        ({"body": b"x", "Origin": "null"}, 403, "another site's page"),
    ],
)
def test_requests_that_are_refused(server, request_, code, why):
    if "²" in request_.get("path", ""):
        request_ = request_ | {"path": "/predict?top=%C2%B2"}
    found, answer = said(ask(server, **request_))
    assert found == code
    assert why in answer["error"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"POST /predict HTTP/1.1\r\nHost: {host}\r\n\r\n", 411),
        (b"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: -5\r\n\r\n", 411),
        (
            b"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            411,
        ),
        (
            b"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1"
            + b"0" * 30
            + b"\r\n\r\n",
            411,
        ),
        (
            b"POST /predict HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (b"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nabc", 400),
        (b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\n\r\na", 403),
        (b"GET " + b"/a" * 40000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
    ],
)
def test_broken_requests(server, content, code):
    host = "{}:{}".format(*server.server_address).encode()
    answer = raw(server, content.replace(b"{host}", host))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.0 %d " % code, head), answer
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    "sent", ["POST /predict HTTP/1.1\r\nHost: {}\r\nContent-Length: 99\r\n\r\n", "GET / HT", ""]
)
def test_slow_clients_are_cut_and_others_served_meanwhile(sent):
    """Bytes that trickle in keep a place no longer than a connection may take."""
    with running(Limits(seconds=1.0, connections=4)) as server:
        slow = socket.create_connection(server.server_address[:2])
        start = time.monotonic()
        slow.sendall(sent.format("{}:{}".format(*server.server_address)).encode())
        assert said(ask(server, body=picture(0)))[0] == 200
        slow.settimeout(0.1)
        while not is_cut(slow):
            assert time.monotonic() - start < 3
        slow.close()


def is_cut(connection):
    """Whether the other side has gone, after one more byte."""
    try:
        connection.sendall(b"x")
        while connection.recv(4096):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def test_more_connections_than_places_are_told_so():
    with running(Limits(seconds=3.0, connections=2)) as server:
        idle = [socket.create_connection(server.server_address[:2]) for _ in range(2)]
        time.sleep(0.3)
        code, answer = said(ask(server, "GET", "/model"))
        assert (code, answer["error"]) == (503, "too many connections at a time; try again")
        for one in idle:
            one.close()
        time.sleep(0.3)
        assert said(ask(server, "GET", "/model"))[0] == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_bounded_under_hostile_uploads(tmp_path):
    """A process of its own; each of 8 clients sends what would decode to gigabytes, and files of the largest size."""
    classifier().save(tmp_path / "model.keras")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "numba_cnn",
        "serve",
        str(tmp_path / "model.keras"),
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        port = int(re.fullmatch(r"Serving colours on http://127\.0\.0\.1:(\d+)/\n", line)[1])
        server = type("", (), {"server_address": ("127.0.0.1", port)})
        before = peak(process.pid)
        bodies = [
            png_that_claims(30000, 30000),
            png_that_claims(4000, 4000),
            os.urandom(16 * 2**20),
            bytes(17 * 2**20),
        ]

        def client(number):
            codes = []
            for turn in range(6):
                try:
                    codes.append(ask(server, body=bodies[(number + turn) % 4])[0])
                except (ConnectionError, TimeoutError):  # told while it still sent
                    codes.append(413)
            return codes

        with ThreadPoolExecutor(8) as pool:
            codes = {code for found in pool.map(client, range(8)) for code in found}
        assert codes <= {200, 400, 413}
        assert said(ask(server, body=picture(1)))[1]["classes"][0]["name"] == "green"
        assert peak(process.pid) - before < 700e6
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        assert (process.returncode, error) == (130, "\nnumba-cnn: interrupted\n")
    finally:
        process.kill()


def peak(pid):
    """The most bytes that a process had in memory."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) * 1024


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Sequential([Input((3,)), layers.Dense(2)]), "model must take images"),
        (
            Sequential([Input((4, 4, 2)), layers.Flatten(), layers.Dense(2)]),
            "model must take images",
        ),
        (Sequential([Input((4, 4, 3)), layers.Conv2D(2, 3)]), "model must tell classes"),
    ],
)
def test_models_that_cannot_be_served(model, message):
    with pytest.raises(ValueError, match=message):
        Server(model, 0)


def test_a_port_that_is_taken(server):
    with pytest.raises(OSError, match="in use"):
        Server(classifier(), server.server_address[1])
