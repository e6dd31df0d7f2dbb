"""Networks that give images, numbers, or several things: functions of Keras's words, layers and models."""


def _twice(layers, x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return x


def unet_upsampling(layers, models):
    """A class for each pixel."""
    inputs = layers.Input((16, 16, 3))
    a = _twice(layers, inputs, 4)
    b = _twice(layers, layers.MaxPooling2D()(a), 8)
    c = _twice(layers, layers.Dropout(0.0)(layers.MaxPooling2D()(b)), 12)
    x = layers.UpSampling2D(2, interpolation="nearest")(c)
    x = layers.concatenate([b, layers.Conv2D(8, 2, padding="same", activation="relu")(x)])
    x = layers.UpSampling2D(2, interpolation="bilinear")(_twice(layers, x, 8))
    x = _twice(layers, layers.concatenate([a, x], axis=3), 4)
    return models.Model(inputs, layers.Conv2D(3, 1, activation="softmax")(x))


def unet_transposed(layers, models):
    """A mask."""
    inputs = layers.Input((16, 16, 1))
    a = _twice(layers, inputs, 4)
    b = _twice(layers, layers.MaxPooling2D((2, 2))(a), 8)
    x = layers.Conv2DTranspose(4, (2, 2), strides=(2, 2), padding="same")(b)
    x = _twice(layers, layers.concatenate([x, a], axis=3), 4)
    return models.Model(inputs, layers.Conv2D(1, (1, 1), activation="sigmoid")(x))


def fcn(layers, models):
    """Scores of two resolutions added."""
    inputs = layers.Input((16, 16, 3))
    a = layers.MaxPooling2D()(_twice(layers, inputs, 6))
    b = layers.MaxPooling2D()(_twice(layers, a, 8))
    up = layers.Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=False)
    x = layers.Add()([up(layers.Conv2D(3, 1)(b)), layers.Conv2D(3, 1)(a)])
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=False)(x)
    return models.Model(inputs, layers.Softmax()(x))


def autoencoder(layers, models):
    inputs = layers.Input((28, 28, 1))
    x = layers.Conv2D(8, (3, 3), activation="relu", padding="same")(inputs)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    x = layers.Conv2D(4, (3, 3), activation="relu", padding="same")(x)
    encoded = layers.MaxPooling2D((2, 2), padding="same")(x)
    x = layers.UpSampling2D((2, 2))(layers.Conv2D(4, 3, activation="relu", padding="same")(encoded))
    x = layers.UpSampling2D((2, 2))(layers.Conv2D(8, 3, activation="relu", padding="same")(x))
    decoded = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    return models.Model(inputs, decoded)


def denoising_autoencoder(layers, models):
    """Two models in one."""
    encoder = models.Sequential(
        [
            layers.Input((16, 16, 3)),
            layers.GaussianNoise(0.0),
            layers.Conv2D(8, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dense(12),
        ],
        name="encoder",
    )
    decoder = models.Sequential(
        [
            layers.Input((12,)),
            layers.Dense(8 * 8 * 8),
            layers.Reshape((8, 8, 8)),
            layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="elu"),
            layers.Conv2DTranspose(3, 3, padding="same", activation="sigmoid"),
        ],
        name="decoder",
    )
    inputs = layers.Input((16, 16, 3))
    return models.Model(inputs, decoder(encoder(inputs)))


def dcgan_generator(layers, models):
    model = models.Sequential([layers.Input((10,))])
    model.add(layers.Dense(4 * 4 * 16, use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((4, 4, 16)))
    for filters, strides in ((12, 1), (8, 2)):
        model.add(
            layers.Conv2DTranspose(filters, 5, strides=strides, padding="same", use_bias=False)
        )
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU())
    model.add(layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"))
    return model


def dcgan_discriminator(layers, models):
    model = models.Sequential()
    model.add(layers.Conv2D(8, 5, strides=2, padding="same", input_shape=(28, 28, 1)))
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.0))
    model.add(layers.Conv2D(16, 5, strides=2, padding="same"))
    model.add(layers.LeakyReLU())
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


def siamese(layers, models):
    base = models.Sequential(
        [
            layers.Input((16, 16, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(8),
            layers.UnitNormalization(),
        ],
        name="base",
    )
    a, b = layers.Input((16, 16, 1), name="a"), layers.Input((16, 16, 1), name="b")
    alike = layers.Dot(axes=1)([base(a), base(b)])
    return models.Model([a, b], layers.Dense(1, activation="sigmoid")(alike))


def image_and_table(layers, models):
    image, table = layers.Input((16, 16, 3), name="image"), layers.Input((5,), name="table")
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(8, 3, activation="relu")(image))
    x = layers.Concatenate()([x, layers.Dense(4, activation="relu")(table)])
    return models.Model([image, table], layers.Dense(1)(x))


def age_and_kind(layers, models):
    """Two heads."""
    inputs = layers.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(_twice(layers, layers.MaxPooling2D()(inputs), 8))
    age = layers.Dense(1, name="age")(x)
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    return models.Model(inputs, [age, kind])


def landmarks(layers, models):
    """Fifteen points of a face."""
    model = models.Sequential([layers.Input((32, 32, 1))])
    for filters in (8, 12):
        model.add(layers.Conv2D(filters, 3, padding="same"))
        model.add(layers.PReLU(shared_axes=[1, 2]))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(30))
    return model


def super_resolution(layers, models):
    inputs = layers.Input((None, None, 1))
    x = layers.UpSampling2D(2, interpolation="bilinear")(inputs)
    y = layers.Conv2D(8, 9, padding="same", activation="relu")(x)
    y = layers.Conv2D(4, 1, activation="relu")(y)
    return models.Model(inputs, layers.Add()([x, layers.Conv2D(1, 5, padding="same")(y)]))


# What each gives, and how that is trained: a loss, or a list of them.
LOSSES = {
    unet_upsampling: "sparse_categorical_crossentropy",
    unet_transposed: "binary_crossentropy",
    fcn: "categorical_crossentropy",
    autoencoder: "binary_crossentropy",
    denoising_autoencoder: "mse",
    dcgan_generator: "mean_absolute_error",
    dcgan_discriminator: "hinge",
    siamese: "binary_crossentropy",
    image_and_table: "huber",
    age_and_kind: ["mse", "categorical_crossentropy"],
    landmarks: "mean_squared_error",
    super_resolution: "mse",
}
