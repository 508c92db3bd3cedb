"""Files of fine-tuned networks: everything comes back, and what is damaged is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.tuned import TunedModel
from loihiconv.ann.frontends.tuned_file import KEY, TunedFile, read_tuned, rounded, write_tuned
from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Relu
from loihiconv.core.ending import Softmax
from loihiconv.core.errors import InvalidModel, LoihiconvError
from loihiconv.core.linear import Conv, Dense, Sparse

RNG = np.random.default_rng(0)
RECORD = {"timesteps": 3, "samples": 5, "epochs": 1, "losses": [0.5]}


def content() -> TunedFile:
    """A network with every kind of node and map that there can be."""
    conv = Conv(RNG.normal(size=(4, 2, 3, 3)).astype(np.float32), padding=(1, 1, 1, 1))
    ann = Ann(
        (
            Input("input", (2, 4, 4), order=RNG.permutation(32)),
            Linear("conv", ("input",), conv, RNG.normal(size=(4, 1, 1)).astype(np.float32)),
            Relu("relu", ("conv",)),
            MaxPool("pool", ("relu",), (2, 2), (2, 2)),
            Linear("sparse", ("pool",), Sparse(np.ones(2, np.float32), np.array([0, 5]), np.array([3, 15]), (4, 2, 2), (4, 2, 2))),
            Add("sum", ("pool", "sparse"), layer="sparse"),
            Relu("last", ("sum",)),
            Linear("dense", ("last",), Dense(RNG.normal(size=(6, 16)).astype(np.float32)), shape=(3, 2, 1), layer="head"),
        ),
        ending=(Softmax(0),),
    )
    return rounded(ann, {"relu": np.full((4, 1, 1), 0.7), "last": np.float64(1.25)}, 3, RECORD)


def test_everything_comes_back(tmp_path: Path) -> None:
    path, x = tmp_path / "tuned.safetensors", RNG.random((5, 2, 4, 4)).astype(np.float32)
    write_tuned(content(), path)
    found = read_tuned(path)
    assert [type(node) for node in found.nodes] == [type(node) for node in content().nodes]
    assert found.record == RECORD
    again = tmp_path / "again"
    write_tuned(found, again)
    assert again.read_bytes() == path.read_bytes()
    model = readable(path)
    assert isinstance(model, TunedModel)
    assert set(np.unique(np.round(forward(found.ann, x, keep=["relu"])[1]["relu"] / 0.7 * 3, 4))) <= {0, 1, 2, 3}
    assert model.outputs(x).sum(axis=1) == pytest.approx(np.ones(5))  # a softmax
    assert model.timesteps == 3
    assert float(model.scales["last"]) == pytest.approx(1.25)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidModel, match=r"\(2, 4, 4\) expected"):
        TunedModel(content()).ann((2, 4, 5))


def altered(change: Any, tmp_path: Path) -> Path:
    """A file whose description has been changed."""
    path = tmp_path / "tuned.safetensors"
    write_tuned(content(), path)
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    description = json.loads(json.loads(whole[8 : 8 + length])["__metadata__"][KEY])
    change(description)
    text = json.dumps({KEY: json.dumps(description)})
    head = json.loads(whole[8 : 8 + length]) | {"__metadata__": json.loads(text)}
    head = {"__metadata__": head.pop("__metadata__"), **head}
    new = json.dumps(head, separators=(",", ":")).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + whole[8 + length :])
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(version=2), "written by a newer loihiconv"),
        (lambda d: d.update(format="other"), "holds no fine-tuned network"),
        (lambda d: d["network"]["nodes"].pop(2), "does not use its member nodes.2.scale"),
        (lambda d: d["network"]["nodes"][3].update(inputs=["other"]), "takes the result of 'other'"),
        (lambda d: d["network"]["nodes"][1].update({"class": "Module"}), "unknown kind"),
        (lambda d: d["network"]["nodes"][2].update(high=0), "quantizes to 0 to 0 steps"),
        (lambda d: d["network"]["record"].pop("timesteps"), "its record says too little"),
        (lambda d: d["network"].pop("ending"), "lacks its field 'ending'"),
    ],
)
def test_what_is_altered_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=said):
        readable(altered(change, tmp_path))


def test_what_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tuned.safetensors"
    write_tuned(content(), path)
    whole = path.read_bytes()
    for length in (40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(LoihiconvError, match=r"tuned\.safetensors"):
            readable(path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tuned.safetensors"
    broken = content()
    broken.nodes[1].map.weight[0] = np.nan
    write_tuned(broken, path)
    with pytest.raises(InvalidModel, match="weight holds NaN"):
        readable(path)


def test_other_safetensors_are_weights_still(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save({"a": np.ones(2)}, {"format": "pt"}))
    with pytest.raises(InvalidModel, match="weights and no network"):
        readable(path)
