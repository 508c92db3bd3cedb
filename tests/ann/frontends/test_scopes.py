"""Operations have their layer's name where they are all that it does."""

from __future__ import annotations

from loihiconv.ann.frontends.scopes import Scope, last_of_layers


def test_layers_of_pytorch_are_known_by_their_path() -> None:
    assert Scope("a.0", "Conv2d").is_layer
    assert not Scope("a", "Sequential").is_layer
    assert not Scope("a", "MyBlock").is_layer
    assert not Scope("", "Linear").is_layer  # the model itself


def test_the_last_operation_has_the_layers_name() -> None:
    conv, block, act = Scope("conv", "Conv2d"), Scope("block", "Block"), Scope("act", "ReLU")
    assert last_of_layers([conv, conv, act, block, act]) == [False, True, True, False, True]
    assert last_of_layers([]) == []
