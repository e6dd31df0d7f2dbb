"""What the ranks of tests/test_distributed.py run: distributed_peer.py JOB FOLDER; each writes FOLDER/RANK.json."""

import json
import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np

import numba_cnn as nc
from numba_cnn import backends, callbacks, layers, metrics, models, preprocessing, utils

SHAPE = 12, 12, 3


def data(N=60):
    chance = np.random.default_rng(5)
    y = chance.integers(0, 4, N)
    x = chance.normal(size=(N, *SHAPE)).astype(np.float32)
    x[np.arange(N), y, y] += 3
    return x, y


def model(batch_norm=None):
    """Layers of chance, a regularizer and a metric that NumPy computes."""
    nc.set_conv_algorithm("direct")
    nc.set_random_seed(3)
    between = []
    if batch_norm is not None:
        between = [layers.BatchNormalization(momentum=0.9, synchronized=batch_norm)]
    made = models.Sequential([
        layers.Input(SHAPE), layers.RandomFlip(), layers.RandomRotation(0.02), layers.Conv2D(8, 3, activation="relu"),
        *between, layers.MaxPooling2D(), layers.GaussianNoise(0.1), layers.SpatialDropout2D(0.1), layers.Flatten(),
        layers.Dense(16, activation="relu", kernel_regularizer="l2"), layers.Dropout(0.3),
        layers.Dense(4, activation="softmax", activity_regularizer="l2"),
    ])  # fmt: skip
    top = metrics.SparseTopKCategoricalAccuracy(2)
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", top])
    return made


class Losses(callbacks.Callback):
    """The loss after each step."""

    def __init__(self):
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def run(made, x, y, batch_size, epochs, **more):
    losses = Losses()
    history = made.fit(x, y, batch_size, epochs, callbacks=[losses], **more)
    return {"losses": losses.losses, "history": history.history, "digest": made._digest()}


def curves(made, ranks):
    """Batches of 10 and a last one of 4; validation, evaluation, prediction."""
    x, y = data(64)
    said = run(made, x[:54], y[:54], 10, 10, validation_data=(x[54:], y[54:]))
    said["evaluated"] = made.evaluate(x, y, batch_size=13, verbose=0)
    said["predicted"] = made.predict(x, batch_size=9, verbose=0).tolist()
    said["on batch"] = made.train_on_batch(x[:7], y[:7])
    return said


def few(made, ranks):
    """Batches of 2, and a last one of 1: more ranks than samples."""
    x, y = data(5)
    return run(made, x, y, 2, 2)


def groups(made, ranks):
    """Ranks of a communicator that is given, two and one; the threads of each; a loss of the whole batch."""
    said = few(made, ranks)
    said["threads"] = backends.get("cpu").get_num_threads()
    made.compile("adam", "dice")
    try:
        made.fit(data(5)[0], np.eye(4)[data(5)[1]], verbose=0)
    except ValueError as error:
        said["refused"] = str(error)
    return said


