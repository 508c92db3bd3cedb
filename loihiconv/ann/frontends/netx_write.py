"""Write networks as lava-dl's ``netx`` reads them: the other way of `netx_file`.

What the format has no place for (how samples become payloads, what populations are called, what a readout's potential stands for) is in
a group of its own, ``loihiconv``, which lava-dl does not look at.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.ann.frontends.netx_layers import OURS, Layer, Netx, Neuron
from loihiconv.core.errors import InvalidModel, InvalidSetting
from loihiconv.core.files import replacing
from loihiconv.core.linear import Array, Conv, Dense


def write_netx(netx: Netx, path: str | Path) -> None:
    """Write layers as lava-dl does: weights and biases float32 that hold whole numbers, shapes (C, H, W), kernels of a cross-correlation.

    Parameters
    ----------
    netx : Netx
        Of spiking layers; its input must have no neurons. Convolutions are padded alike on opposite sides.
    path : path
        Customarily ``*.net``. A file that is there is replaced.

    Raises
    ------
    InvalidSetting
        If h5py is not installed, or the file cannot be written.
    """
    try:
        import h5py
    except ImportError as error:
        raise InvalidSetting("h5py is needed to write it", where=str(path), remedy="pip install h5py") from error
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _group(file, "layer/0", {"type": "input", "shape": np.array(netx.shape)})
        number, shape = 1, netx.shape
        for layer in netx.layers:
            if len(shape) == 3 and isinstance(layer.map, Dense):
                _group(file, f"layer/{number}", {"type": "flatten", "shape": np.array(shape)})
                number += 1
            _group(file, f"layer/{number}", _layer(layer))
            number, shape = number + 1, layer.shape
        if netx.timesteps is not None:
            _group(file, "simulation", {"Ts": np.int64(1), "tSample": np.int64(netx.timesteps)})
        if netx.ours is not None:
            ours = vars(netx.ours) | {"seed": str(netx.ours.seed)}  # 64 bits, which no float64 holds
            _group(file, OURS, {key: value for key, value in ours.items() if value is not None})
    try:
        with replacing(path) as target:
            target.write(buffer.getvalue())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidSetting(f"cannot be written: {getattr(error, 'strerror', None) or error}", where=str(path)) from error


def _layer(layer: Layer) -> dict[str, Any]:
    found: dict[str, Any] = {"shape": np.array(layer.shape), "weight": np.asarray(layer.map.weight, np.float32)}
    match layer.map:
        case Conv() as conv:
            top, bottom, left, right = conv.padding
            if (top, left) != (bottom, right) or min(top, left) < 0:
                raise InvalidModel("is padded differently on opposite sides", where=layer.name, limit="padding of lava-dl's kind expected")
            found |= {"type": "conv", "stride": np.array(conv.stride), "padding": np.array((top, left))}
            found |= {"dilation": np.array(conv.dilation), "groups": np.int64(conv.groups)}
        case Dense():
            found["type"] = "dense"
        case _:
            raise InvalidModel("is neither dense nor a convolution", where=layer.name)
    if layer.bias is not None:
        found["bias"] = _bias(layer.bias, layer)
    if layer.neuron is not None:
        found["neuron"] = _neuron(layer.neuron)
    return found


def _bias(bias: Array, layer: Layer) -> Array:
    """One for each channel where that says all, else one for each neuron, which lava-dl takes as (W, H, C)."""
    whole = np.broadcast_to(bias, layer.shape)
    channels = whole.reshape(len(whole), -1)
    if (channels == channels[:, :1]).all():
        return np.asarray(channels[:, 0], np.float32)
    return np.ascontiguousarray(whole.T, np.float32)


def _neuron(neuron: Neuron) -> dict[str, Any]:
    decays = {"iDecay": np.int64(neuron.current_decay), "vDecay": np.int64(neuron.voltage_decay)}
    return {"type": neuron.kind, "vThMant": np.int64(neuron.threshold), **decays, "refDelay": np.int64(1), "gradedSpike": np.int64(0)}


def _group(file: Any, name: str, content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if isinstance(value, Mapping):
            _group(file, f"{name}/{key}", value)
        elif isinstance(value, str):
            file.create_dataset(f"{name}/{key}", (1,), f"S{max(len(value.encode()), 1)}", [value.encode()])
        else:
            file.create_dataset(f"{name}/{key}", data=value)
