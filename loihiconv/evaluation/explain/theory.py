"""The theory of Rueckauer et al. 2016 (arXiv:1612.04052), section 2, as pure functions: what a rate owes to what is left in V.

Everything is in units of one population: rates in spikes per step, charge and potentials in units of v (one spike is
worth the threshold τ), in float64, which holds the integers of fixed-point networks exactly. The paper starts at V(0) = 0;
ours may start anywhere, so V(T) stands here as V(T) - V(0).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihiconv.conversion.exponents import mean_loss
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_coding import check_samples, host_currents, input_payloads
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import IF, Connection, Input, Integrator, MaxPool, Network, Population, Readout, Recording, assert_never


def left_over(v_end: Array, v_start: Array, threshold: float, timesteps: int) -> Array:
    """ΔV = (V(T) - V(0)) / (τ T), in spikes per step: what was received but not fired (Eq. 6, last term).

    Parameters
    ----------
    v_end, v_start : arrays
        Membrane potentials after the last step and before the first, in units of v.
    threshold : float
        τ, in units of v.
    timesteps : int
    """
    return np.asarray((np.asarray(v_end, np.float64) - v_start) / (threshold * timesteps))


def equation_5(activation: Array, overshoot: Array, steps_per_spike: Array, threshold: float) -> Array:
    """Rate r = a - ε / (n τ) of a neuron that resets to zero and is driven by a constant current (Eq. 5, rmax = 1).

    Parameters
    ----------
    activation : array
        a, the current per step as a share of the threshold.
    overshoot : array
        ε, by how much the potential exceeds the threshold whenever it does.
    steps_per_spike : array
        n, the steps from one spike to the next.
    threshold : float
    """
    return np.asarray(activation - overshoot / (steps_per_spike * threshold))


def equation_6(activation: Array, delta_v: Array) -> Array:
    """Rate r = a - ΔV of a neuron that resets by subtraction and is driven by a constant current (Eq. 6, rmax = 1)."""
    return np.asarray(activation - delta_v)


def equation_7(network: Network, rates: Mapping[str, Array], population: str, delta_v: Array, samples: Array) -> Array:
    """Rates r = Σ W r_before + b - ΔV of a layer from those that feed it (Eq. 7, rmax = 1), in spikes per step.

    Exact for neurons that reset by subtraction, whatever their input and however deep, unless a potential ran into the
    chip's 24 bits, or weights have exponents: what shifts cut off of a step's sum is known on average only.
    For the readout, which has no threshold, ΔV is not subtracted and the result is in units of v per step;
    if it lets t0 steps pass, rates are those of the steps that it integrates.

    Parameters
    ----------
    network : Network
    rates : {population: array (N, \\*shape)}
        Of all populations that feed this one; payloads per step for an analog input.
    population : str
    delta_v : array (N, \\*shape)
        `left_over` of this population.
    samples : array (N, \\*input shape)
    """
    target = network[population]
    received = drive(network, rates, population, samples)
    return received if isinstance(target, Readout) else received / tau(network, target) - delta_v


def equation_8(
    network: Network, delta_v: Mapping[str, Array], rates: Mapping[str, Array] | None = None, samples: Array | None = None
) -> dict[str, Array]:
    """Error a - r of every layer that is left-over potential, its own and that of all layers before (Eq. 8).

    E_l = ΔV_l + Σ W_l E_{l-1}. As in the paper rectification is left out: exact where all neurons are driven by positive
    currents that the largest spike can take away. With ``rates`` errors pass only through neurons whose drive is such, and max-pooling
    passes the error of the unit with the largest rate.

    Parameters
    ----------
    network : Network
    delta_v : {population: array (N, \\*shape)}
        `left_over` of every population that spikes; what is missing counts as 0.
    rates, samples : {population: array (N, \\*shape)}, array (N, \\*input shape); optional
        Of the run: `recorded_rates`.

    Returns
    -------
    {population: float64 array (N, \\*shape)}
        In spikes per step; for the readout in units of v per step.
    """
    n = len(next(iter(delta_v.values())))
    errors: dict[str, Array] = {}
    for p in network.populations:
        arrived = np.zeros((n, *p.shape))
        for connection in network.incoming(p.name):
            arrived = arrived + _passed_on(network, connection, errors[connection.source], rates)
        if isinstance(p, Integrator) and p.spiking:
            arrived = arrived / tau(network, p)
            if rates is not None and samples is not None:
                received = drive(network, rates, p.name, samples)
                arrived = np.where((received > 0) & (received < tau(network, p) * p.largest_message), arrived, 0.0)
        errors[p.name] = arrived + delta_v.get(p.name, 0.0)
    return errors


def drive(network: Network, rates: Mapping[str, Array], population: str, samples: Array) -> Array:
    """Σ W r + b: what a population receives per step, in units of v, if those that feed it send at ``rates``.

    For max-pooling, whose potentials are spikes, the largest rate of each window.
    """
    target = network[population]
    payload = input_payloads(network, check_samples(network, samples))
    match target:
        case Input():
            return payload[population].astype(np.float64)
        case MaxPool():
            (connection,) = network.incoming(population)
            return np.asarray(_windows(connection, rates[connection.source]).max(axis=-1))
        case Integrator():
            return _received(network, target, payload, rates)
        case _:
            assert_never(target)


def _received(network: Network, target: Integrator, payload: Mapping[str, Array], rates: Mapping[str, Array]) -> Array:
    """`drive` of neurons that sum what arrives."""
    currents = host_currents(network, payload)
    samples = len(next(iter(payload.values())))
    total = np.broadcast_to(currents.get(target.name, target.bias), (samples, *target.shape)).astype(np.float64)
    for connection in network.incoming(target.name):
        if not connection.on_host:
            total = total + _through(network, connection, rates[connection.source])
    return total


def analog_rates(network: Network, samples: Array) -> dict[str, Array]:
    """Rates that every population would have after infinitely many steps: the float network that this one stands for.

    a = max(0, Σ W a + b) / τ, without an upper limit but the function's own: what lies above 1 cannot be fired. In a float network
    these are the activations divided by λ; in fixed point those of the quantized weights, so that their distance to recorded rates is
    an error of time and not of precision.

    Returns
    -------
    {population: float64 array (N, \\*shape)}
        Spikes per step; payloads for an analog input, units of v per step for the readout.
    """
    rates: dict[str, Array] = {}
    for p in network.populations:
        received = drive(network, rates, p.name, samples)
        rates[p.name] = rectified(p, received / tau(network, p)) if p.spiking else received
    return rates


def rectified(population: Population, z: Array) -> Array:
    """What the float function makes of a current in thresholds per step: max(0, z), and no more than its bound."""
    bound = population.bound if isinstance(population, IF) else None
    return np.maximum(z, 0.0) if bound is None else np.clip(z, 0.0, bound)


def recorded_rates(network: Network, recording: Recording, samples: Array) -> dict[str, Array]:
    """What every population sent per step: N(T) / T, payloads for an analog input, (V(T) - V(0)) / (T - t0) for the readout."""
    rates: dict[str, Array] = {}
    for p in network.populations:
        if isinstance(p, Readout):
            rates[p.name] = (_final(recording, p.name) - start_potential(network, p)) / network.readout_steps
        elif p.spiking:
            if p.name not in recording.spike_counts:
                raise InvalidData("the recording has no spike counts", where=p.name, remedy="run with counts=True")
            rates[p.name] = recording.sent(p.name) / recording.timesteps
        else:
            rates[p.name] = input_payloads(network, check_samples(network, samples))[p.name].astype(np.float64)
    return rates


def recorded_left_over(network: Network, recording: Recording) -> dict[str, Array]:
    """ΔV of every population of integrate-and-fire neurons, from the final potentials of a recording."""
    return {
        p.name: left_over(_final(recording, p.name), start_potential(network, p), tau(network, p), recording.timesteps)
        for p in network.populations
        if p.has_potential and p.spiking
    }


def tau(network: Network, population: Population) -> float:
    """τ, what one spike takes from the membrane potential, in units of v."""
    return population.spike_charge(network.shift)


def start_potential(network: Network, population: Population) -> Array:
    """V(0), as an array (\\*shape) in units of v; 0 for what has no potential."""
    return population.start(fixed_point=network.fixed_point)


def _through(network: Network, connection: Connection, sent: Array) -> Array:
    """Σ W x in units of v of the target, less what shifts cut off on average; nothing for what the host computed from samples alone."""
    target = network[connection.target]
    if connection.on_host:
        return np.zeros((len(sent), *target.shape))
    linear = connection.map.with_weight(connection.map.weight.astype(np.float64))
    total = linear.apply(np.asarray(sent, np.float64).reshape(len(sent), *network[connection.source].shape))
    shifted = total.reshape(len(sent), *target.shape) * 2.0**connection.weight_exp - mean_loss(connection)
    return np.asarray(shifted * 2.0**network.shift)


def _windows(connection: Connection, x: Array) -> Array:
    """What each pooling window sees of rates (N, C, H, W), beyond borders 0: (N, C, H_out, W_out, kH kW)."""
    pool = connection.map
    assert isinstance(pool, Conv)  # established by Network
    top, bottom, left, right = pool.padding
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    view = np.lib.stride_tricks.sliding_window_view(padded, pool.extent, axis=(2, 3))  # type: ignore[call-overload, unused-ignore]  # stubs of numpy 1 know no tuple
    view = view[:, :, :: pool.stride[0], :: pool.stride[1], :: pool.dilation[0], :: pool.dilation[1]]
    return np.asarray(view.reshape(*view.shape[:4], -1))


def _passed_on(network: Network, connection: Connection, errors: Array, rates: Mapping[str, Array] | None) -> Array:
    """What errors of a source make of the target's, in its units of v."""
    target = network[connection.target]
    match target:
        case MaxPool():
            return _winners(network, connection, errors, rates)
        case Integrator() | Input():
            return _through(network, connection, errors)
        case _:
            assert_never(target)


def _winners(network: Network, connection: Connection, errors: Array, rates: Mapping[str, Array] | None) -> Array:
    """The error of the unit with the largest rate, for every pooling window."""
    if rates is None:
        raise InvalidData("which unit a max-pooling follows depends on the rates", where=connection.target, remedy="give them")
    errors = errors.reshape(len(errors), *network[connection.source].shape)
    first = _windows(connection, rates[connection.source]).argmax(axis=-1)
    return np.asarray(np.take_along_axis(_windows(connection, errors), first[..., None], axis=-1)[..., 0])


def _final(recording: Recording, name: str) -> Array:
    if name not in recording.residuals:
        raise InvalidData("the recording has no final potentials", where=name, remedy='run with record=["residuals"]')
    return np.asarray(recording.residuals[name], np.float64)
