"""`loihiconv.export_nir`: a network as a NIR graph, which sinabs, norse and other simulators read."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.choices import Reset
from loihiconv.core.errors import InvalidSetting, UnsupportedLayer
from loihiconv.core.files import replacing
from loihiconv.core.given import check_path
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.core.network import IF, Connection, Input, Integrator, MaxPool, Network, Readout, assert_never, check_network
from loihiconv.core.parts import described
from loihiconv.core.version import __version__
from loihiconv.exchange.nir_kernels import misread, symmetric
from loihiconv.exchange.nir_unsaid import unsaid
from loihiconv.exchange.signals import DENSE_LIMIT

_UNCHECKED = "nir.read needs type_check=False for it, as nir miscounts grouped convolutions and oblong kernels."


def export_nir(network: Network, path: str | Path) -> tuple[str, ...]:
    """Write a network as NIR: IF, Affine, Linear, Conv2d and Flatten.

    A float network takes samples and has its own units. A fixed-point one keeps its integers: weights w 2^weight_exp, thresholds, and
    biases b / 64 (they act on v, thresholds before their shift), and takes payloads. T, start potentials, resets and what else NIR
    cannot say are in the metadata of the graph and its nodes, where `loihiconv.from_nir` finds them.

    Parameters
    ----------
    network : Network
    path : path
        Customarily ``*.nir``. A file that is there is replaced.

    Returns
    -------
    tuple of str
        What NIR cannot say, one sentence each; it is in the graph's metadata, too.

    Raises
    ------
    UnsupportedLayer
        For max-pooling gates, which NIR has not, and for shapes that it cannot express.
    InvalidSetting
        If ``nir`` is not installed, or the file cannot be written.

    Warns
    -----
    UserWarning
        With these sentences.
    """
    check_network(network)
    check_path(path, "path")
    _check_one_of_each(network)
    nir = _nir()
    graph = _Writer(network, nir)
    written = graph.finished()
    buffer = io.BytesIO()
    with _nodes_in_order():
        nir.write(buffer, written)
    _without_reset(buffer, graph.subtracting)
    try:
        with replacing(path) as file:
            file.write(buffer.getvalue())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidSetting(f"cannot be written: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    warnings.warn(f"NIR cannot say all of it. {' '.join(graph.sentences)}", stacklevel=2)
    return graph.sentences


def _check_one_of_each(network: Network) -> None:
    """Refuse several inputs or outputs: readers of NIR, ours among them, take graphs of one of each."""
    if network.readout.parts:
        said, name = described(network.outputs, "outputs"), network.outputs[0].name
        raise UnsupportedLayer(
            f"the network has {said}", where="NIR", limit="one is written", remedy=f"loihiconv.only(net, {name!r}) is one"
        )
    if len(network.inputs) > 1:
        names = ", ".join(source.name for source in network.inputs)
        raise UnsupportedLayer(f"the network has {len(network.inputs)} inputs ({names})", where="NIR", limit="graphs of one are written")


def _nir() -> Any:
    try:
        import nir
    except ImportError as error:
        raise InvalidSetting("the package nir is needed to write NIR", where="export_nir", remedy='pip install "loihiconv[nir]"') from error
    return nir


@contextmanager
def _nodes_in_order() -> Iterator[None]:
    """Files that are written within keep the order of nodes, which is that of the network; nirtorch 2 gives up on many that are not."""
    import h5py

    config = h5py.get_config()
    before, config.track_order = config.track_order, True
    try:
        yield
    finally:
        config.track_order = before


def _without_reset(file: io.BytesIO, nodes: Sequence[str]) -> None:
    """Take v_reset, which is not true of them, from nodes whose neurons subtract.

    ``nir`` since 1.0.6 writes it for every IF; 1.0.4, the newest that sinabs 3.1 takes, reads no file with it.
    """
    import h5py

    with h5py.File(file, "r+") as written:
        for name in nodes:
            written["node/nodes"][name].pop("v_reset", None)


class _Writer:
    """Nodes and edges of a graph while it is put together.

    Parameters
    ----------
    network : Network
    nir : module
    """

    def __init__(self, network: Network, nir: Any) -> None:
        self.network, self.nir = network, nir
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.ends: dict[str, str] = {}
        self.subtracting: list[str] = []
        self.checked = True
        for population in network.populations:
            match population:
                case Input():
                    self._input(population)
                case IF() if population.silent:
                    raise UnsupportedLayer(
                        f"{population.silent} silent steps, which NIR cannot say",
                        where=population.name,
                        remedy="convert with silent_steps=0",
                    )
                case IF() if population.signed:
                    remedy = "convert with signed_spikes=False"
                    raise UnsupportedLayer("signed spikes, which NIR cannot say", where=population.name, remedy=remedy)
                case IF() | Readout():
                    self._neurons(population)
                case MaxPool():
                    raise UnsupportedLayer(
                        "NIR has no gates for max-pooling", where=population.name, remedy='convert with maxpool="relu-tree"'
                    )
                case _:
                    assert_never(population)
        said = unsaid(network)
        self.sentences = said if self.checked else (*said, _UNCHECKED)

    def finished(self) -> Any:
        """The graph."""
        source, readout = self.network.input, self.network.readout
        metadata = {
            "loihiconv": __version__,
            "timesteps": self.network.timesteps,
            "input_coding": "poisson" if source.coding == "poisson" else "analog",  # neurons that code rates are nodes
            "input_scale": float(source.scale),
            "fixed_point": int(self.network.fixed_point),
            "readout": readout.decision,
            "readout_delay": readout.delay,
            "notes": " ".join(self.sentences),
        }
        if self.network.fixed_point:
            metadata |= {"board": self.network.board, "input_payload_max": source.payload_max}
        try:
            graph = self.nir.NIRGraph(self.nodes, self.edges, **({} if self.checked else {"type_check": False}))
        except TypeError:  # nir 1.0.4 checks nothing, and knows no such argument
            graph = self.nir.NIRGraph(self.nodes, self.edges)
        graph.metadata = metadata
        return graph

    def _input(self, source: Input) -> None:
        name = self._add(source.name, self.nir.Input(input_type=np.array(source.shape)))
        self.ends[source.name] = name
        if source.coding == "rate":
            largest = float(source.payload_max or source.scale)
            neurons = self._add(f"{name}_rate", self._if(source.shape, largest, "subtract"))
            self.subtracting.append(neurons)
            start = source.start(fixed_point=self.network.fixed_point) * (1.0 if self.network.fixed_point else source.scale)
            self.nodes[neurons].metadata = {"reset": "subtract", "v_init": start.astype(np.float32)}
            self.edges.append((name, neurons))
            self.ends[source.name] = neurons

    def _neurons(self, population: IF | Readout) -> None:
        shape, ends = self._shape(population), []
        bias: Array | None = np.broadcast_to(population.bias, population.shape) / 2.0**self.network.shift
        for connection in sorted(self.network.incoming(population.name), key=lambda c: isinstance(c.map, Conv)):
            end, used = self._connection(connection, shape, bias)
            ends.append(end)
            bias = None if used else bias
        if bias is not None and np.any(bias):
            raise UnsupportedLayer(
                "its bias differs within channels",
                where=population.name,
                limit="NIR's Conv2d has one bias for each channel",
                remedy="train without padding before the batch norm or pooling that this comes from",
            )
        if isinstance(population, Readout):
            name = self._add("output", self.nir.Output(output_type=np.array(shape)))
        else:
            name = self._add(population.name, self._if(shape, float(population.vth), population.reset))
            self.subtracting += [name] if population.reset == "subtract" else []
            metadata: dict[str, Any] = {"reset": population.reset}
            if np.any(population.v_init):
                metadata["v_init"] = np.atleast_1d(population.v_init / 2.0**self.network.shift).astype(np.float32)
            if population.payload_max > 1:
                metadata["payload_max"] = population.payload_max
            self.nodes[name].metadata = metadata
        self.ends[population.name] = name
        self.edges += [(end, name) for end in ends]

    def _if(self, shape: Shape, threshold: float, reset: Reset) -> Any:
        full, known = np.full(shape, threshold, np.float32), "v_reset" in self.nir.IF.__dataclass_fields__
        if reset == "zero" and not known:
            remedy = 'pip install "nir>=1.0.7", or convert with reset="subtract"'
            raise InvalidSetting("this nir knows no v_reset", where="export_nir", remedy=remedy)
        return self.nir.IF(r=np.ones(shape, np.float32), v_threshold=full, **({"v_reset": np.zeros(shape, np.float32)} if known else {}))

    def _shape(self, population: Integrator) -> Shape:
        """As it is; flat where a vector leads to it, as NIR makes no image of a vector."""
        incoming, outgoing = self.network.incoming(population.name), self.network.outgoing(population.name)
        images = [c.map.output_shape(self.network[c.source].shape) for c in incoming if isinstance(c.map, Conv)]
        if len(images) == len(incoming) and all(shape == population.shape for shape in images):
            return population.shape
        if any(isinstance(c.map, Conv) for c in outgoing):
            limit = "NIR has no node that makes an image of a vector"
            raise UnsupportedLayer("a convolution takes what a dense layer gives", where=population.name, limit=limit)
        return (prod(population.shape),)

    def _connection(self, connection: Connection, shape: Shape, bias: Array | None) -> tuple[str, bool]:
        """The nodes of a connection: the name of the last, and whether it took the bias."""
        network = self.network
        source, before = network[connection.source], self.ends[connection.source]
        factor = 2.0**connection.weight_exp / (2.0**network.shift if connection.on_host else 1.0)
        if source is network.input and not source.spiking and not network.fixed_point:
            factor /= network.input.scale
        weight = np.asarray(connection.map.weight * factor, np.float32)
        alone = len(network.incoming(connection.target)) == 1
        name = f"{connection.target}_in" if alone else f"{connection.target}_from_{connection.source}"
        given = source.shape if isinstance(source, Input) else self._shape(source)  # type: ignore[arg-type]
        if not isinstance(connection.map, Conv):
            weight = _matrix(connection.map.with_weight(weight), connection.name)
            before = self._flattened(before, given)
            used = bias is not None
            node = self.nir.Affine(weight, np.asarray(bias, np.float32).reshape(-1)) if used else self.nir.Linear(weight)
            return self._join(name, before, node), used
        conv = symmetric(connection.map.with_weight(weight))
        self.checked &= not misread(conv)
        channels = _per_channel(bias, len(weight)) if bias is not None else None
        (sh, sw), (dh, dw), (ph, _, pw, _) = conv.stride, conv.dilation, conv.padding
        node = self.nir.Conv2d(
            input_shape=(given[1], given[2]),
            weight=np.ascontiguousarray(conv.weight),
            stride=(sh, sw),
            padding=(ph, pw),
            dilation=(dh, dw),
            groups=conv.groups,
            bias=np.zeros(len(weight), np.float32) if channels is None else channels,
        )
        end, output = self._join(name, before, node), connection.map.output_shape(source.shape)
        return (end if output == shape else self._flattened(end, output)), channels is not None

    def _flattened(self, before: str, shape: Shape) -> str:
        if len(shape) == 1:
            return before
        return self._join(f"{before}_flat", before, self.nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1))

    def _join(self, name: str, before: str, node: Any) -> str:
        name = self._add(name, node)
        self.edges.append((before, name))
        return name

    def _add(self, wanted: str, node: Any) -> str:
        """Add a node under a name that any reader can take for a module of PyTorch, too."""
        base = re.sub(r"[^0-9A-Za-z_]", "_", wanted) or "node"
        name = next(n for i in range(len(self.nodes) + 1) if (n := f"{base}_{i}" if i else base) not in self.nodes)
        self.nodes[name] = node
        return name


def _matrix(linear: LinearMap, where: str) -> Array:
    """Weights (out, in) of what is no convolution."""
    if isinstance(linear, Dense):
        return np.asarray(linear.weight)
    assert not isinstance(linear, Conv)  # the caller handles them
    if prod(linear.outputs) * prod(linear.inputs) > DENSE_LIMIT:
        limit = f"NIR has dense matrices alone; at most {DENSE_LIMIT} weights are written out"
        raise UnsupportedLayer(f"sparse weights, {prod(linear.outputs)} x {prod(linear.inputs)}", where=where, limit=limit)
    return np.asarray(linear.matrix.toarray(), np.float32)


def _per_channel(bias: Array, channels: int) -> Array | None:
    """A bias for each channel, or None where it differs within one."""
    rows = bias.reshape(channels, -1) if bias.size % channels == 0 else bias.reshape(1, -1)
    if len(rows) != channels or (rows != rows[:, :1]).any():
        return None
    return np.ascontiguousarray(rows[:, 0], np.float32)
