"""The network that is trained: weights, biases and scales λ, with rates of T time steps in the place of activations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from loihiconv.ann.evaluator import Evaluator, product
from loihiconv.ann.graph import Add, Ann, Linear, MaxPool, Node, Relu
from loihiconv.conversion.scales import Scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.finetuning.arranging import arranging
from loihiconv.finetuning.rates import clip_floor_shift, spiking
from loihiconv.finetuning.weights import factors, on_grid

Step = Callable[..., Tensor]


@dataclass(frozen=True)
class Flow:
    """What a node gives.

    Attributes
    ----------
    mean : tensor (N, \\*shape)
        Over the time steps, with gradients.
    steps : tensor (T N, \\*shape) or None
        At each time step, without; None where it is the same at all of them, or where nobody counts.
    """

    mean: Tensor
    steps: Tensor | None = None


class Student:
    """A network whose rectified layers have rates of T time steps.

    Parameters
    ----------
    ann : Ann
        Simplified (`loihiconv.ann.passes.simplify`) and, where neurons spike in time, pooled as boards do.
    scales : {node: λ}
        To begin with, of all rectified nodes.
    timesteps : int
    in_time : bool
        Count the spikes of neurons, in place of rounding what they receive in all.
    bits : int or None
        Round weights to so many.
    device : str or torch.device
        Where it is trained.

    Attributes
    ----------
    parameters : {name: tensor}
        Weights and biases of layers, and logarithms of λ.
    """

    def __init__(
        self,
        ann: Ann,
        scales: Scales,
        timesteps: int,
        *,
        in_time: bool,
        bits: int | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.ann, self.timesteps, self.in_time, self.bits, self.device = ann, timesteps, in_time, bits, torch.device(device)
        self.parameters: dict[str, Tensor] = {}
        self._evaluator, self._scales = Evaluator(ann, self.device), scales
        self._masks: dict[str, Tensor] = {}
        self._fixed: dict[str, Step] = {}
        for node in ann:
            if isinstance(node, Linear) and is_trained(node):
                self._add_layer(node)
            elif isinstance(node, Relu) and not node.scale_of:
                self._add(f"{node.name}.scale", np.log(scales[node.name]))
            elif not isinstance(node, Relu | Add):
                arranged = arranging(node)
                self._fixed[node.name] = self._evaluator.step(node) if arranged is None else arranged
        self._last_use = {name: i for i, node in enumerate(ann) for name in node.inputs}

    def _add_layer(self, node: Linear) -> None:
        shape = self.ann.shapes[node.name]
        self._add(f"{node.name}.weight", node.map.weight)
        self._add(f"{node.name}.bias", np.zeros((shape[0], *(1,) * (len(shape) - 1))) if node.bias is None else node.bias)
        if not node.map.weight.all():
            self._masks[node.name] = self._tensor(node.map.weight != 0)

    def _add(self, name: str, values: Array) -> None:
        self.parameters[name] = self._tensor(values).requires_grad_()

    def _tensor(self, values: Array) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32, order="C")).to(self.device)

    def __call__(self, x: Tensor) -> Tensor:
        """Outputs (N, \\*shape) for samples (N, \\*input_shape), before the network's last functions."""
        given = self._evaluator.inputs(x)
        flows: dict[str, Flow] = {}
        for i, node in enumerate(self.ann):
            flow = self._flow(node, [flows[name] for name in node.inputs]) if node.inputs else Flow(given[node.name])
            flows[node.name] = flow
            for name in node.inputs:
                if self._last_use[name] == i:
                    flows.pop(name, None)
        return flow.mean

    def scale(self, name: str) -> Tensor:
        """λ of a rectified node, as it is now."""
        while isinstance(node := self.ann[name], Relu) and node.scale_of:  # windows of windows
            name = node.scale_of
        return self.parameters[f"{name}.scale"].exp()

    def sizes(self) -> dict[str, float]:
        """How large a change of each parameter is one of 100 %, for `loihiconv.finetuning.options.Tuning.rate`.

        Of weights their root mean square, of biases that or a share of λ, whichever is larger, of logarithms 1.
        """
        found = {}
        for name, values in self.parameters.items():
            layer, _, kind = name.rpartition(".")
            size = 1.0 if kind == "scale" else float(values.detach().square().mean().sqrt())
            found[name] = max(size, BIAS_SHARE * float(self._scale_after(layer).detach().mean())) if kind == "bias" else size
        return found

    def tuned(self, ann: Ann) -> Ann:
        """A simplified network with the weights and biases that it has now; weights rounded to so many bits as it has seen them."""
        return Ann(
            tuple(self._tuned(node) if f"{node.name}.weight" in self.parameters else node for node in ann),
            ending=ann.ending,
            parts=ann.parts,
            output_name=ann.output_name,
        )

    def scales(self) -> dict[str, Array]:
        """λ of the rectified nodes that have their own, as they are now."""
        names = [name.removesuffix(".scale") for name in self.parameters if name.endswith(".scale")]
        return {name: self.scale(name).detach().double().cpu().numpy() for name in names}

    def _tuned(self, node: Node) -> Linear:
        assert isinstance(node, Linear)
        weight, bias = self._weight(node).detach(), self.parameters[f"{node.name}.bias"].detach()
        return replace(node, map=node.map.with_weight(weight.cpu().numpy().copy()), bias=bias.cpu().numpy().copy())

    def _flow(self, node: Node, sources: list[Flow]) -> Flow:
        match node:
            case Relu():
                return self._rectified(node, sources[0])
            case Add():
                return _sum(sources, self.timesteps)
            case _:
                step = self._fixed.get(node.name) or self._trained(node)
                mean, steps = step(sources[0].mean), sources[0].steps
                if steps is None or node is self.ann.output:
                    return Flow(mean)
                with torch.no_grad():
                    return Flow(mean, step(steps))

    def _rectified(self, node: Relu, source: Flow) -> Flow:
        scale = self.scale(node.name)
        if not self.in_time:
            return Flow(clip_floor_shift(source.mean, scale, self.timesteps))
        constant = source.steps is None
        currents = source.mean if source.steps is None else source.steps
        return Flow(*spiking(source.mean, currents, scale, self.timesteps, Settings.start, 0.0 if constant else Settings.hold_back))

    def _trained(self, node: Node) -> Step:
        """The function of a layer with its present weights."""
        assert isinstance(node, Linear)
        bias, shape = self.parameters[f"{node.name}.bias"], node.shape
        apply = product(node.map, self._weight(node))
        return lambda x: (apply(x) if shape is None else apply(x).reshape(len(x), *shape)) + bias

    def _weight(self, layer: Linear) -> Tensor:
        """Present weights of a layer: pruned ones stay so, and all are rounded where they are to be."""
        weight = self.parameters[f"{layer.name}.weight"]
        if layer.name in self._masks:
            weight = weight * self._masks[layer.name]
        return weight if self.bits is None else on_grid(weight, self._factors(layer), self.bits)

    def _factors(self, layer: Linear) -> Tensor:
        """λ_before / λ_after of a layer's weights; 1 for a side on which there is no population."""
        assert isinstance(layer.map, Dense | Conv)
        with torch.no_grad():
            before = self._scale_before(layer.inputs[0]).expand(self.ann.shapes[layer.inputs[0]])
            after = self._scale_after(layer.name).expand(self.ann.shapes[layer.name])
            dense = isinstance(layer.map, Dense)
            return factors(layer.map, *(s.flatten() if dense else s[:, 0, 0] for s in (before, after)))

    def _scale_before(self, name: str) -> Tensor:
        node = self.ann[name]
        if isinstance(node, MaxPool):
            return self._scale_before(node.inputs[0])
        return self.scale(name) if isinstance(node, Relu) else torch.ones((), device=self.device)

    def _scale_after(self, name: str) -> Tensor:
        user = next(iter(self.ann.users(name)), None)
        if isinstance(user, Add):
            return self._scale_after(user.name)
        return self.scale(user.name) if isinstance(user, Relu) else torch.ones((), device=self.device)


def is_trained(node: Linear) -> bool:
    """Whether weights are trained: of dense layers and convolutions, if they have more than one magnitude.

    What only arranges, compares or averages has one, and so have binary weights, which stay so.
    """
    magnitude = np.abs(node.map.weight[node.map.weight != 0])
    return isinstance(node.map, Dense | Conv) and magnitude.size > 0 and not bool((magnitude == magnitude[0]).all())


def _sum(sources: list[Flow], timesteps: int) -> Flow:
    mean = sum((source.mean for source in sources[1:]), start=sources[0].mean)
    if all(source.steps is None for source in sources):
        return Flow(mean)
    each = [_at_each_step(source, timesteps) for source in sources]
    return Flow(mean, sum(each[1:], start=each[0]))


def _at_each_step(source: Flow, timesteps: int) -> Tensor:
    mean = source.mean.detach()
    return mean.repeat(timesteps, *(1,) * (mean.ndim - 1)) if source.steps is None else source.steps


BIAS_SHARE = 0.1
"""Of λ: what counts as the size of biases that are near 0."""
