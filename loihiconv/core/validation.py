"""The one validator: every rule that numbers and structure of a network have to keep, so that all back ends can run it.

Structure that no `Network` can lack (ends, names, shapes of connections, what each kind of population takes) is checked where one is made.
What else Lava's builder, the emulator and a chip need is here, one small function per rule, and whoever depends on a rule calls its
function. What depends on a board is in `loihiconv.hardware.limits`; `loihiconv.hardware.validation.validate` has both.

Only three things are left to a run, as they depend on samples: currents from the host beyond the chip's biases, and potentials that reach
the ends of their registers, saturate everywhere alike and are counted (`loihiconv.core.recording.Saturation`); a register that a
realization's own neurons need beside v is checked by `loihiconv.backends.register_check`.
"""

from __future__ import annotations

from collections import defaultdict
from math import isfinite, prod

import numpy as np

from loihiconv.core.bounds import worst_cases
from loihiconv.core.choices import PAYLOAD_LIMIT, SEED_LIMIT
from loihiconv.core.errors import InvalidData, InvalidModel, InvalidSetting, LimitExceeded
from loihiconv.core.fixed_point import BIAS_EXPONENT_MAX, BIAS_MANTISSA_BITS, BIAS_MAX, join_bias, round_weights, split_bias
from loihiconv.core.linear import Array
from loihiconv.core.network import SUM_LIMIT, V_MAX, Connection, Input, Integrator, Network, PopulationBase, check_network

VTH_LIMIT = 2**17
"""Thresholds are below this: 17 bits, which the shift by 6 makes 23."""
WEIGHT_EXPONENTS = (-8, 0)
"""Smallest and largest ``weight_exp`` of a sum on the chip."""
HOST_EXPONENTS = (-64, 19)
"""The same of sums on the host; beyond 2^19 a sum of 1 would be more than any bias holds."""
EXACT_FLOAT32 = 2**24
"""All integers up to here are float32 numbers, in which the emulator adds up some connections."""
EXACT_FLOAT64 = 2**53
"""The same of float64, in which the host adds up."""
AGAIN = "convert again"


def validate(network: Network) -> None:
    """Raise an error for the first rule that a network breaks, its float origin's included.

    Parameters
    ----------
    network : Network
        Float or fixed point. Of a float one, numbers must be finite and of the right shapes, thresholds and scales positive.

    Raises
    ------
    InvalidModel
        If numbers are not finite, of the wrong type or shape, or if parts of the network do not belong together.
    LimitExceeded
        If a number lies outside of the range that the chip has for it.
    """
    check_network(network)
    if network.timesteps < 1:
        raise InvalidModel(f"T = {network.timesteps} time steps", where="timesteps", limit="at least 1 expected")
    for connection in network.connections:
        _check_numbers(network, connection)
    for population in network.populations:
        check_shape(population)
    for source in network.inputs:
        check_input(network, source)
    check_seeds(network)
    for population in network.layers:
        if isinstance(population, Integrator):
            _check_state(network, population)
    check_unit(network)
    if network.fixed_point:
        _check_fixed_point(network)
    if network.origin is not None:
        validate(network.origin)


def _check_fixed_point(network: Network) -> None:
    for connection in network.connections:
        check_exponent(network, connection)
        if connection.on_host:
            check_host_connection(network, connection)
        else:
            check_weights(connection)
    for population in network.layers:
        check_exact_sums(network, population)
        if isinstance(population, Integrator):
            check_start(population, network.timesteps)
            if population.spiking:
                check_threshold(population)
            if not driven_by_host(network, population.name):
                check_biases(population)
    check_sums(network)
    check_joined(network)


def driven_by_host(network: Network, population: str) -> bool:
    """Whether the host computes a population's biases for each sample, so that its own need not be what the chip can hold."""
    return any(c.on_host for c in network.incoming(population))


# Numbers and shapes, float or fixed point.


def _check_numbers(network: Network, connection: Connection) -> None:
    _check_array(network, connection.map.weight, connection.name, "weights")


