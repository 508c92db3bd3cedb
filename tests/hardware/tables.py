"""Tables that Intel's compiler printed into lava-dl's notebooks (0.6.0, tutorials/lava/lib/dl/netx), and the networks that they are of.

Of a network's weights only the smallest and the largest count, which are those of the files beside the notebooks. Rows are in the order of
the network: a convolution's has the neurons and words of its fullest core, a dense layer's the mean over its cores, rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout


@dataclass(frozen=True)
class Row:
    """One layer: its map, and what was printed, a tile as (W, H, C). None is what the rule gives otherwise, or was not printed."""

    linear: LinearMap
    cores: int
    neurons: int | None = None
    words: int | None = None
    tile: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Table:
    """One network; ``words_per_core`` is the compiler's own limit then."""

    shape: Shape
    rows: tuple[Row, ...]
    cores: int
    words_per_core: int = 12000


def weights(shape: tuple[int, ...], lowest: int, highest: int) -> Array:
    found = np.zeros(shape, np.int16)
    found.flat[0], found.flat[-1] = lowest, highest
    return found


def conv(c_in: int, c_out: int, extent: tuple[int, int], kernel: int = 3, stride: tuple[int, int] = (2, 2), pad: tuple[int, int] = (0, 0)):
    """Stride and padding of (rows, columns)."""
    return Conv(weights((c_out, c_in, kernel, kernel), *extent), stride, (pad[0], pad[0], pad[1], pad[1]))


def dense(c_in: int, c_out: int, extent: tuple[int, int]) -> Dense:
    return Dense(weights((c_out, c_in), *extent) if c_in * c_out > 1 else np.array([[extent[1]]]))


def _pilotnet(ranges: tuple[tuple[int, int], ...], words_of_fourth: int, words_of_second_dense: int) -> Table:
    a, b, c, d, e, f, g, h, i = ranges
    return Table(
        (3, 66, 200),
        (
            Row(conv(3, 24, a), 25, 3072, 81, (4, 32, 24)),
            Row(conv(24, 36, b), 13, 2160, 864, (4, 15, 36)),
            Row(conv(36, 48, c), 3, 2688, 1620, (8, 7, 48)),
            Row(conv(48, 64, d, stride=(2, 1), pad=(1, 0)), 3, 2048, words_of_fourth, (8, 4, 64)),
            Row(conv(64, 64, e, stride=(1, 1)), 2, 2048, 2880, (16, 2, 64)),
            Row(dense(2560, 100, f), 12, 8, 7253),
            Row(dense(100, 50, g), 1, 50, words_of_second_dense),
            Row(dense(50, 10, h), 1, 10, 150),
            Row(dense(10, 1, i), 1, 1, 10),
        ),
        61,
    )


PILOTNET_SDNN = _pilotnet(
    ((-30, 34), (-22, 20), (-16, 14), (-14, 16), (-14, 10), (-10, 12), (-36, 14), (-12, 16), (-12, 10)),
    words_of_fourth=2592,
    words_of_second_dense=1500,
)
PILOTNET_SNN = _pilotnet(
    ((-20, 18), (-12, 10), (-10, 8), (-8, 8), (-8, 8), (-6, 6), (-14, 10), (-24, 20), (-24, 42)),
    words_of_fourth=2160,
    words_of_second_dense=1300,
)
"""The notebook's table has one row more, of the input as neurons of its own: 13 cores, 3,168 neurons, no words."""
OXFORD = Table((200,), (Row(dense(200, 256, (-178, 192)), 3, 85), Row(dense(256, 200, (-98, 124)), 2, 100)), 5)
"""Printed words: 5,400 and 8,064."""
MNIST = Table(
    (784,),
    (Row(dense(784, 128, (-98, 130)), 3), Row(dense(128, 64, (-166, 254)), 1, 64, 2688), Row(dense(64, 10, (-88, 254)), 1, 10, 256)),
    5,
    16000,
)
"""Printed in percent. Of the first layer 50 neurons with 12,544 words, where the rule makes three equal parts."""
_YOLO = ((3, 16, 3, 2, 224), (16, 32, 3, 2, 112), (32, 64, 3, 2, 56), (64, 128, 3, 2, 28), (128, 256, 3, 1, 56), (256, 256, 3, 2, 16))
_YOLO_END = ((256, 512, 3, 1, 32), (512, 256, 1, 1, 14), (256, 512, 3, 1, 32), (512, 48, 1, 1, 4))
_TILES = ((8, 28, 16), (8, 14, 32), (4, 14, 64), (4, 7, 128), (4, 7, 128), (8, 7, 64), (8, 7, 64), (2, 7, 256), (8, 7, 64), (4, 14, 48))
YOLO = Table(
    (3, 448, 448),
    tuple(
        Row(conv(c_in, c_out, (-30, 30), kernel, (stride, stride), (kernel // 2, kernel // 2)), cores, prod(tile), None, tile)
        for (c_in, c_out, kernel, stride, cores), tile in zip((*_YOLO, *_YOLO_END), _TILES, strict=True)
    ),
    574,
    16000,
)
"""Its weights were not at hand, so its words are not compared; these take 6 bits."""
TABLES = {"PilotNet SDNN": PILOTNET_SDNN, "PilotNet SNN": PILOTNET_SNN, "Oxford": OXFORD, "MNIST": MNIST, "YOLO-KP": YOLO}


def network(table: Table, coding: str = "analog") -> Network:
    """The network of a table; with the coding "rate" its input is neurons."""
    zero = np.array([0])
    populations: list[Population] = [Input("input", table.shape, coding, payload_max=255)]  # type: ignore[arg-type]
    connections = []
    for i, row in enumerate(table.rows):
        source, last = populations[-1], i == len(table.rows) - 1
        out = row.linear.output_shape(source.shape)
        name = "readout" if last else f"layer{i}"
        populations.append(Readout(name, (int(np.prod(out)),), zero, zero) if last else IF(name, out, 64, zero, zero))
        connections.append(Connection(source.name, name, row.linear))
    return Network(tuple(populations), tuple(connections), 16, fixed_point=True, board="kapoho_point")
