"""PyTorch: eager in its own layout, eager channels-last, and compiled channels-last."""

import torch
from torch import nn

from benchmarks.peers.catalogue import Convolution, Model
from benchmarks.peers.network import channels_first


def build(name, weights, threads):
    torch.set_num_threads(threads)
    layout = torch.contiguous_format if name == "pytorch" else torch.channels_last
    model = _network(weights).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=1e-7, fused=True)
    network = torch.compile(model) if name == "pytorch_compiled" else model

    def images(x):
        return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)

    def predict(x):
        with torch.inference_mode():
            return torch.softmax(network(x), 1).numpy()

    def train(x, labels):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(x), torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        return loss.item()

    return Model(torch.__version__, images, predict, train)


def _network(weights):
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(9216, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    parameters = [parameter for layer in model for parameter in layer.parameters()]
    with torch.no_grad():
        for parameter, weight in zip(parameters, map(channels_first, weights), strict=True):
            parameter.copy_(torch.from_numpy(weight.T if weight.ndim == 2 else weight))
    return model


def convolution(x, weight, bias, dy, stride, padding, groups, threads):
    """Channels last, as oneDNN likes it best."""
    torch.set_num_threads(threads)
    x, dy = (torch.from_numpy(array).permute(0, 3, 1, 2) for array in (x, dy))  # channels last
    weight = torch.from_numpy(channels_first(weight)).contiguous(memory_format=torch.channels_last)
    bias = torch.from_numpy(bias)

    def forward():
        return nn.functional.conv2d(x, weight, bias, stride, padding, 1, groups)

    def backward(*wanted):
        strides, pads = [stride] * 2, [padding] * 2
        return torch.ops.aten.convolution_backward(
            dy, x, weight, [len(bias)], strides, pads, [1, 1], False, [0, 0], groups, wanted
        )

    def image(tensor):
        return tensor.permute(0, 2, 3, 1).numpy()

    def back(tensor):
        """A result as this library has it: an image, or a gradient of weights (F, C, KH, KW)."""
        shaped = tensor.shape == weight.shape
        return tensor.permute(2, 3, 1, 0).numpy() if shaped else image(tensor)

    return Convolution(
        torch.__version__,
        forward,
        lambda: backward(True, False, False)[0],
        lambda: backward(False, True, True)[1],
        back,
    )
