"""What a function launches, recorded once and run again in one call, as CUDA's graphs are.

A launch by itself costs tens of microseconds of Python: checks, choices, the packing of arguments. A
prediction of one image spends more on that than on arithmetic.
"""

from collections import OrderedDict
from functools import wraps
from itertools import count
from weakref import WeakSet

import numpy as np

from numba_cnn.backends.cpu.runtime import memory
from numba_cnn.backends.cpu.runtime.arena import ARENA, Claim, Sketch
from numba_cnn.backends.cpu.runtime.launch import (
    address_of_buffer,
    is_recording,
    launching,
    recording,
    run,
)
from numba_cnn.backends.cpu.runtime.threads import get_num_threads

RECORDINGS = 64  # graphs of recorded() functions that are kept
# Bytes that recordings of models may have of their own, beside the arena that all share.
LIMIT = 1 << 30
_ALIGNMENT = 16  # bytes, of the packed arguments of each launch


class LaunchGraph:
    """The launches of function(*inputs), which returns (outputs, kept): two lists of arrays.

    Inputs are arrays, or None. Nothing runs before the graph is called; then with other inputs of the same shapes and
    dtypes, and on the other arrays that the function used as they are by then. A call returns copies of the outputs;
    or None, without running anything, where inputs are of another kind or threads of another number than the graph's,
    or its memory was given up. `kept` are arrays that every call fills anew, those of another graph of the same
    function if they are given.

    Kernels alone must do what the function computes: NumPy code in it runs only while it is recorded, on
    uninitialised data. Where an output is not what a launch computed, the graph is not complete and must not be
    called. A graph that does not last has nothing of memory.persistent(), as where weights change at each call.
    """

    def __init__(self, function, inputs, kept=(), persists=True):
        launches = []
        self._calls = []  # (launches that come before, function, whether it repeats)
        given = {id(memory.owner(array)) for array in inputs if array is not None}
        self._used = []  # arrays that nobody else may hold for the launches
        sketch = Sketch(launches)

        def note(launch, threads, values, arguments):
            if threads is None:
                self._calls.append((len(launches), launch, arguments))
                return
            launches.append((launch, threads, values))
            self._used += [a for a in _arrays(arguments) if id(memory.owner(a)) not in given]

        with recording(note, (function.__module__,)), memory.sketched(sketch, persists):
            outputs, made = function(*inputs)
        self.is_complete = all(map(memory.is_scratch, [*outputs, *made]))
        self._threads = get_num_threads()
        self._pack(launches)
        self._kinds = [
            (i, None, None) if a is None else (i, a.shape, a.dtype) for i, a in enumerate(inputs)
        ]
        self._moves = [
            (i, *use) for i, a in enumerate(inputs) if a is not None for use in self._uses(a)
        ]
        self._outputs, self.kept, self._scratch = [], [], []
        self._claim, self.nbytes, self.last_run = None, 0, 0
        if self.is_complete:
            self._settle(sketch, outputs, made, kept or [None] * len(made))
        self._base = None  # of the arena, when the launches ran last

    def __call__(self, *inputs):
        if get_num_threads() != self._threads:
            return None
        for i, shape, dtype in self._kinds:
            array = inputs[i]
            if array is None or shape is None:
                fits = array is shape
            else:
                plain = type(array) is np.ndarray and array.flags.carray
                fits = plain and array.shape == shape and array.dtype == dtype
            if not fits:
                return None
        return self.launch(inputs)

    def launch(self, inputs):
        """What a call does with inputs that are known to be of its kind, on as many threads as it is for."""
        with launching():
            words = self._words
            if words is None:  # given up
                return None
            arena, base = ARENA.memory()  # which stays as long as this name has it
            if base != self._base:
                self._base = base
                for word, offset in self._scratch:
                    words[word] = base + offset
            for i, word, offset in self._moves:
                words[word] = address_of_buffer(inputs[i]) + offset
            self._run()
            self.last_run = next(_runs)
            return [output.copy() for output in self._outputs]

    def _run(self):
        """Run the launches, and call on the way what host_call() was given."""
        if not self._calls:
            run(self._table)
            return
        start, again = 0, None
        for stop, function, repeats in [*self._calls, (len(self._table), _nothing, False)]:
            step = stop - start if again is None else 1
            for at in range(start, stop, max(step, 1)):
                run(self._table[at : at + step])
                if again is not None:
                    again()
            function()
            start, again = stop, function if repeats else again

    def _pack(self, launches):
        """All arguments in one piece of memory, as bytes and as words, and the table that run() takes."""
        starts, size = [], 0
        for launch, *_ in launches:
            starts.append(size)
            size += -(-launch.layout.size // _ALIGNMENT) * _ALIGNMENT
        packed = self._packed = memory.empty((max(size, _ALIGNMENT),), np.uint8)
        start = address_of_buffer(packed)
        pointers = []
        for at, (launch, _, values) in zip(starts, launches, strict=True):
            launch.layout.pack_into(packed, at, *values)
            pointers += [at + place for place in launch.pointers()]
        rows = [
            (launch.address, threads, start + at)
            for at, (launch, threads, _) in zip(starts, launches, strict=True)
        ]
        self._table = np.array(rows, np.int64).reshape(-1, 3)
        self._words = memoryview(packed).cast("q")
        # Words that hold the address of an array.
        self._pointers = [at // 8 for at in pointers]

    def _uses(self, array):
        """[(word, offset)]: where launches point into an array, and how far in."""
        start, size = address_of_buffer(array), array.nbytes
        offsets = [(word, self._words[word] - start) for word in self._pointers]
        return [(word, offset) for word, offset in offsets if 0 <= offset < size]

    def _settle(self, sketch, outputs, made, kept):
        """Give the outputs and what is kept memory that no other graph overwrites, and the rest a place in the arena.

        Arrays of one block stay together.
        """
        own = {}  # the address of a block -> the memory that it gets, as bytes
        self._outputs = [self._own(array, None, own) for array in outputs]
        self.kept = [self._own(*pair, own) for pair in zip(made, kept, strict=True)]
        layout = sketch.lay_out(apart=own)
        for word in self._pointers:
            found = layout.find(self._words[word])
            if found is None:
                continue
            block, offset = found
            if block in own:
                self._words[word] = address_of_buffer(own[block]) + offset
            else:
                self._scratch.append((word, layout.place(block) + offset))
        self._claim = Claim(layout.size)
        self.nbytes = sum(array.nbytes for array in (*own.values(), *sketch.persistent))
        if self.nbytes:
            _recordings_of_models.add(self)

    def _own(self, array, old, own):
        """The array on memory of its own: that of `old`, or new."""
        block = memory.owner(array).__array_interface__
        address, size = block["data"][0], block["shape"][0]
        if address not in own:
            own[address] = (
                memory.empty((size,), np.uint8) if old is None else np.asarray(memory.owner(old))
            )
        if old is not None:
            return old
        start = address_of_buffer(array) - address
        return own[address][start : start + array.nbytes].view(array.dtype).reshape(array.shape)

    def give_up(self):
        """Give up its memory; it refuses every call from then on."""
        self._threads, self._table, self._words = None, _NONE, None
        self._packed, self._claim, self._calls = None, None, []
        self._outputs, self.kept, self._used, self._scratch, self._moves = [], [], [], [], []

    @property
    def is_given_up(self):
        return self._threads is None


def _nothing():
    pass


def limit_recordings(running):
    """Have the recordings of models give up their memory, the longest unused first, but for the running model's, until
    at most LIMIT bytes are left."""
    with launching():
        running = set(running)
        left = sum(graph.nbytes for graph in _recordings_of_models)
        others = (graph for graph in _recordings_of_models if graph not in running)
        for graph in sorted(others, key=lambda graph: graph.last_run):
            if left <= LIMIT:
                break
            left -= graph.nbytes
            graph.give_up()
            _recordings_of_models.discard(graph)


def forget_recordings_of_ops():
    """Forget the recordings of ops that were called by themselves."""
    _recordings_of_ops.clear()


def recorded(function):
    """The function, which fills some of its arrays by launches alone: they are recorded once for each combination of
    shapes, dtypes and other arguments, and run again with other arrays.

    Behind a kernel that has filled the caches, Python's work at a launch takes several times as long as in a loop of
    nothing else: 0.35 ms of a convolution's 4 ms, on Zen 4.
    """

    @wraps(function)
    def run(*arguments):
        if is_recording() or RECORDINGS == 0:
            function(*arguments)
            return
        kinds, arrays = [function, get_num_threads()], []
        for argument in arguments:
            if type(argument) is np.ndarray:
                kinds += argument.shape, argument.dtype
                arrays.append(argument)
            else:
                kinds.append(argument)
        key = tuple(kinds)
        graph = _recordings_of_ops.pop(key, None)
        if graph is None:
            graph = _record(function, arguments)
            while len(_recordings_of_ops) >= RECORDINGS:
                _recordings_of_ops.popitem(last=False)
        _recordings_of_ops[key] = graph
        try:
            graph.launch(arrays)
        except TypeError:  # an array that is not in C order, or cannot be written to
            function(*arguments)  # which says so

    return run


def _record(function, arguments):
    # Other arrays of the same kind: what is given may be one array twice, which the next call need not repeat.
    arrays = [np.empty_like(a) for a in arguments if type(a) is np.ndarray]

    def record(*arrays):
        rest = iter(arrays)
        function(*(next(rest) if type(a) is np.ndarray else a for a in arguments))
        return [], []

    return LaunchGraph(record, arrays, persists=False)


_recordings_of_ops: OrderedDict[tuple, LaunchGraph] = OrderedDict()  # the longest unused first
_recordings_of_models: WeakSet[LaunchGraph] = WeakSet()  # of models
_runs = count(1)
_NONE = np.empty((0, 3), np.int64)


def _arrays(arguments):
    """The arrays among the arguments of a kernel that were not made while it was recorded."""
    for argument in arguments:
        if type(argument) is tuple:
            yield from _arrays(argument)
        elif type(argument) is np.ndarray and not memory.is_scratch(argument):
            yield argument
