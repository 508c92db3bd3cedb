"""Assertions and fixtures for tests of your own networks: ``pytest_plugins = ["loihiconv.testing"]``, or import what you need.

    def test_deployed_network(lava):
        net = loihiconv.load("lenet.lnet")
        assert_same_spikes(net, x_test[:5])
        assert_loss(model, net, (x_test, y_test), points=0.5)
        assert_fits(net)

What needs Lava is skipped, with the reason, where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loihiconv.core.network import Network
    from loihiconv.core.samples import Samples

__all__ = ["assert_fits", "assert_loss", "assert_repeatable", "assert_same_network", "assert_same_spikes", "lava"]


@pytest.fixture(scope="session")
def lava() -> str:
    """The interpreter that runs Lava; a test that asks for it is skipped where there is none."""
    return _lava()


def assert_same_spikes(net: Network, x: Samples, backends: tuple[str, str] = ("emulator", "lava")) -> None:
    """Fail unless two back ends agree on every spike of every population, and on every potential of the readout.

    Parameters
    ----------
    net : Network
        Fixed point.
    x : as `loihiconv.run` takes it
    backends : pair of str
        With "lava" among them, the test is skipped where there is no Lava.
    """
    from loihiconv.backends.run import run
    from loihiconv.evaluation.compare import mismatches

    __tracebackhide__ = True
    if "lava" in backends:
        _lava()
    first, second = (run(net, x, backend, record=["spikes"]) for backend in backends)
    spikes, potentials = mismatches(first, second)
    where = [f"{name}: {count:,} spikes" for name, count in spikes.items() if count]
    where += [f"readout: {potentials:,} potentials"] if potentials else []
    if where:
        pytest.fail(f"{backends[0]} and {backends[1]} differ on {len(first)} samples: {', '.join(where)}")


def assert_loss(model: Any, net: Network, test_set: Samples, points: float, **options: Any) -> None:
    """Fail if the network loses more than so many points of accuracy (per cent of the metric's unit for other tasks) in the emulator.

    Parameters
    ----------
    model, net, test_set
        As `loihiconv.compare` takes them.
    points : float
    **options
        Others of `loihiconv.verify`, such as ``task`` and ``samples``.
    """
    __tracebackhide__ = True
    _require("accuracy", model, net, test_set, max_loss=points, lava_samples=0, **options)


def assert_repeatable(model: Any, net: Network, calibration: Samples) -> None:
    """Fail unless the same conversion, made again, gives the same integers; the message names the first layers that differ."""
    from loihiconv.evaluation.verify import converted_again

    __tracebackhide__ = True
    assert_same_network(net, converted_again(model, net, calibration))


def assert_same_network(before: Network, after: Network) -> None:
    """Fail unless two networks are equal in every number that runs; the message names the first layers that differ."""
    from loihiconv.core.drift import diff

    __tracebackhide__ = True
    found = diff(before, after)
    if not found.same:
        pytest.fail("; ".join(f"{c.where} {c.what}: {c.how}" for c in found.changes[:5]))


def assert_fits(net: Network, board: Any = None) -> None:
    """Fail unless the network fits a board: by default that which it was converted for."""
    from loihiconv.hardware.place import place

    __tracebackhide__ = True
    placement = place(net, board)
    if not placement.fits:
        pytest.fail("; ".join(str(violation) for violation in placement.violations if violation.certain))


def _require(name: str, *arguments: Any, **options: Any) -> None:
    from loihiconv.evaluation.verify import verify

    __tracebackhide__ = True
    found = next(r for r in verify(*arguments, **options).requirements if r.name == name)
    if not found.holds:
        pytest.fail(found.detail)


def _lava() -> str:
    from loihiconv.core.errors import BackendUnavailable
    from loihiconv.lava.interpreter import find_python

    try:
        return find_python()
    except BackendUnavailable as error:
        pytest.skip(str(error))
