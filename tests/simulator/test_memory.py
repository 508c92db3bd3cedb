"""Memory: what a budget may be, how runs are cut to keep to it, and that they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout
from loihiconv.simulator import memory, results, simulate

CPU = torch.device("cpu")
VGG16 = (64, 64, "P", 128, 128, "P", 256, 256, 256, "P", 512, 512, 512, "P", 512, 512, 512, "P")


def vgg16(timesteps: int) -> Network:
    """A VGG16-size network for 32x32x3: thirteen 3x3 convolutions, strided instead of pooled, three dense layers; random weights."""
    rng, zero = np.random.default_rng(0), np.zeros(1, np.int32)
    populations: list[Population] = [Input("input", (3, 32, 32), payload_max=255, scale=255.0)]
    connections: list[Connection] = []

    def add(linear: Conv | Dense, *, last: bool = False) -> None:
        source, name = populations[-1], "readout" if last else f"layer{len(populations)}"
        shape = linear.output_shape(source.shape)
        populations.append(Readout(name, shape, zero, zero) if last else IF(name, shape, 500, zero, zero))
        connections.append(Connection(source.name, name, linear))

    def even(*shape: int) -> np.ndarray:
        return (2 * rng.integers(-20, 21, shape)).astype(np.int32)

    stride = 1
    for width in VGG16:
        if width == "P":
            stride = 2
            continue
        add(Conv(even(int(width), populations[-1].shape[0], 3, 3), (stride, stride), (1, 1, 1, 1)))
        stride = 1
    for width in (512, 512, 10):
        add(Dense(even(width, int(np.prod(populations[-1].shape)))), last=width == 10)
    return Network(tuple(populations), tuple(connections), timesteps, fixed_point=True)


def test_budget_is_option_then_environment_then_a_quarter_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda device: 4000)
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    assert memory.budget(None, CPU) == 1000
    monkeypatch.setenv(memory.VARIABLE, "1.5G")
    assert memory.budget(None, CPU) == 3 * 2**29
    assert memory.budget("512 MiB", CPU) == 2**29
    assert memory.budget(77, CPU) == 77
    for wrong in ("lots", "-1", "0", 0, "4X"):
        with pytest.raises(InvalidSetting, match="a number of bytes expected"):
            memory.budget(wrong, CPU)


def test_free_memory_is_a_number_of_bytes() -> None:
    assert 2**20 < memory.available(CPU) < 2**50


@given(st.integers(1, 10**6), st.integers(1, 2**36), st.integers(1, 64), st.integers(1, 300))
def test_plan_covers_everything_within_the_budget(samples: int, budget: int, workers: int, timesteps: int) -> None:
    network = _chain(timesteps)
    blocks = memory.plan(network, samples, memory=budget, workers=workers)
    assert 1 <= blocks.samples <= samples
    assert 1 <= blocks.steps <= timesteps
    used = blocks.samples * (memory.spike_bytes(network) * blocks.steps + memory.state_bytes(network))
    smallest = blocks.samples == blocks.steps == 1
    assert smallest or used + 2 * memory.BLOCK_BYTES <= budget // workers or blocks.samples == 1


def _chain(timesteps: int) -> Network:
    zero = np.zeros(1, np.int32)
    populations = (Input("i", (4, 32, 32), payload_max=1), IF("a", (4, 32, 32), 1, zero, zero), Readout("r", (2,), zero, zero))
    one = Conv(np.ones((4, 1, 1, 1), np.int32), groups=4)
    return Network(populations, (Connection("i", "a", one), Connection("a", "r", Dense(np.ones((2, 4096), np.int32)))), timesteps, True)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 3000))
def test_pieces_cover_each_row_once_and_keep_to_their_size(samples: int, steps: int, rows: int) -> None:
    seen = np.zeros((samples, steps), int)
    for a, b in memory.pieces(samples, steps, rows):
        seen[a, b] += 1
        assert seen[a, b].size <= max(1, rows)
        assert a == slice(a.start, a.start + 1) or b == slice(0, steps)  # contiguous
    assert (seen == 1).all()


def test_records_that_cannot_fit_are_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "available", lambda device: 100_000)
    network = _chain(8)
    x = np.ones((100, 4, 32, 32))
    with pytest.raises(InvalidSetting, match=r"the records of 100 samples take .* counts=False"):
        simulate(network, x)
    assert len(simulate(network, x, counts=False)) == 100


def test_a_tiny_budget_changes_nothing_but_time() -> None:
    network = _chain(9)
    x = np.random.default_rng(0).random((7, 4, 32, 32))
    whole, cut = simulate(network, x, record=["spikes"]), simulate(network, x, record=["spikes"], memory=1)
    np.testing.assert_array_equal(cut.spikes["a"], whole.spikes["a"])
    np.testing.assert_array_equal(cut.potentials, whole.potentials)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory from /proc")
def test_vgg16_stays_under_4_gib(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import numpy as np\n"
        "from loihiconv.simulator import simulate\n"
        "from tests.simulator.test_memory import vgg16\n"
        "x = np.random.default_rng(0).integers(0, 256, (24, 3, 32, 32)).astype(np.float32)\n"
        "r = simulate(vgg16(64), x, counts=False)\n"
        "assert 0.001 < r.firing_rate < 0.9, r.firing_rates\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=root, env={"PYTHONPATH": str(root)}, timeout=280)
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout) * 1024
    assert peak < 4 * 2**30, f"{peak / 2**30:.2f} GiB"
