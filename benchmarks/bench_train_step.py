"""The tutorial's model: training, inference, memory."""

import time
from statistics import median

import numba
import numpy as np

from numba_cnn.backends import cpu
from numba_cnn.backends.cpu.runtime.launch import run

from . import after_rest, fma_peak, scaling, tutorial, workloads
from .peers import network


class TrainStep:
    params = ([32],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1

    def setup(self, batch):
        self.model = tutorial.model()
        self.x, self.y = tutorial.batch(4 * batch)
        first = self.model.fit(self.x, self.y, batch, epochs=1, verbose=0).history["loss"][0]
        last = self.model.fit(self.x, self.y, batch, epochs=8, verbose=0).history["loss"][-1]
        assert last < first, "training does not lower the loss"

    def time_four_steps(self, batch):
        self.model.fit(self.x, self.y, batch_size=batch, epochs=1, verbose=0)

    def peakmem_four_steps(self, batch):
        self.model.fit(self.x, self.y, batch_size=batch, epochs=1, verbose=0)


class OneThread:
    """A ratio that holds on any machine: a step against the core's FMA peak."""

    params = ([32],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1
    unit = "ratio"

    def setup(self, batch):
        cpu.set_num_threads(1)
        self.model = tutorial.model()
        self.x, self.y = tutorial.batch(batch)

    def track_share_of_fma_peak(self, batch):
        flop = network.flop_of_train_step(batch)
        return fma_peak.share(lambda: self.model.train_step(self.x, self.y), flop)


class _Added:
    """What one way to do the same adds to another, on some threads."""

    params = ([1, 2],)
    param_names = ("threads",)
    timeout = 300
    rounds = 1
    unit = "ratio"

    def setup(self, threads):
        if threads > numba.config.NUMBA_NUM_THREADS:
            raise NotImplementedError  # which skips it
        cpu.set_num_threads(threads)
        self.model = tutorial.model()


class FitOverhead(_Added):
    """What fit() adds to the bare steps on batches that lie ready: checks, shuffling, gathering, callbacks."""

    def setup(self, threads):
        super().setup(threads)
        self.x, self.y = tutorial.batch(20 * scaling.STEP)

    def track_over_steps(self, threads):
        size, N = scaling.STEP, len(self.x)
        batches = [(self.x[i : i + size], self.y[i : i + size]) for i in range(0, N, size)]

        def steps():
            for x, y in batches:
                self.model.train_step(x, y)

        def fit():
            self.model.fit(self.x, self.y, size, verbose=0)

        return fma_peak.median_ratio(fit, steps) - 1


class PythonOfACall(_Added):
    """What Python adds to the kernels of a call of the model on one image."""

    def setup(self, threads):
        super().setup(threads)
        self.x, _ = tutorial.batch(1)
        self.model(self.x)
        ((_, graph),) = self.model._graphs._graphs.values()
        self.launches = graph._table

    def track_over_kernels(self, threads):
        return fma_peak.median_ratio(lambda: self.model(self.x), lambda: run(self.launches)) - 1


class PredictOfOneImage(_Added):
    """What predict() adds to a call of the model on one image, in microseconds."""

    unit = "us"

    def setup(self, threads):
        super().setup(threads)
        self.x, _ = tutorial.batch(1)
        np.testing.assert_array_equal(self.model.predict(self.x, verbose=0), self.model(self.x))

    def track_over_call(self, threads):
        differences = []
        for _ in range(1000):
            start = time.perf_counter()
            self.model(self.x)
            between = time.perf_counter()
            self.model.predict(self.x, verbose=0)
            differences.append(time.perf_counter() - between - (between - start))
        return 1e6 * median(differences)


class AllThreads:
    """How many times faster all threads are than one of them."""

    params = (["train step", "inference"],)
    param_names = ("step",)
    timeout = 300
    rounds = 1
    unit = "ratio"

    def setup(self, step):
        self.step = scaling.steps()[step]
        time.sleep(workloads.REST)

    def track_over_one_thread(self, step):
        times, _ = scaling.faster(self.step, cpu.get_num_threads())
        return times


class AfterRest:
    """What all threads make of ten milliseconds of calls after a rest of a tenth of a second."""

    params = (["tutorial's model", *after_rest.LAYERS],)
    param_names = ("call",)
    timeout = 300
    rounds = 1
    unit = "ratio"

    def setup(self, call):
        self.call = after_rest.calls()[call]

    def track_over_usual(self, call):
        return after_rest.after_rest(self.call)[2]


class Inference:
    params = ([1, 32, 256],)
    param_names = ("batch",)
    timeout = 300
    rounds = 1

    def setup(self, batch):
        self.model = tutorial.model()
        self.x, _ = tutorial.batch(batch)
        probabilities = self.model.predict(self.x, verbose=0)
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)

    def time_predict(self, batch):
        self.model.predict(self.x, verbose=0)

    def time_call(self, batch):
        """Without what predict() does around it."""
        self.model(self.x)

    def peakmem_predict(self, batch):
        self.model.predict(self.x, verbose=0)
