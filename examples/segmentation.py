"""A class for each pixel, by U-Net: which pixels of drawn images belong to a shape."""

import numpy as np

from numba_cnn import models, set_random_seed


def draw(count, rng):
    """Images with a bright disk, and masks that say where it is."""
    rows, columns = np.mgrid[:32, :32]
    x = rng.uniform(0, 0.5, (count, 32, 32, 3)).astype(np.float32)
    masks = np.zeros((count, 32, 32), np.int32)
    for i, (row, column, radius) in enumerate(rng.uniform((8, 8, 4), (24, 24, 9), (count, 3))):
        masks[i] = np.hypot(rows - row, columns - column) < radius
        x[i] += 0.4 * masks[i, ..., None]
    return x, masks


def main(epochs=6):
    set_random_seed(0)
    rng = np.random.default_rng(0)
    (x, masks), (x_test, masks_test) = draw(64, rng), draw(16, rng)
    model = models.unet((32, 32, 3), 2)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, masks, epochs=int(epochs), batch_size=8, verbose=0)
    called = model.predict(x_test, verbose=0).argmax(-1)
    both, either = (called & masks_test).sum(), (called | masks_test).sum()
    print(
        f"{(called == masks_test).mean():.2f} of the pixels are right; overlap of disks {both / either:.2f}"
    )


if __name__ == "__main__":
    main()
