"""Networks that tell classes of images: each a function of Keras's words, layers and models, as narrow as may be."""

CLASSES = 4


def _head(layers, x):
    return layers.Dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def _conv_bn(layers, x, filters, size=3, activation="relu", **settings):
    x = layers.Conv2D(filters, size, padding="same", use_bias=False, **settings)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def tutorial(layers, models):
    model = models.Sequential()
    model.add(layers.Conv2D(8, (3, 3), activation="relu", input_shape=(32, 32, 3)))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(16, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(16, (3, 3), activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(CLASSES, activation="softmax"))
    return model


def lenet5(layers, models):
    return models.Sequential(
        [
            layers.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def alexnet(layers, models):
    return models.Sequential(
        [
            layers.Input((67, 67, 3)),
            layers.Conv2D(12, 11, strides=4, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(16, 5, padding="same", groups=2, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(24, 3, padding="same", activation="relu"),
            layers.Conv2D(24, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.0),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def vgg_with_batch_norm(layers, models):
    model = models.Sequential([layers.Input((32, 32, 3))])
    for filters, times in ((8, 2), (16, 2), (24, 3)):
        for _ in range(times):
            model.add(layers.Conv2D(filters, 3, padding="same"))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(32, activation="relu", kernel_regularizer="l2"))
    model.add(layers.Dense(CLASSES, activation="softmax"))
    return model


def cifar10_cnn(layers, models):
    """Keras's own example."""
    model = models.Sequential()
    model.add(layers.Conv2D(8, (3, 3), padding="same", input_shape=(32, 32, 3)))
    model.add(layers.Activation("relu"))
    model.add(layers.Conv2D(8, (3, 3)))
    model.add(layers.Activation("relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Dropout(0.0))
    model.add(layers.Conv2D(16, (3, 3), padding="same"))
    model.add(layers.Activation("relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(32))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(CLASSES))
    model.add(layers.Activation("softmax"))
    return model


def all_convolutional(layers, models):
    return models.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(CLASSES, 1),
            layers.GlobalAveragePooling2D(),
            layers.Softmax(),
        ]
    )


def network_in_network(layers, models):
    model = models.Sequential([layers.Input((32, 32, 3))])
    for filters, size in ((12, 5), (16, 3)):
        model.add(layers.Conv2D(filters, size, padding="same", activation="relu"))
        model.add(layers.Conv2D(filters, 1, activation="relu"))
        model.add(layers.Conv2D(filters, 1, activation="relu"))
        model.add(layers.MaxPooling2D(3, strides=2, padding="same"))
    model.add(layers.Conv2D(CLASSES, 1, activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Activation("softmax"))
    return model


def resnet20(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = _conv_bn(layers, inputs, 8)
    for stage, filters in enumerate((8, 12, 16)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            y = _conv_bn(layers, x, filters, strides=strides)
            y = _conv_bn(layers, y, filters, activation=None)
            if strides == 2:
                x = layers.Conv2D(filters, 1, strides=2, padding="same")(x)
            x = layers.Activation("relu")(layers.add([x, y]))
    return models.Model(inputs, _head(layers, x))


def resnet_v2(layers, models):
    """Batch norm and activation come first; the wide form, with dropout."""
    inputs = layers.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    for filters in (16, 24):
        y = layers.Activation("relu")(layers.BatchNormalization()(x))
        short = layers.Conv2D(filters, 1, strides=2)(y)
        y = layers.Conv2D(filters, 3, strides=2, padding="same")(y)
        y = layers.Dropout(0.0)(layers.ReLU()(layers.BatchNormalization()(y)))
        y = layers.Conv2D(filters, 3, padding="same")(y)
        x = layers.Add()([short, y])
    return models.Model(inputs, _head(layers, layers.ReLU()(layers.BatchNormalization()(x))))


def resnext(layers, models):
    inputs = layers.Input((16, 16, 3))
    x = _conv_bn(layers, inputs, 16)
    for strides in (1, 2):
        y = _conv_bn(layers, x, 16, 1)
        y = _conv_bn(layers, y, 16, groups=4, strides=strides)
        y = _conv_bn(layers, y, 32, 1, activation=None)
        x = _conv_bn(layers, x, 32, 1, activation=None, strides=strides)
        x = layers.ReLU()(layers.Add()([x, y]))
    return models.Model(inputs, _head(layers, x))


def densenet(layers, models):
    inputs = layers.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    for block in range(2):
        for _ in range(3):
            y = layers.ReLU()(layers.BatchNormalization(epsilon=1.001e-5)(x))
            y = layers.Conv2D(4, 3, padding="same", use_bias=False)(y)
            x = layers.Concatenate()([x, y])
        if not block:
            x = layers.AveragePooling2D(2, strides=2)(layers.Conv2D(10, 1)(x))
    return models.Model(inputs, _head(layers, x))


def googlenet(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 7, strides=2, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for _ in range(2):
        a = layers.Conv2D(4, 1, activation="relu")(x)
        b = layers.Conv2D(4, 1, activation="relu")(x)
        b = layers.Conv2D(6, 3, padding="same", activation="relu")(b)
        c = layers.Conv2D(2, 1, activation="relu")(x)
        c = layers.Conv2D(4, 5, padding="same", activation="relu")(c)
        d = layers.MaxPooling2D(3, strides=1, padding="same")(x)
        d = layers.Conv2D(4, 1, activation="relu")(d)
        x = layers.concatenate([a, b, c, d])
    return models.Model(inputs, _head(layers, layers.Dropout(0.0)(x)))


def inception_v3(layers, models):
    """Filters in two steps, 1x3 and 3x1."""
    inputs = layers.Input((16, 16, 3))
    x = _conv_bn(layers, inputs, 8, strides=2)
    a = _conv_bn(layers, x, 4, 1)
    b = _conv_bn(layers, _conv_bn(layers, x, 6, (1, 3)), 6, (3, 1))
    c = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = layers.Concatenate(axis=-1)([a, b, _conv_bn(layers, c, 4, 1)])
    return models.Model(inputs, _head(layers, x))


def mini_xception(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = layers.Rescaling(1.0 / 255)(inputs)
    x = _conv_bn(layers, x, 8, strides=2)
    before = x
    for size in (12, 16):
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        before = layers.Conv2D(size, 1, strides=2, padding="same")(before)
        x = before = layers.add([x, before])
    return models.Model(inputs, _head(layers, layers.Dropout(0.0)(x)))


def mobilenet(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = _conv_bn(layers, inputs, 8, strides=2)
    for filters, strides in ((12, 1), (16, 2), (16, 1)):
        if strides == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
        padding = "valid" if strides == 2 else "same"
        x = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = _conv_bn(layers, x, filters, 1, activation="relu6")
    return models.Model(inputs, _head(layers, x))


def mobilenet_v2(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = _conv_bn(layers, inputs, 8, activation="relu6", strides=2)
    for filters, strides in ((8, 1), (12, 2), (12, 1)):
        y = _conv_bn(layers, x, 6 * x.shape[-1], 1, activation="relu6")
        y = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)
        y = layers.ReLU(6.0)(layers.BatchNormalization(epsilon=1e-3, momentum=0.999)(y))
        y = _conv_bn(layers, y, filters, 1, activation=None)
        x = layers.Add()([x, y]) if strides == 1 and x.shape[-1] == filters else y
    return models.Model(inputs, _head(layers, x))


def _squeeze_and_excite(layers, x, activation, gate):
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(max(x.shape[-1] // 4, 2), 1, activation=activation)(s)
    return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, activation=gate)(s)])


def mobilenet_v3(layers, models):
    inputs = layers.Input((16, 16, 3))
    x = _conv_bn(layers, inputs, 8, activation="hard_swish", strides=2)
    y = _conv_bn(layers, x, 16, 1, activation="hard_swish")
    y = layers.DepthwiseConv2D(5, padding="same", use_bias=False)(y)
    y = layers.Activation("hard_swish")(layers.BatchNormalization()(y))
    y = _squeeze_and_excite(layers, y, "relu", "hard_sigmoid")
    x = layers.Add()([x, _conv_bn(layers, y, 8, 1, activation=None)])
    return models.Model(inputs, _head(layers, x))


def efficientnet(layers, models):
    inputs = layers.Input((16, 16, 3))
    x = layers.Normalization(mean=[0.5, 0.4, 0.6], variance=[0.1, 0.2, 0.1])(inputs)
    x = _conv_bn(layers, x, 8, activation="swish", strides=2)
    for _ in range(2):
        y = _conv_bn(layers, x, 16, 1, activation="swish")
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
        y = layers.Activation("swish")(layers.BatchNormalization()(y))
        y = _squeeze_and_excite(layers, y, "swish", "sigmoid")
        y = _conv_bn(layers, y, 8, 1, activation=None)
        x = layers.Add()([layers.Dropout(0.0, noise_shape=None)(y), x])
    return models.Model(inputs, _head(layers, x))


def squeezenet(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for filters in (4, 6):
        s = layers.Conv2D(filters, 1, activation="relu")(x)
        one = layers.Conv2D(2 * filters, 1, activation="relu")(s)
        three = layers.Conv2D(2 * filters, 3, padding="same", activation="relu")(s)
        x = layers.concatenate([one, three], axis=3)
    x = layers.Conv2D(CLASSES, 1, activation="relu")(layers.Dropout(0.0)(x))
    return models.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))


def shufflenet(layers, models):
    """Channels change places between groups: two reshapes around an exchange of axes."""
    inputs = layers.Input((16, 16, 3))
    x = _conv_bn(layers, inputs, 8, strides=2)
    y = _conv_bn(layers, x, 8, 1, groups=2)
    y = layers.Reshape((8, 8, 2, 4))(y)
    y = layers.Permute((1, 2, 4, 3))(y)
    y = layers.Reshape((8, 8, 8))(y)
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(y))
    y = _conv_bn(layers, y, 8, 1, activation=None, groups=2)
    return models.Model(inputs, _head(layers, layers.ReLU()(layers.Add()([x, y]))))


def convmixer(layers, models):
    inputs = layers.Input((32, 32, 3))
    x = layers.BatchNormalization()(layers.Conv2D(12, 4, strides=4, activation="gelu")(inputs))
    for _ in range(2):
        y = layers.Activation("gelu")(layers.DepthwiseConv2D(5, padding="same")(x))
        x = layers.Add()([layers.BatchNormalization()(y), x])
        x = layers.BatchNormalization()(layers.Conv2D(12, 1, activation="gelu")(x))
    return models.Model(inputs, _head(layers, x))


def convnext(layers, models):
    inputs = layers.Input((16, 16, 3))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(8, 4, strides=4)(inputs))
    for _ in range(2):
        y = layers.DepthwiseConv2D(7, padding="same")(x)
        y = layers.LayerNormalization(epsilon=1e-6)(y)
        y = layers.Dense(8)(layers.Dense(32, activation="gelu")(y))
        x = layers.Add()([x, y])
    return models.Model(inputs, _head(layers, x))


def transfer(layers, models):
    """A frozen base, augmentation that does nothing here, and a head."""
    base = mobilenet_v2(layers, models)
    features = models.Model(base.input, base.layers[-3].output, name="base")
    features.trainable = False
    return models.Sequential(
        [
            layers.Input((32, 32, 3)),
            models.Sequential([layers.RandomZoom(0.0), layers.RandomRotation(0.0)]),
            features,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.0),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def of_sequences(layers, models):
    return models.Sequential(
        [
            layers.Input((40, 3)),
            layers.Conv1D(8, 5, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2),
            layers.Conv1D(12, 3, padding="causal", activation="relu"),
            layers.SpatialDropout1D(0.0),
            layers.GlobalMaxPooling1D(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


ALL = (
    tutorial, lenet5, alexnet, vgg_with_batch_norm, cifar10_cnn, all_convolutional, network_in_network, resnet20,
    resnet_v2, resnext, densenet, googlenet, inception_v3, mini_xception, mobilenet, mobilenet_v2, mobilenet_v3,
    efficientnet, squeezenet, shufflenet, convmixer, convnext, transfer, of_sequences,
)  # fmt: skip
