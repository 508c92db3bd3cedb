"""Conformance vectors: a neuron in plain integers keeps them, and each case catches what it is about."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.backends.conformance import write_conformance
from loihiconv.backends.conformance_cases import SUM_MAX, conformance_cases
from loihiconv.backends.conformance_check import Unusable, check, difference, read_cases, results_of
from loihiconv.core.errors import InvalidSetting

TOP = 2**23 - 1


def neuron(
    a_in: Any,
    v_init: Any,
    vth: Any,
    bias_mant: Any,
    bias_exp: Any,
    payload_max: Any,
    first: int = 0,
    last: int = 0,
    silent: int = 0,
    timesteps: int = 0,
    signed: int = 0,
    fault: str = "",
) -> dict[str, np.ndarray]:
    """The specification, one neuron and one integer at a time, with a fault if one is named."""
    if timesteps:
        return _with_two_potentials(a_in, v_init, int(vth), int(silent), int(timesteps), fault)
    steps, neurons = a_in.shape
    begin, end = (
        (0 if fault == "never silent" else first),
        (last or steps) + (fault == "one step too many") if fault != "on and on" else steps,
    )
    out = {key: np.zeros((steps, neurons), np.int64) for key in ("u", "v", "s")}
    for n in range(neurons):
        v, u, most = 0 if fault == "starts at 0" else int(v_init[n]), 0, int(payload_max)
        sent = 0
        for t in range(steps):
            u = _u(int(a_in[t, n]), u, fault)
            v = _added(v, u, _bias(int(bias_mant[n]), int(bias_exp[n]), fault), fault)
            if not begin <= t < end:
                v = v - _bias(int(bias_mant[n]), int(bias_exp[n]), fault) - u if fault == "deaf while silent" else v
                out["u"][t, n], out["v"][t, n] = u, v
                continue
            if signed:
                v, out["s"][t, n] = _signed(v, _vth(int(vth), fault), most, sent, fault)
                sent = 0 if fault == "forgets" else sent + abs(out["s"][t, n]) if fault == "counts spikes" else sent + out["s"][t, n]
                out["u"][t, n], out["v"][t, n] = u, v
                continue
            v, out["s"][t, n] = _graded(v, _vth(int(vth), fault), most, fault) if most > 1 else _fired(v, _vth(int(vth), fault), fault)
            out["u"][t, n], out["v"][t, n] = u, _kept(v, fault)
            v = out["v"][t, n]
    return out


def _with_two_potentials(a_in: Any, start: Any, vth: int, silent: int, timesteps: int, fault: str) -> dict[str, np.ndarray]:
    """Each sample by itself: what comes in during its T steps, and what is sent during T steps from the first in which it is."""
    steps, neurons = a_in.shape
    out = {"u": a_in.astype(np.int64) << 6, "v": np.zeros((steps, neurons), np.int64), "s": np.zeros((steps, neurons), np.int64)}
    threshold, late = vth << 6, fault == "takes over late"
    for n in range(neurons):
        kept = 0
        for begin in range(0, steps, timesteps):
            v = kept if fault == "begins where it was" else int(start[n])
            for t in range(begin, min(begin + timesteps + silent, steps)):
                comes = t < begin + timesteps and not (fault == "deaf while it sends" and t >= begin + silent)
                v = _clipped(v + (int(out["u"][t, n]) if comes else 0))
                if t >= begin + silent + late:
                    v, out["s"][t, n] = _fired(v, threshold, "")
                    out["v"][t, n] = v
                elif t == begin + silent - 1:
                    out["v"][t, n] = v
            kept = v
    return out


def _u(a_in: int, before: int, fault: str) -> int:
    if fault == "sums are unsigned":
        a_in = abs(a_in)
    u = a_in << (5 if fault == "sums count 32-fold" else 6)
    return u + before // 2 if fault == "u decays" else u


def _bias(mantissa: int, exponent: int, fault: str) -> int:
    if fault == "mantissas are unsigned":
        mantissa %= 2**13
    if fault == "mantissas of 12 bits":
        mantissa = (mantissa + 2**11) % 2**12 - 2**11
    return mantissa << {"exponents end at 6": min(exponent, 6), "biases count 64-fold": exponent + 6}.get(fault, exponent)


def _vth(vth: int, fault: str) -> int:
    changed = {"thresholds of 16 bits": vth % 2**16, "even thresholds": vth // 2 * 2, "thresholds below 65,535": min(vth, 65534)}
    changed["thresholds of 17 bits, signed"] = (vth + 2**16) % 2**17 - 2**16
    return changed.get(fault, vth) << (0 if fault == "thresholds are not shifted" else 6)


def _added(v: int, u: int, bias: int, fault: str) -> int:
    if fault == "v leaks":
        v -= v // 64
    if fault == "saturates twice":
        return _clipped(_clipped(v + u) + bias)
    if fault == "wraps":
        return (v + u + bias + 2**23) % 2**24 - 2**23
    if fault == "ends at -2^23":
        return max(min(v + u + bias, TOP), -(2**23))
    if fault == "no lower end":
        return min(v + u + bias, TOP)
    return v + u + bias if fault == "saturates after the spike" else _clipped(v + u + bias)


def _kept(v: int, fault: str) -> int:
    return _clipped(v) if fault == "saturates after the spike" else v


def _clipped(v: int) -> int:
    return max(min(v, TOP), -TOP)


def _fired(v: int, threshold: int, fault: str) -> tuple[int, int]:
    if not (v >= threshold if fault == "spikes at the threshold" else v > threshold):
        return v, 0
    if fault == "resets to zero":
        return 0, 1
    if fault == "several spikes":
        return v % max(threshold, 1), v // max(threshold, 1)
    return v - threshold, 1


def _graded(v: int, threshold: int, most: int, fault: str) -> tuple[int, int]:
    payload = (v - 1) // threshold if fault == "graded above the threshold" else v // threshold
    if fault == "payloads are rounded":
        payload = (v + threshold // 2) // threshold
    if fault != "payloads below 0":
        payload = max(payload, 0)
    sent = payload if fault == "no largest payload" else min(payload, most)
    taken = {"all thresholds are taken": payload, "one threshold is taken": min(sent, 1)}.get(fault, sent)
    return v - taken * threshold, sent


def _signed(v: int, threshold: int, most: int, sent: int, fault: str) -> tuple[int, int]:
    worth = (v // threshold) if fault != "rounds towards 0" else int(v / threshold)
    if fault == "takes back at -vth":
        worth = v // threshold if v >= 0 else -(-v // threshold)
    least = {"takes back for ever": -most, "takes back all": -sent, "takes nothing back": 0, "takes back one": -min(1, sent)}
    s = min(most, max(least.get(fault, -min(most, sent)), worth))
    if fault == "spikes above the threshold" and v == threshold:
        s = 0
    return v - (abs(s) if fault == "subtracts always" else s) * threshold, int(s)


FAULTS = {
    "spikes at the threshold": {"threshold", "threshold 1", "threshold 65535", "threshold 65536", "threshold 131071"},
    "thresholds are not shifted": {"threshold", "subtract", "sum", "start"},
    "resets to zero": {"subtract", "start", "mixed"},
    "several spikes": {"subtract", "start"},
    "sums are unsigned": {"sum", "memory", "saturation at the bottom", "one sum"},
    "sums count 32-fold": {"sum", "subtract", "mixed"},
    "u decays": {"memory"},
    "v leaks": {"memory", "start"},
    "mantissas are unsigned": {"bias", "one sum", "mixed"},
    "mantissas of 12 bits": {"bias"},
    "exponents end at 6": {"bias", "one sum"},
    "biases count 64-fold": {"bias", "mixed"},
    "wraps": {"saturation at the top", "saturation at the bottom", "one sum"},
    "saturates after the spike": {"saturation at the top"},
    "ends at -2^23": {"saturation at the bottom"},
    "no lower end": {"saturation at the bottom"},
    "saturates twice": {"one sum"},
    "thresholds of 16 bits": {"threshold 65536", "threshold 131071"},
    "even thresholds": {"threshold 1", "threshold 65535", "threshold 131071", "mixed"},
    "thresholds below 65,535": {"threshold 65535", "threshold 65536", "threshold 131071"},
    "thresholds of 17 bits, signed": {"threshold 65536", "threshold 131071"},
    "starts at 0": {"start", "memory", "threshold"},
    "graded above the threshold": {"graded floor", "graded limit"},
    "payloads are rounded": {"graded floor", "graded below", "graded mixed"},
    "payloads below 0": {"graded below", "graded mixed"},
    "no largest payload": {"graded limit", "graded mixed"},
    "all thresholds are taken": {"graded limit", "graded mixed"},
    "one threshold is taken": {"graded floor", "graded mixed"},
    "never silent": {"silent", "silent mixed"},
    "deaf while silent": {"silent", "silent mixed"},
    "on and on": {"silent again", "silent mixed"},
    "one step too many": {"silent again", "silent mixed"},
    "takes over late": {"buffered", "buffered in part", "buffered mixed"},
    "begins where it was": {"buffered", "buffered mixed"},
    "deaf while it sends": {"buffered in part", "buffered mixed"},
    "takes nothing back": {"signed", "signed memory", "signed payloads", "signed mixed", "signed payloads mixed"},
    "takes back for ever": {"signed memory", "signed mixed", "signed payloads mixed"},
    "takes back all": {"signed payloads"},
    "takes back one": {"signed payloads", "signed payloads mixed"},
    "takes back at -vth": {"signed", "signed payloads"},
    "rounds towards 0": {"signed", "signed payloads"},
    "subtracts always": {"signed", "signed payloads"},
    "counts spikes": {"signed memory", "signed mixed"},
    "forgets": {"signed", "signed memory"},
    "spikes above the threshold": {"signed"},
}
"""Faults, and cases that have to notice them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conformance") / "out"
    write_conformance(path)
    return path


