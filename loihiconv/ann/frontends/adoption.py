"""Modules that are no part of the model that calls them.

``forward()`` may make them as it goes, as in ``nn.ReLU()(x)`` or ``self.features[:3](x)``, or take them from a plain list or from outside
of the model. While it is recorded they become part of the module that calls them, so that what they do has a path.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from loihiconv.core.errors import UnsupportedLayer

_BY_MODE = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
"""Layers that do something else in training."""


def adopted(module: nn.Module, root: nn.Module, path: str, known: Mapping[nn.Module, str]) -> dict[nn.Module, str]:
    """Make a module part of the one that calls it, and give paths to all of it that has none.

    Parameters
    ----------
    module : nn.Module
    root : nn.Module
        Holds the model under the name ``model``.
    path : str
        Of the module that calls it, within the model.
    known : {module: path}
        What has a path already, as the layers of a slice have.

    Raises
    ------
    UnsupportedLayer
        If ``model.eval()`` did not reach layers for which that makes a difference.
    """
    begin = ".".join(filter(None, ("model", path)))
    caller = root.get_submodule(begin)
    kind = type(module).__name__.lower()
    name = next(chosen for i in range(len(known) + 1) if not hasattr(caller, chosen := f"{kind}_{i}" if i else kind))
    for part in module.modules():
        if part.training and isinstance(part, _BY_MODE) and getattr(part, "p", True) and part not in known:
            raise UnsupportedLayer(
                f"{type(part).__name__} is in training mode, as model.eval() does not reach it",
                where=f"{path}.{name}".lstrip("."),
                remedy="make it in __init__, and keep it as an attribute or in an nn.ModuleList",
            )
    caller.add_module(name, module)
    return {part: found for found, part in module.named_modules(prefix=f"{begin}.{name}") if part not in known}
