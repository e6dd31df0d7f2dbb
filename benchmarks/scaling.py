"""How many times faster some threads are together than one alone, in turns: a train step and inference of the
tutorial's model, and every pass of the convolutions in layers.py.

    python -m benchmarks.scaling [--threads 2] [--batch 8]

The first line is the FMA peak's, which no memory and no other thread holds up: how many cores the host of a virtual
machine really gives. Passes are proven right before they are timed; the tables, as Markdown, have medians.
"""

import argparse

import numba

from . import fma_peak, layers, tutorial, workloads

STEP = 32  # images of a train step


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8, help="images of the layers' batches")
    arguments = parser.parse_args()
    threads = arguments.threads
    print(f"| {threads} threads to one | times faster |\n|---|---|")
    print(f"| FMA peak | {threads * faster(fma_peak.seconds, threads):.2f}x |")
    for name, step in steps().items():
        print(f"| {name}, batch {STEP} | {faster(step, threads):.2f}x |", flush=True)
    print("\n| layer | forward | input gradient | weight gradient |\n|---|---|---|---|")
    for name in layers.CONV2D:
        case = workloads.Conv2D(name, arguments.batch)
        passes = case.forward, case.backward_input, case.backward_weight
        row = " | ".join(f"{faster(each, threads):.2f}x" for each in passes)
        print(f"| {name} | {row} |", flush=True)


def steps():
    """A train step and inference on batches of STEP images."""
    model = tutorial.model()
    images, labels = map(model.backend.asarray, tutorial.batch(STEP))
    return {
        "train step": lambda: model.train_step(images, labels),
        "inference": lambda: model(images),
    }


def faster(function, threads):
    """How many times longer one thread takes for it than so many, the median."""

    def on(count):
        def run():
            numba.set_num_threads(count)
            function()

        return run

    return fma_peak.median_ratio(on(1), on(threads))


if __name__ == "__main__":
    main()
