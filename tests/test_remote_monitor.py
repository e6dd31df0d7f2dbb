"""RemoteMonitor, and SwapEMAWeights where Keras is no judge."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
import small_cnn

from numba_cnn import callbacks, optimizers


@pytest.fixture
def server():
    """A server on the loopback: (its address, the requests that came: path, headers, body)."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            came.append((self.path, dict(self.headers), body))
            self.send_response(500 if "fails" in self.path else 200)
            self.end_headers()

        def log_message(self, *arguments):
            """Quiet."""

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", came
    running.shutdown()
    thread.join()
    running.server_close()


class TestRemoteMonitor:
    def test_a_form(self, server):
        root, came = server
        history = small_cnn.fit(
            small_cnn.compiled(),
            epochs=2,
            callbacks=callbacks.RemoteMonitor(root, field="events", headers={"X-Run": "7"}),
        )
        assert [path for path, _, _ in came] == ["/publish/epoch/end/"] * 2
        assert came[0][1]["X-Run"] == "7"
        assert came[0][1]["Content-Type"] == "application/x-www-form-urlencoded"
        (sent,) = parse_qs(came[1][2])["events"]
        assert json.loads(sent) == {
            "epoch": 1,
            "accuracy": history["accuracy"][1],
            "loss": history["loss"][1],
        }

    def test_json(self, server):
        root, came = server
        monitor = callbacks.RemoteMonitor(root, path="/in", send_as_json=True)
        monitor.on_epoch_end(3, {"loss": np.float32(0.5)})
        ((path, headers, body),) = came
        assert (path, headers["Content-Type"]) == ("/in", "application/json")
        assert json.loads(body) == {"epoch": 3, "loss": 0.5}

    @pytest.mark.parametrize("path", ["/fails", None])
    def test_a_server_that_fails_is_a_warning(self, server, path):
        root = server[0] if path else "http://127.0.0.1:9"
        monitor = callbacks.RemoteMonitor(root, path=path or "/in")
        with pytest.warns(UserWarning, match=f"the server at {root} cannot be told"):
            monitor.on_epoch_end(0, {"loss": 0.5})

    def test_wrong_arguments(self):
        with pytest.raises(ValueError, match=r"root must be an address .* Received: 'file:///x'"):
            callbacks.RemoteMonitor("file:///x")
        with pytest.raises(ValueError, match=r"headers must be a dict .* Received: \{'a': 1\}"):
            callbacks.RemoteMonitor(headers={"a": 1})


class TestSwapEMAWeights:
    def compiled(self):
        model = small_cnn.compiled()
        model.compile(optimizers.SGD(0.05, use_ema=True), model.loss, backend="cpu")
        return model

    def test_a_run_that_stops_early_ends_with_the_averages(self):
        models = [self.compiled(), self.compiled()]
        for model, swaps in zip(models, ([], [callbacks.SwapEMAWeights(True)]), strict=True):
            stop = callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs, model=model: setattr(
                    model, "stop_training", epoch == 1
                )
            )
            small_cnn.fit(model, epochs=4, callbacks=[*swaps, stop])
        for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_predict_leaves_the_weights(self):
        model, (x, _) = self.compiled(), small_cnn.data()
        small_cnn.fit(model, epochs=1)
        before = model.get_weights()
        model.predict(x, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
        assert all(map(np.array_equal, model.get_weights(), before))

    def test_an_optimizer_without_averages(self):
        with pytest.raises(ValueError, match=r"that has use_ema=True. Received: adam"):
            small_cnn.fit(
                small_cnn.compiled(),
                validation_split=0.3,
                callbacks=callbacks.SwapEMAWeights(),
            )
