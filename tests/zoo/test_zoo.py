"""Networks of every family go in as they are, converge to what they compute in float, and run alike in the emulator and in Lava."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import loihiconv as lc
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from tests.zoo.nets import FAMILIES, made, outputs, samples

TABLE = (Path(__file__).resolve().parents[2] / "docs" / "zoo.md").read_text(encoding="utf-8")
FEW, STEPS, MANY = 8, 16, 256
pytestmark = pytest.mark.filterwarnings("ignore:calibration data", "ignore:.*no activation")  # weights are random


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_goes_in_and_converges(name: str) -> None:
    family, model = FAMILIES[name], made(name)
    found = lc.check(model, family.shape)
    assert found.ok, found.problems
    (row,) = [line for line in TABLE.splitlines() if line.startswith(f"| {name} |")]
    assert row.endswith(f"| {len(found.layers)} | {sum(layer.neurons for layer in found.layers):,} |")
    x = samples(family.shape, 64, 1)
    network = lc.convert(model, x, board="kapoho_point", timesteps=STEPS)
    assert not [s for s in lc.run(network, arrays(x, slice(4))).saturated if s.register != "hidden potentials"]
    follows(name, model, x)


def arrays(x: torch.Tensor | dict[str, torch.Tensor], which: slice) -> Any:
    """Some of the samples, in numpy."""
    return {name: values[which].numpy() for name, values in x.items()} if isinstance(x, dict) else x[which].numpy()


def follows(name: str, model: torch.nn.Module, x: torch.Tensor | dict[str, torch.Tensor]) -> None:
    """Every output of the spiking network in float goes with the model's, but for those that hardly change."""
    network = lc.convert(model, x, board=None, timesteps=MANY, percentile=100, bias_correction=False)
    recording = lc.run(network, arrays(x, slice(None, None, 4)), backend="float")
    with torch.no_grad():
        wanted = [values[::4] for values in outputs(model, x)]
    found = list(recording.outputs.values()) if isinstance(recording.outputs, dict) else [recording.outputs]
    found = found if FAMILIES[name].logits is None else [recording.logits]
    for theirs, ours in zip(wanted, found, strict=True):
        ours = ours.reshape(len(ours), -1)
        if (logits := FAMILIES[name].logits) is not None:  # known but for a number that is the same for all classes
            theirs = logits(theirs)
            theirs, ours = theirs - theirs.mean(1, keepdim=True), ours - ours.mean(1, keepdims=True)
        expected = theirs.reshape(len(theirs), -1).numpy()
        for output in np.flatnonzero(expected.std(axis=0) > expected.std(axis=0).max() / 10):
            assert np.corrcoef(ours[:, output], expected[:, output])[0, 1] > 0.99, output


@pytest.mark.slow
@pytest.mark.lava
@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("name", FAMILIES)
def test_lava_computes_every_spike_of_a_family(name: str) -> None:
    x = samples(FAMILIES[name].shape, 64, 1)
    network = lc.convert(made(name), x, board="kapoho_point", timesteps=FEW)
    some = arrays(samples(FAMILIES[name].shape, 1, 3), slice(None))
    recording = run_lava(network, some, record=["spikes"], deadline=240)
    assert mismatches(simulate(network, some, record=["spikes"]), recording) == (dict.fromkeys(recording.spikes, 0), 0)
