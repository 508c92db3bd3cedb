"""Networks of the sizes that placement is measured on, made of shapes alone: their weights take no memory."""

from __future__ import annotations

from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout


def ones(*shape: int) -> Array:
    return np.broadcast_to(np.float32(1), shape)


def conv(c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, padding: int | None = None) -> Conv:
    pad = kernel // 2 if padding is None else padding
    return Conv(ones(c_out, c_in // groups, kernel, kernel), (stride, stride), (pad,) * 4, groups=groups)


def chain(shape: Shape, *maps: LinearMap) -> Network:
    """Populations layer0, layer1, ... and a readout, one after the other; the host computes the first sums."""
    populations: list[Population] = [Input("input", shape)]
    connections = []
    for i, linear in enumerate(maps):
        source, last = populations[-1], i == len(maps) - 1
        name, out = "readout" if last else f"layer{i}", linear.output_shape(source.shape)
        populations.append(_readout(prod(out)) if last else _if(name, out))
        connections.append(Connection(source.name, name, linear, on_host=not i))
    return Network(tuple(populations), tuple(connections), 32)


def mnist_cnn() -> Network:
    return chain(
        (1, 28, 28), conv(1, 16, 5, 2, padding=0), conv(16, 32, 3, padding=0), conv(32, 64, 3, 2, padding=0), conv(64, 10, 4, padding=0)
    )


def mobilenet() -> Network:
    """As `benchmarks.nets.mobilenet`: its average pooling is merged into the dense layer."""
    maps: list[LinearMap] = [conv(3, 32, 3, 2)]
    for c_in, c_out, stride in ((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)):
        maps += [conv(c_in, c_in, 3, stride, groups=c_in), conv(c_in, c_out, 1)]
    return chain((3, 32, 32), *maps, Dense(ones(10, 4096)))


def vgg16() -> Network:
    """VGG16 with batch norm folded, strides for pooling, and one hidden dense layer of 512, for 32x32 pixels."""
    maps: list[LinearMap] = []
    c_in = 3
    for repeats, c_out in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for i in range(repeats):
            maps.append(conv(c_in, c_out, 3, 2 if i == repeats - 1 else 1))
            c_in = c_out
    return chain((3, 32, 32), *maps, Dense(ones(512, 512)), Dense(ones(10, 512)))


def resnet18() -> Network:
    """ResNet-18 in its variant for 32x32 pixels: residual sums are two connections into one population."""
    populations: list[Population] = [Input("input", (3, 32, 32)), _if("stem", (64, 32, 32))]
    connections = [Connection("input", "stem", conv(3, 64, 3), on_host=True)]
    previous, channels, size = "stem", 64, 32
    for stage, c_out in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            size //= stride
            inner, outer = f"block{stage}{block}a", f"block{stage}{block}b"
            populations += [_if(inner, (c_out, size, size)), _if(outer, (c_out, size, size))]
            skip = conv(channels, c_out, 1, stride) if stride > 1 else conv(c_out, c_out, 1, groups=c_out)
            connections += [
                Connection(previous, inner, conv(channels, c_out, 3, stride)),
                Connection(inner, outer, conv(c_out, c_out, 3)),
                Connection(previous, outer, skip),
            ]
            previous, channels = outer, c_out
    connections.append(Connection(previous, "readout", Dense(ones(10, 512 * size * size))))
    return Network((*populations, _readout(10)), tuple(connections), 32)


def _if(name: str, shape: Shape) -> IF:
    return IF(name, shape, 1.0, np.zeros(1), np.zeros(1))


def _readout(classes: int) -> Readout:
    return Readout("readout", (classes,), np.zeros(1), np.zeros(1))