def streams(made, ranks):
    """A generator, which rank 0 alone reads, and an object with items."""
    x, y = data(60)
    weights, asked, items = np.linspace(0.5, 1.5, 60), [], []

    def generator():
        for i in range(0, 60, 7):
            asked.append(i)
            yield x[i : i + 7], y[i : i + 7], weights[i : i + 7]

    class Items(utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            items.append(i)
            return x[i : i + 7], y[i : i + 7]

    said = run(made, generator(), None, None, 1)
    of_items = run(made, Items(), None, None, 2, validation_data=Items())
    predicted = made.predict(Items(), verbose=0).tolist()
    counts = {"asked": len(asked), "asked items": len(items)}
    return {**said, **counts, "items": of_items, "predicted": predicted}


class Rows:
    """An HDF5 dataset that notes which rows are read."""

    def __init__(self, dataset):
        self.dataset, self.read = dataset, []
        self.shape, self.dtype, self.chunks = dataset.shape, dataset.dtype, dataset.chunks

    def __len__(self):
        return len(self.dataset)

    def __array__(self, *how, **more):
        raise AssertionError("the whole file is read")

    def __getitem__(self, rows):
        self.read += range(*rows.indices(len(self)))
        return self.dataset[rows]


def files(made, ranks, folder=None):
    """Samples in an HDF5 file, and in a memory map: the losses, and the rows that this process read of the file."""
    import h5py

    home = Path(folder or sys.argv[2])
    with h5py.File(home / "x.h5") as file:
        rows = Rows(file["x"])
        said = run(made, rows, data(400)[1], 100, 2, shuffle="batch")
    mapped = np.load(home / "x.npy", mmap_mode="r")
    return {**said, "read": rows.read, "mapped": run(made, mapped, data(400)[1], 100, 1)}


def images(made, ranks, folder=None):
    """Image files as datasets and as changed images: the losses, and the files that this process opened."""
    home, opened = str(folder or Path(sys.argv[2], "images")), []

    def watch(event, arguments):
        if event == "open" and str(arguments[0]).startswith(home) and arguments[0].endswith("png"):
            opened.append(os.path.relpath(arguments[0], home))

    sys.addaudithook(watch)
    how = {"image_size": SHAPE[:2], "batch_size": 6, "verbose": False}
    dataset = utils.image_dataset_from_directory(home, seed=3, **how)
    told = {}

    def seen(name, said):
        told[name] = {**said, "opened": sorted(opened)}
        opened.clear()

    seen("plain", run(made, dataset.prefetch(2), None, None, 2))
    seen("kept", run(made, dataset.cache().shuffle(2, seed=1).take(3), None, None, 2))
    mapped = dataset.map(lambda x, y: (x - x.mean(), y))  # of whole batches
    seen("mapped", run(made, mapped, None, None, 1))
    changed = preprocessing.image.ImageDataGenerator(rotation_range=20, horizontal_flip=True)
    how = {"target_size": SHAPE[:2], "batch_size": 6, "class_mode": "sparse", "seed": 3}
    flow = changed.flow_from_directory(home, **how)
    seen("flow", run(made, flow, None, None, 2, validation_data=dataset))
    flow = changed.flow(*data(20), batch_size=6, seed=2)
    seen("arrays", run(made, flow, None, None, 2))
    if ranks is not None:
        nc.set_random_seed(ranks.rank)  # else each has its own order
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        differs = utils.image_dataset_from_directory(home, image_size=SHAPE[:2], verbose=False)
        seen("differs", run(made, differs, None, None, 1))
    told["warned"] = [str(one.message) for one in caught]
    plain = utils.image_dataset_from_directory(
        home, labels=None, shuffle=False, image_size=SHAPE[:2], batch_size=7, verbose=False
    )
    told["predicted"] = made.predict(plain, verbose=0).tolist()
    return told


def norm(made, ranks):
    """Batch norm by rank: no curve of one process, but equal weights on every rank."""
    return run(made, *data(30), 6, 2)


def synchronized(made, ranks):
    """Batch norm by the whole batch, in batches of 7, and a last one of 2: more ranks than samples."""
    x, y = data(30)
    return run(made, x, y, 7, 3, validation_data=(x, y))


def backup(made, ranks):
    """Killed behind the first epoch where there is no backup yet, else taken up."""
    folder = Path(sys.argv[2], "backup")
    saves = callbacks.BackupAndRestore(folder)
    ends = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epoch == 1 and fresh and os._exit(9)
    )
    fresh = not folder.exists()
    losses = Losses()
    history = made.fit(*data(30), 8, 3, callbacks=[losses, saves, ends])
    return {"losses": losses.losses, "history": history.history, "digest": made._digest()}


def failing(kind):
    def job(made, ranks):
        x, y = data(40)
        second = ranks.rank == 1
        if second and kind == "labels":
            y = y[::-1]
        if second and kind == "samples":
            x, y = x[1:], y[1:]
        if second and kind == "version":
            nc.__version__ = "0.0.0"
            from numba_cnn.distributed import versions

            versions.__version__ = "0.0.0"
        if second and kind == "leaves":
            sys.exit(0)
        if kind == "nan":
            x[39] = np.nan

        def at_batch(batch, logs):
            if second and batch == 2:
                if kind == "raises":
                    raise KeyError("what a rank says")
                if kind == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if kind == "evaluates":
                    made.evaluate(x, y)
                if kind == "stops":
                    made.stop_training = True
                if kind == "learns faster":
                    made.optimizer.learning_rate = 0.5

        watch = callbacks.LambdaCallback(on_train_batch_end=at_batch)
        return {"history": made.fit(x, y, 8, 2, callbacks=[watch]).history}

    return job


def main():
    name, folder = sys.argv[1:]
    made, ranks = model({"norm": False, "synchronized": True}.get(name)), None
    if "PMI_RANK" in os.environ:
        communicator = None
        if name == "groups":
            from mpi4py import MPI

            communicator = MPI.COMM_WORLD.Split(int(os.environ["PMI_RANK"]) // 2)
        ranks = made.distribute(communicator, timeout=3 if name == "evaluates" else 20)
    jobs = curves, few, groups, streams, files, images, norm, synchronized, backup
    job = {one.__name__: one for one in jobs}.get(name) or failing(name)
    said = job(made, ranks)
    rank = os.environ.get("PMI_RANK", 0)
    Path(folder, f"{rank}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main()
