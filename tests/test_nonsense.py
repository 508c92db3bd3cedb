"""Nonsense for every public function: one line of our own classes, which names what was given and what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import isfunction
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc

NAN = float("nan")
X, Y = np.random.default_rng(0).random((40, 6)).astype(np.float32), np.arange(40) % 3


@cache
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)).eval()


@cache
def net() -> lc.Network:
    return lc.convert(model(), X, board="kapoho_point", timesteps=4)


def convert(calibration: Any = X, board: Any = "kapoho_point", timesteps: Any = 4, **settings: Any) -> lc.Network:
    return lc.convert(model(), calibration, board=board, timesteps=timesteps, **settings)


def sweep(calibration: Any = X, test_set: Any = (X, Y), board: Any = "kapoho_point", axes: Any = None, **more: Any) -> lc.SweepResult:
    return lc.sweep(model(), calibration, test_set, board=board, axes={"timesteps": [2]} if axes is None else axes, **more)


NONSENSE: dict[str, list[Callable[[], Any]]] = {
    "boards": [],  # takes nothing
    "convert": [
        lambda: lc.convert(None, X, board=None, timesteps=4),
        *(lambda c=c: convert(c) for c in (None, 5, "data", X[0, 0], {}, [], [None], object())),
        *(lambda b=b: convert(board=b) for b in (5, "", ("kapoho_point",), True, NAN)),
        *(lambda p=p: convert(preprocessing=p) for p in (5, "HWC", lc.Preprocessing(layout="HWC"), lc.Preprocessing((1, 2)))),
        *(lambda s=s: convert(samples=s) for s in (0, "a", True)),
        *(lambda t=t: convert(timesteps=t) for t in ("a", True, NAN, None, 0, 2.5, (4,))),
        lambda: convert(percentile="a"),
        lambda: convert(optimize=5),
        lambda: convert(colour=5),
    ],
    "finetune": [
        *(lambda m=m: lc.finetune(m, X, timesteps=4) for m in (None, 5, "model", net())),
        *(lambda d=d: lc.finetune(model(), d, timesteps=4) for d in (None, 5, "data", X[0, 0], {}, [], [None], object(), (X, Y[:3]))),
        *(lambda t=t: lc.finetune(model(), X, timesteps=t) for t in ("a", True, NAN, None, 0, 64)),
        *(lambda c=c: lc.finetune(model(), X, timesteps=4, checkpoint=c) for c in (5, ".", "no folder/kept", "")),
        *(lambda s=s: lc.finetune(model(), X, timesteps=4, samples=s) for s in (0, "a", True)),
        lambda: lc.finetune(model(), X, timesteps=4, board=5),
        lambda: lc.finetune(model(), X, timesteps=4, progress=5),
        lambda: lc.finetune(model(), X, timesteps=4, colour=5),
    ],
    "check": [
        lambda: lc.check(None, (6,)),
        *(lambda e=e: lc.check(model(), e) for e in (None, 5, "a", ("a",), (1.5, 6, 6), (True,), (), (0,), [[1.0]], X[0, 0], object())),
        *(lambda t=t: lc.check(model(), (6,), timesteps=t) for t in ("a", True, NAN, None, 0)),
        *(lambda b=b: lc.check(model(), (6,), b) for b in (5, "", ("kapoho_point",))),
        lambda: lc.check(model(), (6,), maxpool=5),
    ],
    "run": [
        *(lambda n=n: lc.run(n, X) for n in (None, 5, "net.lnet", model())),
        *(lambda x=x: lc.run(net(), x) for x in (None, 5, "a", [], [[1, 2], [3]], object())),
        *(lambda r=r: lc.run(net(), X, record=r) for r in (5, "spikes", ["spykes"], [5], True)),
        *(lambda s=s: lc.run(net(), X, samples=s) for s in (0, "a", True)),
        *(lambda d=d: lc.run(net(), X, device=d) for d in ("meta", "gpu", 5, None, "")),
        *(lambda d=d: lc.run(net(), X, "lava", deadline=d) for d in (NAN, "a", -1, 0, True)),
        *(lambda b=b: lc.run(net(), X, b) for b in (None, 5, ["emulator"], "emulater")),
        *(lambda m=m: lc.run(net(), X, memory=m) for m in ("a", -1, NAN, [1])),
        *(lambda r=r: lc.run(net(), X, realization=r) for r in (5, "natif", ["lif"])),
        *(lambda r=r: lc.run(net(), X, realization="lif", lif_ratio=r) for r in (NAN, "a", 0.5)),
        lambda: lc.run(net(), X, "loihi", access=5),
        lambda: lc.run(net(), X, progress=5),
    ],
    "compare": [
        lambda: lc.compare(None, net(), (X, Y)),
        *(lambda n=n: lc.compare(model(), n, (X, Y)) for n in (None, 5, model())),
        *(lambda t=t: lc.compare(model(), net(), t) for t in (None, 5, X, (X, None), (None, Y), (X, 5), (X, ["a"] * 40), (X[:0], Y[:0]))),
        *(lambda s=s: lc.compare(model(), net(), (X, Y), samples=s) for s in (0, "a", True)),
        *(lambda b=b: lc.compare(model(), net(), (X, Y), b) for b in (None, 5, "emulator", [5])),
        *(lambda s=s: lc.compare(model(), net(), (X, Y), lava_samples=s) for s in (0, "a", 2.5, NAN, True)),
        lambda: lc.compare(model(), net(), (X, Y), device="meta"),
        lambda: lc.compare(model(), net(), (X, Y), explain=True, calibration=5),
    ],
    "sweep": [
        lambda: lc.sweep(None, X, (X, Y), board=None, axes={"timesteps": [2]}),
        *(lambda c=c: sweep(c) for c in (None, 5, [X, X[:, :2]], X[0, 0])),
        lambda: lc.sweep(model(), X, (X, Y), board=None, axes={"timesteps": [2]}, preprocessing=5),
        *(lambda t=t: sweep(test_set=t) for t in (None, 5, (X, None), (None, Y))),
        *(lambda a=a: sweep(axes=a) for a in (5, "timesteps", ["timesteps"], {}, {"timesteps": None}, {"timesteps": []}, {5: [1]})),
        *(lambda c=c: sweep(cache=c) for c in (5, True, object())),
        lambda: sweep(device="meta"),
        lambda: sweep(on="both"),
    ],
    "place": [*(lambda n=n: lc.place(n) for n in (None, 5, model())), lambda: lc.place(net(), 5)],
    "estimate_energy": [
        *(lambda n=n: lc.estimate_energy(n, X) for n in (None, 5, model())),
        *(lambda x=x: lc.estimate_energy(net(), x) for x in (None, 5, "there", X[:0], X[0], X * np.nan)),
        *(lambda n=n: lc.estimate_energy(net(), X, samples=n) for n in ("a", 0, -1, 0.5, True)),
        *(lambda e=e: lc.estimate_energy(net(), X, engine=e) for e in (None, 5, "sanfe", [])),
        lambda: lc.estimate_energy(net(), X, board=5),
    ],
    "certify": [
        *(lambda n=n: lc.certify(n, X) for n in (None, 5, model())),
        *(lambda n=n: lc.certify(net(), X, samples=n) for n in ("a", 0, -1, 0.5, True)),
        *(lambda x=x: lc.certify(net(), x) for x in (None, 5, "there")),
    ],
    "verify": [
        *(lambda n=n: lc.verify(model(), n, (X, Y)) for n in (None, 5, model())),
        *(lambda m=m: lc.verify(model(), net(), (X, Y), max_loss=m, lava_samples=0) for m in ("a", -1, NAN, None)),
        *(lambda n=n: lc.verify(model(), net(), (X, Y), lava_samples=n) for n in ("a", -1, 0.5, True)),
        lambda: lc.verify(model(), net(), None, lava_samples=0),
    ],
    "export_netx": [*(lambda n=n: lc.export_netx(n, "there.net") for n in (None, 5, model())), lambda: lc.export_netx(net(), None)],
    "diff": [*(lambda n=n: lc.diff(net(), n) for n in (None, 5, model())), lambda: lc.diff("a.lnet", net())],
    "realize": [lambda: lc.realize(None, "lif"), lambda: lc.realize(net(), None), lambda: lc.realize(net(), 5)],
    "deploy": [lambda: lc.deploy(None, X, "there"), lambda: lc.deploy(net(), None, "there"), lambda: lc.deploy(net(), X, None)],
    "only": [*(lambda n=n: lc.only(n, "output") for n in (None, 5)), *(lambda o=o: lc.only(net(), o) for o in (None, 5, "nothing"))],
    "load": [*(lambda p=p: lc.load(p) for p in (None, 5, "", "no such file", object()))],
    "load_weights": [
        *(lambda m=m: lc.load_weights(m, "weights.pt") for m in (None, 5, net())),
        *(lambda p=p: lc.load_weights(model(), p) for p in (None, 5, "", "no such file")),
    ],
    "save": [*(lambda n=n: lc.save(n, "there.lnet") for n in (None, 5, model())), *(lambda p=p: lc.save(net(), p) for p in (None, 5, ""))],
    "save_report": [lambda: lc.save_report(None, "there.html"), lambda: lc.save_report(5, "there.html")],
    "plot_comparison": [lambda: lc.plot_comparison(None), lambda: lc.plot_comparison(lc.boards())],
    "plot_sweep": [lambda: lc.plot_sweep(None, "there.png"), lambda: lc.plot_sweep(5, "there.png")],
    "export_nir": [lambda: lc.export_nir(None, "there.nir"), lambda: lc.export_nir(5, "there.nir"), lambda: lc.export_nir(net(), None)],
    "from_nir": [*(lambda p=p: lc.from_nir(p, board=None, timesteps=4) for p in (None, 5, "", "no such file", object()))],
    "from_netx": [*(lambda p=p: lc.from_netx(p, board=None, timesteps=4) for p in (None, 5, "", "no such file", object()))],
    "sweep_table": [lambda: lc.sweep_table(None), lambda: lc.sweep_table(5)],
}


def test_all_public_functions_are_asked() -> None:
    assert set(NONSENSE) == {name for name in lc.__all__ if isfunction(getattr(lc, name))}


@pytest.mark.parametrize(("name", "index"), [(name, i) for name, calls in NONSENSE.items() for i in range(len(calls))])
def test_nonsense_is_refused_in_one_line(name: str, index: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(lc.LoihiconvError) as caught:
        NONSENSE[name][index]()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
