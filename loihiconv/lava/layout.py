"""From the project's arrays, channels first, to Lava's, (W, H, C): without Lava.

A population that is an image has in Lava the axes (W, H, C), which is the transpose of (C, H, W) with all axes
reversed; everything else is flat and the same in both. So ``.T`` of a single sample goes either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, Shape, Sparse, sparse
from loihiconv.core.network import Connection, Network, assert_never

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def lava_views(network: Network) -> dict[str, Shape]:
    """Shape (C, H, W) or (n,) under which each population is handled here.

    A flat population behind a convolution takes the convolution's output shape, as (10,) and (10, 1, 1) hold the same
    neurons in the same order; with several convolutions into it the first one decides.
    """
    views: dict[str, Shape] = {}
    for population in network.populations:
        shapes = [population.shape] + [
            c.map.output_shape(network[c.source].shape) for c in network.incoming(population.name) if isinstance(c.map, Conv)
        ]
        views[population.name] = next((s for s in shapes if len(s) == 3), (prod(population.shape),))
    return views


@dataclass(frozen=True, eq=False)
class LavaConv:
    """Arguments of Lava's ``Conv``: a true convolution with symmetric padding, all pairs (horizontal, vertical).

    Parameters
    ----------
    weight : int array (C_out, W, H, C_in / groups)
    """

    weight: Array
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True, eq=False)
class LavaDense:
    """Argument of Lava's ``Dense``: a matrix between flattened populations in Lava's order.

    Parameters
    ----------
    weight : int array (out, in)
    """

    weight: Array


@dataclass(frozen=True, eq=False)
class LavaSparse:
    """Argument of Lava's ``Sparse``: a sparse matrix between flattened populations in Lava's order.

    Parameters
    ----------
    weight : csr_matrix (out, in) of int
    """

    weight: csr_matrix


LavaMap: TypeAlias = LavaConv | LavaDense | LavaSparse


SynapseKind: TypeAlias = Literal["dense", "convolution", "sparse", "delay"]
"""Which of Lava's processes makes a connection on a chip: ``Dense``, ``Conv``, ``Sparse`` or ``DelaySparse``."""


def synapse_kind(network: Network, connection: Connection, views: dict[str, Shape]) -> SynapseKind:
    """Which process a connection becomes on a chip: Lava's ``Conv`` has no exponent, and what waits is ``DelaySparse``.

    What comes from the host waits there, so its synapses have no delay.
    """
    linear = connection.map
    if network.delay(connection) and not network.is_input(connection.source):
        return "delay"
    if isinstance(linear, Conv) and linear.output_shape(network[connection.source].shape) == views[connection.target]:
        return "sparse" if connection.weight_exp else "convolution"
    return "sparse" if isinstance(linear, Sparse) else "dense"


def lava_map(network: Network, connection: Connection, views: dict[str, Shape]) -> LavaMap:
    """What Lava's connection process needs to compute the same sums in Lava's layout."""
    linear, source, target = connection.map, network[connection.source].shape, views[connection.target]
    match linear:
        case Conv() if linear.output_shape(source) == target:
            return lava_conv(linear)
        case Conv():  # several convolutions of different shapes into one flat population
            written_out = sparse(linear, source).matrix.toarray()
            return LavaDense(_reorder(_reorder(written_out, 1, views[connection.source]), 0, target))
        case Dense():
            return LavaDense(_reorder(_reorder(linear.weight, 1, views[connection.source]), 0, target))
        case Sparse():
            return all_synapses(network, connection, views)
        case _:
            assert_never(linear)


def all_synapses(network: Network, connection: Connection, views: dict[str, Shape]) -> LavaSparse:
    """Every synapse of a connection whose weight is not zero by itself, whatever its map."""
    from scipy.sparse import csr_matrix

    linear = sparse(connection.map, network[connection.source].shape)
    source, target = views[connection.source], views[connection.target]
    rows, columns = np.argsort(_order(target))[linear.rows], np.argsort(_order(source))[linear.columns]
    weight = csr_matrix((linear.weight, (rows, columns)), shape=(prod(target), prod(source)))
    weight.eliminate_zeros()
    return LavaSparse(weight)


def lava_conv(conv: Conv) -> LavaConv:
    """The convolution for Lava.

    Unequal padding or cropping becomes a kernel with rows and columns of zeros: with P = max(before, after, 0) on both
    sides, P - before zeros in front and P - after behind leave every product and the number of outputs as they were.
    Zeros cannot be had between the gaps of a dilated kernel, so there the dilation is written out first.
    """
    weight, dilation = conv.weight, list(conv.dilation)
    padding = []
    for axis in (0, 1):
        before, after = conv.padding[2 * axis : 2 * axis + 2]
        symmetric = max(before, after, 0)
        padding.append(symmetric)
        if before == after == symmetric:
            continue
        weight = _spread(weight, axis + 2, dilation[axis])
        dilation[axis] = 1
        extra = [(0, 0)] * 4
        extra[axis + 2] = (symmetric - before, symmetric - after)
        weight = np.pad(weight, extra)
    kernel = np.ascontiguousarray(weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1))
    (sh, sw), (ph, pw), (dh, dw) = conv.stride, padding, dilation
    return LavaConv(kernel, (sw, sh), (pw, ph), (dw, dh), conv.groups)


def _spread(weight: Array, axis: int, dilation: int) -> Array:
    """The kernel with the zeros of its dilation written out along one axis."""
    shape = list(weight.shape)
    shape[axis] = (shape[axis] - 1) * dilation + 1
    spread = np.zeros(shape, weight.dtype)
    spread[(slice(None),) * axis + (slice(None, None, dilation),)] = weight
    return spread


def _reorder(weight: Array, axis: int, view: Shape) -> Array:
    """A matrix whose rows (axis 0) or columns (1) count a population channels first, in Lava's order."""
    return np.ascontiguousarray(np.take(weight, _order(view), axis=axis))


def _order(view: Shape) -> Array:
    """The neurons of a population, counted channels first, in Lava's order."""
    return np.arange(prod(view)).reshape(view).T.ravel()