def _check_state(network: Network, population: Integrator) -> None:
    for what, values in (("v_init", population.v_init), ("biases", population.bias)):
        _check_array(network, values, population.name, what)
        try:
            np.broadcast_to(values, population.shape)
        except ValueError as error:
            limit = f"the population's shape {population.shape} expected, or one that broadcasts to it"
            raise InvalidModel(f"{what} of shape {np.shape(values)}", where=population.name, limit=limit) from error


def _check_array(network: Network, values: Array, where: str, what: str) -> None:
    if not isinstance(values, np.ndarray):  # a scalar computes as an array of no dimensions does, but no file holds it
        raise InvalidModel(f"{what} of type {type(values).__name__}", where=where, limit="an array expected")
    kind = values.dtype
    if network.fixed_point:
        if kind not in (np.int32, np.int64):
            raise InvalidModel(f"{what} of type {kind}", where=where, limit="int32 expected in a fixed-point network", remedy=AGAIN)
        return
    if kind.kind not in "fiu":
        raise InvalidModel(f"{what} of type {kind}", where=where, limit="numbers expected")
    if not np.isfinite(values).all():
        raise InvalidModel(f"{what} hold NaN or infinity", where=where, limit="finite numbers expected", remedy="train the network again")


def check_shape(population: PopulationBase) -> None:
    """(n,) or (C, H, W), with at least one neuron."""
    if len(population.shape) not in (1, 3) or min(population.shape) < 1:
        raise InvalidModel(f"shape {population.shape}", where=population.name, limit="(n,) or (C, H, W) expected, none of them 0")


def _check_preprocessing(source: Input) -> None:
    if source.preprocessing is None:
        return
    try:
        source.preprocessing.apply(np.zeros((1, *source.sample_shape), np.float32))
    except (InvalidSetting, InvalidData) as error:
        raise InvalidModel(f"its preprocessing does not fit samples: {error.what}", where=source.name, limit=error.limit) from error


def check_input(network: Network, source: Input) -> None:
    """What samples are divided by, how large payloads are, and which codings have signs."""
    if not (isfinite(source.scale) and source.scale > 0):
        raise InvalidModel(f"a scale of {source.scale}", where=source.name, limit="a number above 0 expected")
    if not int(network.fixed_point) <= source.payload_max <= PAYLOAD_LIMIT:
        limit = f"1 to {PAYLOAD_LIMIT} expected in fixed point"
        raise InvalidModel(f"payloads of up to {source.payload_max}", where=source.name, limit=limit)
    if source.signed and source.spiking:
        raise InvalidModel(
            f"signed values in {source.coding} coding", where=source.name, limit="spikes have no sign", remedy='use input_coding="analog"'
        )
    if source.bias_plane and source.shape[0] < 2:
        raise InvalidModel("a bias plane and no channel of the samples' own", where=source.name, limit="at least 2 channels expected")
    if source.given and prod(source.given) != prod(source.values_shape):
        raise InvalidModel(f"samples of shape {source.given}", where=source.name, limit=f"{prod(source.values_shape)} values expected")
    if source.order is not None and not np.array_equal(np.sort(source.order), np.arange(prod(source.values_shape))):
        raise InvalidModel("an order that leaves values out", where=source.name, limit="every value of a sample once")
    _check_preprocessing(source)


def check_seeds(network: Network) -> None:
    """64 bits."""
    for name, seed in (*((source.name, source.seed) for source in network.inputs), (network.readout.name, network.readout.seed)):
        if not 0 <= seed < SEED_LIMIT:
            raise InvalidModel(f"seed {seed}", where=name, limit="0 to 2^64 - 1 expected")


