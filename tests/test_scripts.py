"""Scripts that are run as they are: import lines of every kind, old paths, and the words that are not here."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


def python(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments, *(["-c", textwrap.dedent(code)] if code else [])],
        capture_output=True, text=True, env=os.environ | environment,
    )  # fmt: skip


def run(tmp_path, code, *arguments):
    (tmp_path / "script.py").write_text(textwrap.dedent(code))
    return python("", "-m", "numba_cnn", "run", str(tmp_path / "script.py"), *arguments)


TRAINS = """
    import numpy as np
    x, y = np.random.rand(16, 8, 8, 1), np.arange(16) % 3
    model = Sequential(
        [Conv2D(2, 3, activation="relu", input_shape=(8, 8, 1)), Flatten(), Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    print(type(model).__module__, sorted(model.fit(x, y, verbose=0).history))
"""
IMPORTS = [
    "from keras.models import Sequential\n    from keras.layers import Conv2D, Dense, Flatten",
    "from tensorflow.keras.models import Sequential\n    from tensorflow.keras.layers import *",
    "import tensorflow as tf\n    Sequential = tf.keras.Sequential\n    L = tf.keras.layers\n"
    "    Conv2D, Dense, Flatten = L.Conv2D, L.Dense, L.Flatten",
    "from tensorflow import keras\n    from tensorflow.keras import layers\n    Sequential = keras.models.Sequential\n"
    "    Conv2D, Dense, Flatten = layers.Conv2D, layers.Dense, layers.Flatten",
    "from keras.engine.sequential import Sequential\n    from keras.layers.convolutional import Conv2D\n"
    "    from keras.layers.core import Dense, Flatten",
    "import keras.layers as L, keras.backend as K\n    from tensorflow.python.keras.models import Sequential\n"
    "    Conv2D, Dense, Flatten = L.Conv2D, L.Dense, L.Flatten\n    K.clear_session()",
]  # fmt: skip


@pytest.mark.parametrize("imports", IMPORTS)
def test_import_lines(imports, tmp_path):
    done = run(tmp_path, f"\n    {imports}\n{TRAINS}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "numba_cnn.models.sequential ['accuracy', 'loss']\n"
    assert not done.stderr


def test_a_script_finds_its_arguments_and_its_neighbours(tmp_path):
    (tmp_path / "beside.py").write_text("import keras\nNAME = keras.__name__\n")
    done = run(
        tmp_path, "import sys, beside; print(beside.NAME, sys.argv[1:], __name__)", "--a", "b"
    )
    assert done.stdout == "numba_cnn ['--a', 'b'] __main__\n"


def test_modules_beside_a_script_import_what_is_not_here(tmp_path):
    (tmp_path / "beside.py").write_text(
        "from keras.layers import Dense, Lambda\nfrom parts import net\n"
    )
    for name in ("parts", "whole"):  # a folder, and a package
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text(
            "from tensorflow.keras.layers import LSTM, Conv2D\n"
        )
    (tmp_path / "whole" / "__init__.py").write_text("from . import net\n")
    done = run(
        tmp_path,
        """
        import beside, whole, sys
        print(beside.Dense.__module__, beside.net.Conv2D.__name__, whole.net.LSTM, whole.__file__)
        beside.Lambda(None)
        """,
    )
    assert done.returncode == 1
    assert done.stdout == (
        f"numba_cnn.layers.dense Conv2D <tensorflow.keras.layers.LSTM, which is not here> "
        f"{tmp_path / 'whole' / '__init__.py'}\n"
    )
    assert "(Keras's 'Lambda' is not served yet)" in done.stderr
    assert not list(tmp_path.rglob("__pycache__"))


def test_words_of_tensorflow_that_scripts_use_while_they_import(tmp_path):
    done = run(
        tmp_path,
        """
        import tensorflow as tf
        tf.random.set_seed(1); tf.get_logger().setLevel("ERROR")
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        for gpu in tf.config.experimental.list_physical_devices("GPU"): pass
        tf.set_random_seed(1); tf.config.set_soft_device_placement(True)
        with tf.device("/GPU:0"): assert tf.executing_eagerly()
        config = tf.ConfigProto(gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=0.5))
        config.gpu_options.allow_growth = True
        with tf.compat.v1.Session(config=config) as session: session.close()
        tf.compat.v1.InteractiveSession(config=config); tf.python.control_flow_ops = tf
        from tensorflow.data import AUTOTUNE, Dataset
        assert Dataset is tf.data.Dataset
        assert tf.version.VERSION == tf.__version__
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = 1
        tf.data.Dataset.range(3).with_options(options)
        assert tf.autograph.experimental.do_not_convert(len) is len
        assert tf.compat.as_bytes("JFIF") == b"JFIF" and tf.compat.as_text(b"a") == tf.compat.as_str("a")
        print(tf.float32.__name__, tf.data.AUTOTUNE, tf.keras.layers.Dense(3, activation=tf.nn.relu).activation.name)
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "float32 -1 relu\n"


def test_results_have_numpy_as_tensors_of_tensorflow_have(tmp_path):
    """As the first tutorials of TensorFlow 2 ask for them."""
    done = run(
        tmp_path,
        """
        import numpy as np, tensorflow as tf
        x, y = np.ones((2, 4, 4), np.float32), np.array([0, 1])
        layers = tf.keras.layers
        model = tf.keras.models.Sequential([layers.Flatten(input_shape=(4, 4)), layers.Dense(3)])
        scores = model(x[:1])
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y[:1], scores)
        whole = tf.keras.Sequential([model, layers.Softmax()])(x).numpy()
        dense = layers.Dense(2, activation=tf.nn.relu)
        for one in (scores, loss, tf.nn.softmax(scores), layers.Flatten()(x), dense(x)):
            print(type(one.numpy()).__module__, one.shape)
        np.testing.assert_allclose(tf.nn.softmax(scores).numpy(), whole[:1], rtol=1e-6)
        """,
    )
    assert done.returncode == 0, done.stderr
    shapes = ["(1, 3)", "()", "(1, 3)", "(2, 16)", "(2, 4, 2)"]
    assert done.stdout.splitlines() == [f"numpy {shape}" for shape in shapes]


def test_a_session_is_taken_and_computes_nothing(tmp_path):
    done = run(
        tmp_path,
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import keras, tensorflow as tf
        from keras.backend.tensorflow_backend import set_session
        set_session(tf.Session(config=tf.ConfigProto()))
        tf.Session().run(3)
        """,
    )
    assert "module 'tensorflow' has no attribute 'Session.run'" in done.stderr


def test_words_of_tensorflow_on_what_models_predict(tmp_path):
    done = run(
        tmp_path,
        """
        import numpy as np, tensorflow as tf
        strategy = tf.distribute.MirroredStrategy()
        with strategy.scope():
            model = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(2,))])
        @tf.function
        def doubled(x): return x * strategy.num_replicas_in_sync * 2
        @tf.function(jit_compile=True)
        def same(x): return x
        y = same(doubled(tf.constant([[1, 5, 2], [7, 2, 4]])))
        print(tf.argmax(y, axis=1).numpy(), tf.argmax(y), tf.argmax(y, -1, output_type=tf.int32).dtype)
        mean = tf.reduce_mean(tf.cast(y, tf.float32))
        print(tf.reduce_sum(y, axis=0).numpy(), mean.numpy(), tf.reduce_max(y).numpy())
        assert set(tf.argmax(y, axis=1)) == {0, 1}
        print(tf.squeeze(y[:, :1]).numpy(), tf.reshape(y, (3, -1)).shape, tf.concat([y, y], axis=1).shape,
              tf.stack([y, y]).shape, tf.round([0.6]).numpy(),
              tf.argmax(model.predict(np.ones((1, 2)), verbose=0), axis=1).shape)
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[1 0] [1 0 1] int32", "[16 14 12] 7.0 14", "[ 2 14] (3, 2) (2, 6) (2, 2, 3) [1.] (1,)",
    ]  # fmt: skip
    assert not done.stderr


