"""PyTorch: eager in its own layout, eager channels-last, and compiled channels-last."""

import torch
from torch import nn

from benchmarks.peers.catalogue import Model
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