def noticed(folder: Path, fault: str = "") -> set[str]:
    cases = read_cases(folder / "vectors.npz")
    return {described["name"] for described, inputs, expected in cases if difference(expected, neuron(**inputs, fault=fault))}


def test_the_specification_keeps_all(folder: Path) -> None:
    assert noticed(folder) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_noticed_by_the_cases_about_it(folder: Path, fault: str) -> None:
    assert FAULTS[fault] <= noticed(folder, fault)


def test_spikes_alone_show_each_fault(folder: Path) -> None:
    """Where a chip's potentials cannot be read."""
    held = {described["name"]: (inputs, expected["s"]) for described, inputs, expected in read_cases(folder / "vectors.npz")}
    for fault, names in FAULTS.items():
        assert any((neuron(**held[name][0], fault=fault)["s"] != held[name][1]).any() for name in names), fault
    assert [name for name, (_, spikes) in held.items() if not spikes.any()] == ["graded below"]


def test_each_case_is_about_some_fault_and_within_what_networks_may_hold() -> None:
    cases = conformance_cases()
    assert {name for names in FAULTS.values() for name in names} == {case.name for case in cases}
    for case in cases:
        assert np.abs(case.a_in).max() <= SUM_MAX
        assert np.abs(case.v_init).max() <= TOP
        assert 1 <= case.vth < 2**17


