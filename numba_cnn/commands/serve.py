"""numba-cnn serve."""

from __future__ import annotations

import argparse

from numba_cnn.commands import arguments as common

HELP = """answer on this machine by HTTP: an image in, classes out; and a page to drop pictures on

It listens on 127.0.0.1 alone. POST /predict takes an image's bytes and gives
{"classes": [{"name": ..., "probability": ...}, ...]}, the likeliest first, or
{"error": ...}; ?top=K says how many, 5 unless told. GET /model says what the
model is. Sizes, times and numbers of connections are bounded; Ctrl-C ends it.

examples:
  numba-cnn serve out
  curl --data-binary @photo.jpg localhost:8000/predict"""


def add(parser: argparse.ArgumentParser) -> None:
    common.add_model(parser)
    parser.add_argument(
        "--port",
        type=common.port,
        default=8000,
        metavar="N",
        help="0 takes a free one; default: 8000",
    )
    parser.add_argument(
        "--most",
        type=common.positive,
        default=16,
        metavar="MIB",
        help="of an image's file; default: 16",
    )
    parser.add_argument(
        "--seconds",
        type=common.positive,
        default=30,
        metavar="N",
        help="of a connection; default: 30",
    )
    common.add_machine(parser)


def run(arguments: argparse.Namespace) -> int | None:
    from numba_cnn import serving

    common.set_threads(arguments)
    model = common.load(arguments)
    limits = serving.Limits(upload=arguments.most * 2**20, seconds=arguments.seconds)
    with serving.Server(model, arguments.port, limits) as server:
        print(f"Serving {model.name} on http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()
    return None