def check_unit(network: Network) -> None:
    """Thresholds and the readout's scale are finite and above 0, and so is the rate of a softmax, at most 1."""
    for population in network.layers:
        if isinstance(population, Integrator) and not (isfinite(unit := population.unit(0)) and unit > 0):
            what = "vth" if population.spiking else "a scale"
            raise InvalidModel(f"{what} of {unit:g}", where=population.name, limit="a number above 0 expected")
    for part in network.readout.parts:
        if not (isfinite(part.scale) and part.scale > 0):
            raise InvalidModel(f"a scale of {part.scale:g}", where=f"output {part.name}", limit="a number above 0 expected")
    if not 0 < network.readout.rate <= 1:
        raise InvalidModel(f"a rate of {network.readout.rate}", where=network.readout.name, limit="above 0, and at most 1, expected")


# The chip's integers.


def check_weights(connection: Connection) -> None:
    """Eight bits: Lava's ``Dense`` clips weights and makes mixed signs even without a word; its ``Conv`` takes anything."""
    weight = connection.map.weight
    wrong = round_weights(weight) != weight
    if wrong.any():
        raise LimitExceeded(
            f"a weight of {weight[wrong][0]}",
            where=connection.name,
            limit="even numbers within +-254, or with one sign integers up to 255, expected",
            remedy=AGAIN,
        )


def check_exponent(network: Network, connection: Connection) -> None:
    """Exponents of sums on the chip shift them right; where nothing is summed there is none."""
    sums = isinstance(network[connection.target], Integrator)
    low, high = (0, 0) if not sums else HOST_EXPONENTS if connection.on_host else WEIGHT_EXPONENTS
    if not low <= connection.weight_exp <= high:
        limit = f"{low} to {high} expected" if low < high else "0 expected"
        raise LimitExceeded(f"weight_exp = {connection.weight_exp}", where=connection.name, limit=limit, remedy=AGAIN)


def check_host_connection(network: Network, connection: Connection) -> None:
    """The host computes sums of what enters the network as values, exactly."""
    source = network[connection.source]
    if not isinstance(source, Input) or source.spiking or not isinstance(network[connection.target], Integrator):
        limit = "only sums of an analog input's payloads, into what integrates, expected"
        raise InvalidModel("the host cannot compute this sum", where=connection.name, limit=limit)
    if (largest := unshifted_sum(connection, source)) >= EXACT_FLOAT64:
        raise LimitExceeded(f"a sum of |weight x payload| can reach {largest}", where=connection.name, limit="below 2^53 for exact sums")


def exact_sum(network: Network, connection: Connection) -> int:
    """What no sum of |weight x message| of a connection exceeds, before any shift; float32 must hold it exactly."""
    largest = unshifted_sum(connection, network[connection.source])
    if largest >= EXACT_FLOAT32:
        raise LimitExceeded(
            f"the sum of |weight x payload| can reach {largest}",
            where=connection.name,
            limit=f"below 2^24 = {EXACT_FLOAT32} for exact sums",
            remedy="scale the weights down",
        )
    return largest


def check_exact_sums(network: Network, population: PopulationBase) -> None:
    """The emulator adds up exactly: sums over one connection and over all into a population."""
    if not isinstance(population, Integrator):
        return
    total = sum(exact_sum(network, c) for c in network.incoming(population.name) if not c.on_host)
    if total >= EXACT_FLOAT32:
        raise LimitExceeded(
            f"the sum of |weight x payload| over all connections can reach {total}",
            where=population.name,
            limit=f"below 2^24 = {EXACT_FLOAT32} for exact sums",
            remedy="scale the weights down",
        )


def unshifted_sum(connection: Connection, source: PopulationBase) -> int:
    """What no sum of |weight x message| exceeds, before any shift."""
    weight = np.abs(connection.map.weight.astype(np.int64))
    return int(connection.map.row_sums(weight).max()) * source.largest_message


def check_sums(network: Network) -> None:
    """In the worst case no sum, after its shift, reaches 2^17, where u would wrap."""
    for name, worst in worst_cases(network).items():
        if worst.sum >= SUM_LIMIT and (largest := _worst_sum_inside(network, name)) >= SUM_LIMIT:
            raise LimitExceeded(
                f"the sum of weight x payload can reach {largest:.0f}",
                where=name,
                limit=f"below 2^17 = {SUM_LIMIT}",
                remedy="use smaller weights or fewer inputs per neuron",
            )