def run(folder: Path, *arguments: object, where: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "check.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=where)


def test_the_script_stands_alone(folder: Path) -> None:
    tree = ast.parse((folder / "check.py").read_text(encoding="utf-8"))
    modules = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} - sys.stdlib_module_names == {"numpy"}


def test_results_of_a_chip(folder: Path, tmp_path: Path) -> None:
    """All cases; spikes only; without the graded variant; with one spike changed; without one case."""
    held = {
        f"{described['name']}/{key}": value
        for described, inputs, _ in read_cases(folder / "vectors.npz")
        for key, value in neuron(**inputs).items()
    }
    np.savez(tmp_path / "all.npz", **held)
    done = run(folder, tmp_path / "all.npz")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"all {len(conformance_cases())} cases equal" in done.stdout
    binary = {k: v for k, v in held.items() if k.endswith("/s") and not k.startswith(("graded", "silent", "buffered", "signed"))}
    np.savez(tmp_path / "spikes.npz", **binary)
    assert check(folder / "vectors.npz", str(tmp_path / "spikes.npz")) == 0
    binary["sum/s"][1, 3] += 1
    np.savez(tmp_path / "wrong.npz", **{k: v for k, v in binary.items() if not k.startswith("bias")})
    done = run(folder, tmp_path / "wrong.npz")
    assert done.returncode == 1
    assert "step 1, neuron 3: s is 1, expected 0 (1 values differ)" in done.stdout
    assert "missing" in done.stdout
    assert "2 cases differ or are missing" in done.stdout


def test_a_function_in_python(folder: Path, tmp_path: Path) -> None:
    body = "import numpy as np\ndef run(a_in, **other):\n    return {'s': np.zeros_like(a_in)}\n"
    (tmp_path / "mine.py").write_text(body)
    done = run(folder, "mine:run", where=tmp_path)
    assert done.returncode == 1
    assert "differs  threshold" in done.stdout


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "no spikes 's'"),
        ({"s": np.zeros((2, 2))}, r"s has shape \(2, 2\), expected \(1, 2\)"),
        ({"s": np.array([[0, 1]]), "v": np.array([[5, 5]])}, r"step 0, neuron 1: v is 5, expected 6 \(1 values differ\)"),
        ({"s": np.array([[0, 1]]), "v": np.array([[5, 6]])}, "^$"),
    ],
)
def test_what_differs_first(results: dict[str, np.ndarray], message: str) -> None:
    expected = {"s": np.array([[0, 1]]), "v": np.array([[5, 6]]), "u": np.array([[0, 0]])}
    assert re.search(message, difference(expected, results))


def test_what_cannot_be_compared(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(1))
    (tmp_path / "broken.npz").write_text("x")
    for argument in ("no_such_module:run", "nothing", str(tmp_path / "missing.npz"), str(tmp_path / "broken.npz")):
        with pytest.raises(Unusable):
            results_of(argument)
    done = run(folder, tmp_path / "other.npz")
    assert done.returncode == 2
    assert "holds none of the cases" in done.stderr
    assert run(folder).returncode == 2


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    for out, message in ((folder, "exists"), (folder / "a" / "b", "does not exist"), ("", "no path")):
        with pytest.raises(InvalidSetting, match=message):
            write_conformance(out)
