"""The kernels on NumPy arrays, without layers: a blur, the edges of an image, and a step of learning by hand."""

import numpy as np

import numba_cnn as nc


def main():
    (x, _), _ = nc.datasets.shapes(n=20)
    grey = x[:4].mean(-1, keepdims=True)
    blur = np.full((5, 5, 1, 1), 1 / 25, np.float32)
    soft = nc.ops.conv2d(grey, blur, padding="same")
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32).reshape(3, 3, 1, 1)
    across, down = (
        nc.ops.conv2d(soft, one, padding="same")
        for one in (sobel, sobel.transpose(1, 0, 2, 3).copy())
    )
    edges = np.hypot(across, down)
    print(f"edges of {edges.shape[1:3]} pixels, the strongest {edges.max():.2f}")

    # A filter that learns to be the blur: the gradient of a squared error, followed downhill.
    weight = np.zeros_like(blur)
    for _ in range(200):
        y = nc.ops.conv2d(grey, weight, padding="same")
        dy = 2 * (y - soft) / y.size
        _, dweight, _ = nc.ops.conv2d_backward(dy, grey, weight, padding="same", need_dx=False)
        weight -= 0.1 * dweight
    error = float(((nc.ops.conv2d(grey, weight, padding="same") - soft) ** 2).mean())
    print(
        f"squared error of the learned blur {error:.5f}, of nothing {float((soft**2).mean()):.3f}"
    )


if __name__ == "__main__":
    main()