def _worst_sum_inside(network: Network, population: str) -> float:
    """Largest sum in the worst case, for which `worst_cases` takes whole kernels where windows reach beyond small images.

    Shifts round towards minus infinity, as the chip's do.
    """
    highest: Array = np.zeros(1)
    lowest: Array = np.zeros(1)
    for connection in network.incoming(population):
        if connection.on_host:
            continue
        source, weight = network[connection.source], connection.map.weight.astype(np.float64)
        most = np.full((1, *source.shape), float(source.largest_message))
        least = np.full((1, *source.shape), float(source.smallest_message))
        rising, falling = (connection.map.with_weight(part) for part in (np.maximum(weight, 0), np.minimum(weight, 0)))
        shift = 2.0**connection.weight_exp
        highest = highest + np.floor((rising.apply(most) + falling.apply(least)).ravel() * shift)
        lowest = lowest + np.floor((rising.apply(least) + falling.apply(most)).ravel() * shift)
    return float(max(highest.max(), -lowest.min()))


def check_threshold(population: Integrator) -> None:
    """17 bits."""
    vth = population.unit(0)
    if not 0 < vth < VTH_LIMIT or vth != int(vth):
        limit = f"a whole number from 1 to {VTH_LIMIT - 1} expected"
        raise LimitExceeded(f"vth = {vth:g}", where=population.name, limit=limit, remedy=AGAIN)


def check_start(population: Integrator, timesteps: int) -> None:
    """24 bits; where there are silent steps, with the biases of all T steps."""
    check_register(population.v_init, population.name, "v_init")
    if population.silent_steps:
        charged = np.asarray(population.v_init, np.int64) + timesteps * np.asarray(population.bias, np.int64)
        check_register(charged, population.name, "v_init + T bias")


def check_register(values: Array, where: str, what: str) -> None:
    """Potentials, and whatever is added to them, have 24 bits."""
    if (largest := int(np.abs(np.asarray(values, np.int64)).max(initial=0))) > V_MAX:
        raise LimitExceeded(f"{what} of magnitude {largest}", where=where, limit=f"at most 2^23 - 1 = {V_MAX} expected", remedy=AGAIN)


def check_biases(population: Integrator) -> None:
    """Every bias is mantissa * 2^exponent."""
    split_exactly(population.bias, population.name)


def split_exactly(bias: Array, where: str) -> tuple[Array, Array]:
    """Mantissa and exponent of biases, or `LimitExceeded` if one would be rounded."""
    mantissa, exponent = split_bias(np.clip(bias, -BIAS_MAX, BIAS_MAX))
    wrong = join_bias(mantissa, exponent) != bias
    if wrong.any():
        raise LimitExceeded(
            f"a bias of {np.asarray(bias)[wrong][0]}",
            where=where,
            limit=f"mantissa ({BIAS_MANTISSA_BITS} bits) * 2^exponent (0 to {BIAS_EXPONENT_MAX}), at most {BIAS_MAX}, expected",
            remedy=AGAIN,
        )
    return mantissa, exponent


def check_joined(network: Network) -> None:
    """Every population is joined to the readout by what the chip computes: Lava runs only what is connected.

    Inputs do not join: on the way to a chip each of its connections gets a source of its own.
    """
    near: defaultdict[str, set[str]] = defaultdict(set)
    for connection in network.connections:
        if not network.is_input(connection.source):
            near[connection.source].add(connection.target)
            near[connection.target].add(connection.source)
    reached, edge = {network.readout.name}, [network.readout.name]
    while edge:
        new = near[edge.pop()] - reached
        reached |= new
        edge += new
    for source in network.inputs:
        if source.spiking and not network.outgoing(source.name):
            raise InvalidModel("sends spikes that nothing takes", where=source.name, remedy='give it coding="analog", or remove it')
    for population in network.layers:
        if population.name not in reached:
            raise InvalidModel("has no way to the readout, not even backwards", where=population.name, remedy="remove it")
