"""Samples of several arrays as one: flattened, one after the other, so that whatever cuts, counts or stores samples sees a single array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.linear import Array
from loihiconv.core.parts import Part


def packed(parts: Sequence[Part], x: Any) -> Array:
    """Samples as one array (N, values of all parts), float32.

    Parameters
    ----------
    parts : sequence of Part
        The inputs: names, and shapes of one sample each.
    x : {name: array (N, \\*shape)}, or the arrays in order in a tuple or list, or what this has given before

    Raises
    ------
    InvalidData
        If one is missing, has a name that no input has or another shape, or if they are not as many samples.
    """
    if isinstance(x, np.ndarray):
        return _already(parts, x)
    arrays = [_array(part, values) for part, values in zip(parts, _in_order(parts, x), strict=True)]
    for part, values in zip(parts, arrays, strict=True):
        if values.shape[1:] != part.shape:
            raise InvalidData(
                f"samples of shape ({', '.join(map(str, values.shape[1:]))})",
                where=f"input {part.name}",
                limit=f"({', '.join(map(str, part.shape))}) expected",
                remedy="transpose or reshape the data",
            )
    if len({len(values) for values in arrays}) > 1:
        numbers = ", ".join(f"{part.name} {len(values)}" for part, values in zip(parts, arrays, strict=True))
        raise InvalidData(f"other numbers of samples ({numbers})", where="input", limit="one of each per sample expected")
    flat = [values.reshape(len(values), part.size).astype(np.float32) for part, values in zip(parts, arrays, strict=True)]
    return np.concatenate(flat, axis=1)


def gathered(parts: Sequence[Part], x: Any) -> Any:
    """What is given for one input, which may stand under its name, or `packed` for several."""
    if len(parts) > 1:
        return packed(parts, x)
    return _in_order(parts, x)[0] if isinstance(x, Mapping) else x


def rows(x: Any, which: Any) -> Any:
    """Some of the samples, of one array or of each of several by name; ``which`` indexes the first axis."""
    return {name: values[which] for name, values in x.items()} if isinstance(x, Mapping) else x[which]


def count(x: Any) -> int:
    """Number of samples, of one array or of several by name."""
    return len(next(iter(x.values()))) if isinstance(x, Mapping) else len(x)


def plain(value: Any) -> Any:
    """A tensor of any device and precision as something that numpy takes; anything else as it is."""
    if not hasattr(value, "detach"):
        return value
    value = value.detach().cpu()
    return value.float() if str(getattr(value, "dtype", "")) in ("torch.bfloat16", "torch.float16") else value.numpy()


def _in_order(parts: Sequence[Part], x: Any) -> list[Any]:
    names = [part.name for part in parts]
    expected = f"{{{', '.join(f'{name!r}: ...' for name in names)}}} expected"
    if isinstance(x, Mapping):
        if unknown := [name for name in x if name not in names]:
            raise InvalidData(f"samples for {shown(unknown[0])}{did_you_mean(unknown[0], names)}", where="input", limit=expected)
        if missing := [name for name in names if name not in x]:
            raise InvalidData(f"no samples for {missing[0]}", where="input", limit=expected)
        return [x[name] for name in names]
    if isinstance(x, (tuple, list)) and len(x) == len(names):
        return list(x)
    what = f"{len(x)} arrays" if isinstance(x, (tuple, list)) else shown(x)
    raise InvalidData(f"{what} for {len(names)} inputs", where="input", limit=expected)


def _array(part: Part, values: Any) -> Array:
    try:
        array = np.asarray(plain(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidData("samples that make no array", where=f"input {part.name}", limit="samples of one shape expected") from error
    if not array.ndim or not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_):
        raise InvalidData(f"samples of type {array.dtype}", where=f"input {part.name}", limit="an array (N, ...) of numbers expected")
    return array


def _already(parts: Sequence[Part], x: Array) -> Array:
    size, names = sum(part.size for part in parts), ", ".join(part.name for part in parts)
    if x.ndim != 2 or x.shape[1] != size:
        raise InvalidData(
            f"one array of shape {x.shape} for {len(parts)} inputs ({names})",
            where="input",
            remedy="give a dict of arrays with these names, or a tuple of arrays in this order",
        )
    return x
