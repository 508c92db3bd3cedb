"""Samples of files, which come as they are, as a network takes them: what was said, what it has stored, and what their looks tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import sample_parts
from loihiconv.core.input_preprocessing import check_names, each_applied
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network
from loihiconv.core.packing import gathered, packed
from loihiconv.core.parts import divided
from loihiconv.core.preprocessing import BYTE, Preprocessing, differences, likely_layout

LOOKED_AT = 256
"""Samples, the first ones, that are compared with calibration's."""


def completed(given: Preprocessing, names: frozenset[str], x: Array, wanted: Shape | None) -> Preprocessing:
    """What was said of a preprocessing, and of what was not said what samples look like.

    Bytes are taken for images and treated as torchvision's ``ToTensor`` does: divided by 255, with (N, H, W) and (N, H, W, C) brought to
    (N, C, H, W), or to the shape that the network takes. Floats are taken as they are, but for the order of axes where they would not fit.

    Parameters
    ----------
    given : Preprocessing
    names : set of str
        Those of its fields that were said.
    x : array (N, \\*shape)
    wanted : tuple of int or None
        Shape of the samples that the network takes, where it is known.
    """
    scale = given.scale if "scale" in names or x.dtype != np.uint8 else BYTE
    layout = given.layout if "layout" in names else likely_layout(x.shape[1:], wanted, images=x.dtype == np.uint8)
    return replace(given, scale=scale, layout=layout)


def each_completed(
    said: Mapping[str, tuple[Preprocessing, frozenset[str]]], x: Mapping[str, Array], wanted: Mapping[str, Shape]
) -> dict[str, Preprocessing]:
    """What to do with samples of several inputs, each by what was said of it and what it looks like; see `completed`.

    Parameters
    ----------
    said : {input: (Preprocessing, names of its fields that were said)}
    x : {input: array (N, \\*shape)}
    wanted : {input: tuple of int}
        Shapes of the samples that the network takes, as far as they are known.

    Returns
    -------
    {input: Preprocessing}
        Of those whose samples do not stay as they are.

    Raises
    ------
    InvalidSetting
        If something was said of an input that there is not.
    """
    check_names(said, tuple(x))
    chosen = {}
    for name, values in x.items():
        given, fields = said.get(name, (Preprocessing(), frozenset()))
        chosen[name] = completed(given, fields, values, wanted.get(name))
    return {name: own for name, own in chosen.items() if not own.plain}


def each_fitted(network: Network, x: Any, said: Mapping[str, tuple[Preprocessing, frozenset[str]]]) -> tuple[Network, Any, tuple[str, ...]]:
    """`fitted` for a network of several inputs: ``said`` is {input: (Preprocessing, names of its fields that were said)}."""
    parts = sample_parts(network)
    named = divided(packed(parts, x), parts) if isinstance(x, np.ndarray) else x
    stored = {source.name: source.preprocessing for source in network.inputs if source.preprocessing is not None}
    check_names(said, [part.name for part in parts])
    for name in (name for name in said if name in stored):
        _check_stored(*said[name], stored[name], f"preprocessing of input {name}")
    new = {name: own for name, own in said.items() if name not in stored}
    wanted = {source.name: source.taken_shape for source in network.inputs}
    chosen = each_completed(new, {name: values for name, values in named.items() if name not in stored}, wanted)
    notes = [f"preprocessing of input {name}, stored in the network: {own}" for name, own in stored.items() if not own.plain]
    notes += [f"preprocessing of input {name}: {own}" for name, own in chosen.items()]
    return network, each_applied(chosen, named), tuple(notes)


def _check_stored(given: Preprocessing, names: frozenset[str], stored: Preprocessing, where: str) -> None:
    if different := differences(given, stored, tuple(names)):
        remedy = "leave it out: the network does it itself"
        raise InvalidSetting("; ".join(different), where=where, limit="as the network was calibrated", remedy=remedy)


def fitted(network: Network, x: Any, given: Preprocessing, names: frozenset[str]) -> tuple[Network, Any, tuple[str, ...]]:
    """A network of one input that takes samples as they come in a file, and these.

    Parameters
    ----------
    network : Network
    x : array (N, \\*shape), or {input: array}
    given : Preprocessing
    names : set of str
        Those of its fields that were said.

    Returns
    -------
    network : Network
        Of another layout, where samples come in another one than calibration's did.
    x : array
    notes : tuple of str
        What is done with samples.

    Raises
    ------
    InvalidSetting
        If another preprocessing was said than the one that is stored.
    """
    parts = sample_parts(network)
    x = gathered(parts, x)
    stored, wanted = network.input.preprocessing, network.input.taken_shape
    if stored is None:
        chosen = completed(given, names, x, wanted)
        if "scale" not in names and _better(network, x, other := replace(chosen, scale=1.0), chosen):
            chosen = other
        fits = chosen.given_shape(wanted) == x.shape[1:]
        return network, chosen.apply(x) if fits or not chosen.axes[0] else x, () if chosen.plain else (f"preprocessing: {chosen}",)
    _check_stored(given, names, stored, "preprocessing")
    if x.shape[1:] != network.input.sample_shape and "layout" not in names:
        other = replace(stored, layout=likely_layout(x.shape[1:], wanted, images=True))
        if other.given_shape(wanted) == x.shape[1:]:
            stored = other
            network = network.with_preprocessing(other)
    notes = [] if stored.plain else [f"preprocessing, stored in the network: {stored}"]
    bytewise = replace(stored, scale=stored.scale * BYTE)
    if "scale" not in names and _better(network, x, bytewise, stored):
        network = network.with_preprocessing(bytewise)
        notes.append("bytes are divided by 255: divided they are as the network was calibrated, and otherwise not")
    return network, x, tuple(notes)


def _better(network: Network, x: Array, one: Preprocessing, other: Preprocessing) -> bool:
    """Whether bytes look like calibration's with one preprocessing, and not with another."""
    if x.dtype != np.uint8 or one == other or one.given_shape(network.input.taken_shape) != x.shape[1:]:
        return False
    doubts = [input_doubts(network.with_preprocessing(chosen), x[:LOOKED_AT]) for chosen in (one, other)]
    return doubts[0] is None and doubts[1] is not None
