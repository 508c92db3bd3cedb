"""Samples in every form that people have are the same arrays; what is none of them is said in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from loihiconv.core import samples as module
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.samples import Dataset, collect, labels_at_once, one_piece, stream

X = np.random.default_rng(0).random((300, 2, 3), np.float32)
Y = np.arange(300) % 7
TX, TY = torch.from_numpy(X), torch.from_numpy(Y)


class Compressed:
    """As matrices of scipy.sparse are, whose length is an error."""

    def __len__(self) -> int:
        raise TypeError("sparse array length is ambiguous")

    def __getitem__(self, i: int) -> Any: ...

    def toarray(self) -> Any: ...


class Images(TorchDataset):  # type: ignore[type-arg]
    """Samples with names, as data sets of other packages give them."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, i: int) -> Any:
        return {"image": TX[i], "label": int(Y[i])}


class Stream(IterableDataset):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[Any]:
        return zip(TX, Y.tolist(), strict=True)


LABELLED: dict[str, Callable[[], Any]] = {
    "pair": lambda: (X, Y),
    "pair of tensors": lambda: (TX, TY),
    "pair of lists": lambda: (X.tolist(), Y.tolist()),
    "as a list": lambda: [X, Y],
    "own": lambda: Dataset(X, Y),
    "mapping": lambda: {"Image": X, "label": Y},
    "dataset": lambda: TensorDataset(TX, TY),
    "subset": lambda: Subset(TensorDataset(TX, TY), range(300)),
    "dataset of mappings": Images,
    "iterable dataset": Stream,
    "loader": lambda: DataLoader(TensorDataset(TX, TY), batch_size=64),
    "loader of mappings": lambda: DataLoader(Images(), batch_size=64),
    "loader of one": lambda: DataLoader(TensorDataset(TX, TY), batch_size=None),
    "batches": lambda: [(X[i : i + 90], Y[i : i + 90]) for i in range(0, 300, 90)],
    "generator of batches": lambda: ((X[i : i + 90], TY[i : i + 90]) for i in range(0, 300, 90)),
    "generator of samples": lambda: ((x, y) for x, y in zip(X, Y, strict=True)),
}
ALONE: dict[str, Callable[[], Any]] = {
    "array": lambda: X,
    "tensor": lambda: TX,
    "lists": lambda: X.tolist(),
    "batches of x": lambda: iter([X[:200], TX[200:]]),
    "loader of x": lambda: DataLoader(TensorDataset(TX), batch_size=64),
    "dataset of x": lambda: TensorDataset(TX),
}


@pytest.mark.parametrize("form", LABELLED)
def test_samples_with_labels(form: str) -> None:
    found = collect(LABELLED[form](), "data", labels=True)
    assert found.y is not None
    assert (found.y == Y).all()
    np.testing.assert_array_equal(found.x, X)
    np.testing.assert_array_equal(collect(LABELLED[form](), "data", shape=(2, 3), samples=130).x, X[:130])


@pytest.mark.parametrize("form", ALONE)
def test_samples_alone(form: str) -> None:
    np.testing.assert_array_equal(collect(ALONE[form](), "data").x, X)
    with pytest.raises(InvalidData, match=r"no labels|parts"):
        collect(ALONE[form](), "data", labels=True)


def test_single_samples_are_told_by_their_shape_or_axes() -> None:
    assert collect(iter(X), "data", shape=(2, 3)).x.shape == (300, 2, 3)
    assert sum(len(batch.x) for batch in stream(iter(X), "data", axes=2)) == 300
    assert collect(iter(X[0]), "data").x.shape == (2, 3)  # a batch of numbers alone is none
    assert collect([X[0], X[1]], "data", shape=(2, 3)).x.shape == (2, 2, 3)
    assert collect((X[:5], X[:5]), "data", shape=(2, 3)).x.shape == (10, 2, 3)  # two batches, not samples and labels


def test_half_precision_and_bytes() -> None:
    assert collect(TX.bfloat16(), "data").x.dtype == np.float32
    assert collect([X[:3].astype(np.uint8)], "data").x.dtype == np.uint8


def test_what_has_no_end_needs_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(collect(cycle([X]), "data", samples=700).x) == 700
    monkeypatch.setattr(module, "MOST_BYTES", 10 * X.nbytes)
    with pytest.raises(InvalidData, match=r"more than 3,300 samples; .* say how many: samples=1000"):
        collect(cycle([X]), "data")
    for wrong in (0, True, 2.5, "a"):
        with pytest.raises(InvalidSetting, match="a whole number of at least 1"):
            collect(X, "data", samples=wrong)  # type: ignore[arg-type]


def test_what_is_in_memory() -> None:
    assert one_piece((X, Y), "data") is X
    assert one_piece([X, X], "data") is None
    assert [labels_at_once(data, "data") is None for data in ((X, Y), Dataset(X, Y), {"x": X, "y": Y}, X, iter([X]))] == [
        False,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (5, "5 as data"),
        ("images", "'images' as data.* read the file first"),
        (None, "None as data"),
        ([], "no samples"),
        ([None], "None in place of samples"),
        ([5, "a"], "make no array|numbers expected|in place of"),
        ({"a": X, "b": Y}, "a mapping of 'a', 'b'; one of them called \"image\""),
        ([X, X[:, :, :2]], "batches of shapes"),
        ([(X[0], 1), (X[0, :1], 2)], r"samples of shapes \(1, 3\) and \(2, 3\)"),
        ([[1, 2], [3]], "make no array: .*inhomogeneous"),
        (torch.eye(4).to_sparse(), "make no array: .*[Ss]parse"),
        (Compressed(), "a Compressed as data.*give x.toarray"),
        (np.ma.masked_greater(X, 0.5), r"values are masked; .*x\.filled"),
    ],
)
def test_what_is_none_of_them(data: Any, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        collect(data, "data")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X, Y[:5]), "300 samples and 5 labels"),
        ((X, 5), "300 samples and no labels"),
        ([(X, Y, Y)], "elements of 3 parts"),
        ((None, Y), "None in"),
        ((X, np.ma.masked_equal(Y, 3)), "labels: 43 of 300 values are masked"),
    ],
)
def test_labels_that_do_not_belong(data: Any, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        collect(data, "data", labels=True)
