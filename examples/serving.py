"""A model behind HTTP, asked from the same process: as `numba-cnn serve` does, but of one's own."""

import io
import json
import threading
from urllib.request import Request, urlopen

import numpy as np
from PIL import Image

from numba_cnn import models
from numba_cnn.serving import Limits, Server


def main():
    model = models.lenet((32, 32, 3), 3)
    model.class_names = ["ring", "star", "cross"]
    with Server(model, port=0, limits=Limits(upload=2**20)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        content = io.BytesIO()
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(content, "png")
        url = f"http://127.0.0.1:{server.server_address[1]}/predict?top=3"
        with urlopen(Request(url, content.getvalue())) as answer:
            print(json.dumps(sorted(one["name"] for one in json.load(answer)["classes"])))
        server.shutdown()


if __name__ == "__main__":
    main()