def test_data_as_scripts_have_it(tmp_path):
    """By every path of import, without TensorFlow."""
    done = run(
        tmp_path,
        """
        import numpy as np, tensorflow as tf
        from keras.preprocessing.image import ImageDataGenerator, load_img
        from tensorflow.keras.preprocessing import image, image_dataset_from_directory
        from keras.legacy.preprocessing.image import ImageDataGenerator as Legacy
        import keras_preprocessing
        from keras_preprocessing.image import ImageDataGenerator as OfItsOwn
        assert keras_preprocessing.image.ImageDataGenerator is OfItsOwn is Legacy
        print(Legacy is ImageDataGenerator is tf.keras.preprocessing.image.ImageDataGenerator)
        print(image_dataset_from_directory is tf.keras.utils.image_dataset_from_directory, image.load_img is load_img)
        x, y = np.random.rand(16, 8, 8, 1), np.arange(16) % 3
        ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(16).batch(4)
        ds = ds.map(lambda x, y: (tf.cast(x, tf.float32) * 2, y), num_parallel_calls=tf.data.AUTOTUNE).prefetch(1)
        model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(ds, epochs=2, verbose=0)
        print(tf.data.experimental.cardinality(ds).numpy(), [a.shape for a in next(iter(ds))])
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\nTrue True\n4 [(4, 8, 8, 1), (4,)]\n"
    assert not done.stderr


def test_what_is_not_here_is_listed_by_name_and_line(tmp_path):
    done = run(
        tmp_path,
        """\
        import tensorflow as tf
        from keras import layers
        from keras.layers import Dense
        if False:
            layers.LSTM(3)
            tf.image.resize(1, 2)
            tf.random.normal((2, 3))
            Dense(3).units
        """,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert [line.split(": ")[2:4] for line in lines] == [
        ["line 5", "keras.layers.LSTM"],
        ["line 6", "tensorflow.image"],
        ["line 7", "tensorflow.random.normal"],
    ]
    assert (
        "module 'tensorflow' has no attribute 'random.normal': no TensorFlow is installed"
        in lines[2]
    )
    assert "is not served yet" in lines[0]
    done = run(tmp_path, "from keras.layers import Bidirectional\nBidirectional(None)")
    assert done.returncode == 1
    assert "not here: line 1: keras.layers.Bidirectional" in done.stderr


def test_what_is_imported_and_never_used_need_not_be_here(tmp_path):
    code = """
        from keras.layers import Dense, Lambda
        from keras.layers import LSTM
        from keras.applications.vgg16 import VGG16
        try:
            from keras.layers import Bidirectional
        except ImportError:
            Bidirectional = "the other way"
        print(Dense.__name__, Bidirectional)
    """
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Dense the other way\n"
    assert "line 2: keras.layers.Lambda" in done.stderr
    done = run(tmp_path, f"{code.rstrip()}\n        VGG16(weights=None)\n")
    assert done.returncode == 1
    said = "script.py, line 10: module 'numba_cnn' has no attribute 'applications'"
    assert said in done.stderr


def test_errors_say_where_the_script_was(tmp_path):
    done = run(tmp_path, "def f():\n    return int('abc')\n\nf()")
    script = tmp_path / "script.py"
    said = "invalid literal for int() with base 10: 'abc'"
    assert done.stderr == f"numba-cnn: error: {script}, line 2: {said}\n"
    done = run(tmp_path, "import keras\nx = (")
    assert done.stderr.count("Traceback") == 1
    assert "SyntaxError" in done.stderr


def test_old_paths_have_words_and_no_others(tmp_path):
    code = """
        from keras.layers.normalization import BatchNormalization
        from keras.layers.merge import add, Concatenate
        from keras.api.layers import Dense
        from keras.engine.topology import Layer
        from keras.layers import add as today
        print(BatchNormalization, Concatenate, Dense, Layer, add is today)
        try:
            from keras.layers.core import Nothing
        except ImportError:
            print("no such word")
    """
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr
    names = (
        "batch_normalization.BatchNormalization",
        "merging.Concatenate",
        "dense.Dense",
        "layer.Layer",
    )
    expected = " ".join(f"<class 'numba_cnn.layers.{name}'>" for name in names)
    assert done.stdout == f"{expected} True\nno such word\n"


def test_tensorboard_writes_without_tensorflow(tmp_path):
    code = """
        import numpy as np
        import tensorflow as tf
        from tensorflow import keras
        model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
        model.compile("sgd", "mse")
        logs = keras.callbacks.TensorBoard(LOGS)
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, callbacks=[logs])
    """
    done = run(tmp_path, code.replace("LOGS", repr(str(tmp_path / "logs"))))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "logs" / "train").iterdir())


def test_a_script_that_is_not_there(tmp_path):
    done = python("", "-m", "numba_cnn", "run", str(tmp_path / "none.py"))
    assert done.returncode == 1
    assert done.stderr.endswith("none.py: No such file or directory\n")


def test_in_a_notebook():
    done = python(
        """
        from numba_cnn import scripts
        scripts.as_keras(); scripts.as_keras()
        import keras, numba_cnn
        from tensorflow.keras.layers import Dense
        print(keras is numba_cnn, Dense is numba_cnn.layers.Dense, numba_cnn.layers.__spec__.name)
        """
    )
    assert done.stdout == "True True numba_cnn.layers\n", done.stderr


def test_the_prefix_numba_cnn_keras():
    done = python(
        """
        from numba_cnn.keras.models import Sequential
        from numba_cnn.keras import layers, utils
        import numba_cnn.keras.callbacks as callbacks, numba_cnn
        print(Sequential is numba_cnn.Sequential, layers is numba_cnn.layers, callbacks is numba_cnn.callbacks)
        """
    )
    assert done.stdout == "True True True\n", done.stderr


FAKE = (
    "import types\n__version__ = '9'\nkeras = types.ModuleType('tensorflow.keras')\nname = 'real'\n"
)


def test_a_tensorflow_that_is_installed_keeps_the_rest_of_its_name(tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(FAKE)
    code = """
        from numba_cnn import scripts
        scripts.as_keras()
        import tensorflow as tf, numba_cnn
        from tensorflow.keras.layers import Dense
        print(tf.name, tf.__version__, tf.keras is numba_cnn, Dense is numba_cnn.layers.Dense)
    """
    assert (
        python(code, PYTHONPATH=f"{tmp_path}{os.pathsep}{os.getcwd()}").stdout
        == "real 9 True True\n"
    )


FOLDERS = [
    """
    from keras.preprocessing.image import ImageDataGenerator
    from keras.models import Sequential
    from keras.layers import Conv2D, Activation, Flatten, Dense
    model = Sequential()
    model.add(Conv2D(2, (3, 3), input_shape=(8, 8, 3)))
    model.add(Activation("relu"))
    model.add(Flatten())
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    train = ImageDataGenerator(rescale=1. / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
    flow = train.flow_from_directory("images", target_size=(8, 8), batch_size=4, class_mode="binary")
    tests = ImageDataGenerator(rescale=1. / 255).flow_from_directory(
        "images", target_size=(8, 8), batch_size=4, class_mode="binary", shuffle=False)
    history = model.fit_generator(flow, steps_per_epoch=flow.samples // 4, epochs=2, verbose=0,
                                  validation_data=tests, validation_steps=len(tests), workers=4)
    tests.reset()
    print(len(history.history["val_acc"]), model.predict_generator(tests, len(tests)).shape, flow.class_indices)
    """,
    """
    import numpy as np, tensorflow as tf
    from tensorflow.keras import layers
    how = dict(validation_split=0.25, seed=123, image_size=(8, 8), batch_size=4, verbose=False)
    train = tf.keras.utils.image_dataset_from_directory("images", subset="training", **how)
    tests = tf.keras.utils.image_dataset_from_directory("images", subset="validation", **how)
    names = train.class_names
    for images, labels in train.take(1):
        images[0].numpy().astype("uint8"), names[labels[0]]
    train = train.cache().shuffle(1000).prefetch(buffer_size=tf.data.AUTOTUNE)
    augment = tf.keras.Sequential([layers.RandomFlip("horizontal", input_shape=(8, 8, 3)), layers.RandomZoom(0.1)])
    for images, _ in train.take(1):
        augment(images)[0].numpy().astype("uint8")
    model = tf.keras.Sequential([augment, layers.Rescaling(1. / 255), layers.Flatten(), layers.Dense(2)])
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(train, validation_data=tests, epochs=2, verbose=0)
    image = tf.keras.utils.img_to_array(tf.keras.utils.load_img("images/cat/0.png", target_size=(8, 8)))
    score = tf.nn.softmax(model.predict(tf.expand_dims(image, 0), verbose=0)[0])
    print(len(history.history["val_accuracy"]), score.shape, dict(zip(names, range(2))))
    """,
]  # fmt: skip


@pytest.mark.parametrize("code", FOLDERS)
def test_scripts_that_read_folders_of_images(code, tmp_path, monkeypatch):
    from numba_cnn import utils

    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(8):
            utils.save_img(
                tmp_path / "images" / name / f"{i}.png", np.full((9, 9, 3), 20 * i), scale=False
            )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (tmp_path / "script.py").write_text(textwrap.dedent(code))
    done = python("", "-W", "ignore", "-m", "numba_cnn", "run", "script.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] in (
        "2 (16, 1) {'cat': 0, 'dog': 1}",
        "2 (2,) {'cat': 0, 'dog': 1}",
    )
