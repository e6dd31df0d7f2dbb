"""Scripts that use tensorflow, of which keras and the words of imports and predictions are here."""

import os

from test_scripts import python, run


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
