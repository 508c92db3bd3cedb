"""Where accuracy goes: the loss of every step from the float network to the emulator, and every layer's error along the way.

All stages see the same images, so each step's loss is a paired difference (`loihiconv.evaluation.pairing`), and the losses of
all steps add up to the loss of the whole conversion, sample for sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.frontends.given import for_network
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.input_coding import Samples
from loihiconv.core.linear import Array
from loihiconv.core.metric import ACCURACY, Metric
from loihiconv.core.network import Integrator, Network, Readout, Recording
from loihiconv.evaluation.explain.analog import RateModel
from loihiconv.evaluation.explain.layers import ErrorSum, LayerStatistics, layer_sums
from loihiconv.evaluation.explain.reference import Reference, read_reference
from loihiconv.evaluation.explain.stages import Stage, chain
from loihiconv.evaluation.explain.theory import start_potential, tau
from loihiconv.evaluation.pairing import PairedLoss
from loihiconv.evaluation.predicting import judging, one_output
from loihiconv.evaluation.tasks.answers import Answers, answer, finished
from loihiconv.evaluation.tasks.answers import recorded as from_recording
from loihiconv.evaluation.tasks.kinds import TaskKind
from loihiconv.evaluation.tasks.scores import Scores, loss_between
from loihiconv.simulator import simulate

LAYER_SAMPLES = 256
"""Samples that layers' errors are measured on."""
LOSS = 0.005
"""A loss that is noticeable, as a share: half a percentage point of accuracy."""
BATCH = 64

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Step:
    """One stage, and what the step from the stage before it costs.

    Attributes
    ----------
    key, title, meaning : str
        As in `loihiconv.evaluation.explain.stages.Stage`.
    value : float
        The task's metric: accuracy of a classification.
    interval95 : (low, high)
        Of the metric.
    step : PairedLoss or None
        None for the float network itself.
    same : bool
        That by construction nothing changed.
    """

    key: str
    title: str
    meaning: str
    value: float
    interval95: tuple[float, float]
    step: PairedLoss | None
    same: bool = False

    @property
    def accuracy(self) -> float:
        """`value`, as it is called where samples are counted."""
        return self.value

    @property
    def loss(self) -> float:
        """What the step loses, 0 for the float network."""
        return 0.0 if self.step is None else self.step.loss


@dataclass(frozen=True, eq=False)
class Waterfall:
    """The chain of stages on one test set.

    Attributes
    ----------
    n : int
        Samples, the same for all stages.
    steps : tuple of Step
        The first is the float network.
    total : PairedLoss
        Of the whole conversion: the sum of all steps.
    layers : tuple of LayerStatistics
        In the order of the network, on ``layer_samples`` of the samples.
    layer_samples : int
    metric : Metric
        What values and losses are of.
    noticeable : float
        A step must lose this much, beyond chance, to be named for that alone.
    """

    n: int
    steps: tuple[Step, ...]
    total: PairedLoss
    layers: tuple[LayerStatistics, ...]
    layer_samples: int
    metric: Metric = ACCURACY
    noticeable: float = LOSS

    def __getitem__(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    def __contains__(self, key: str) -> bool:
        return any(step.key == key for step in self.steps)


def waterfall(
    model: Source,
    net: Network,
    test_set: tuple[Samples, Array],
    *,
    kind: TaskKind | None = None,
    recorded: Mapping[str, Recording | Array] | None = None,
    layer_samples: int = LAYER_SAMPLES,
    device: str = "cpu",
    reference: Reference | None = None,
    progress: Progress | None = None,
) -> Waterfall:
    """Measure every step of a conversion on the same samples.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        The float network that ``net`` was made of.
    net : Network
        Float or fixed point.
    test_set : (x (N, \\*shape), y (N, ...))
    kind : TaskKind, optional
        What outputs are judged by; by default what the network's end and the labels say.
    recorded : {name: Recording, outputs (N, ...), or of a classification predictions (N,)}, optional
        Of the same samples: "float" and "emulator" spare running them again; any other name, say "hardware", becomes a
        stage of its own at the end, in the order given.
    layer_samples : int
        How many samples, spread evenly over the test set, layers' errors are measured on.
    device : str
        Torch device of the spiking stages.
    reference : Reference, optional
        Of this model and network, where it has been read already.
    progress : callable (stage, samples done, samples in all), optional

    Raises
    ------
    InvalidSetting
        If ``layer_samples`` is below 1, or the network was saved without its float origin.
    InvalidData
        If samples and labels, or what was recorded, do not belong together.
    """
    net = one_output(net)
    model = for_network(readable(model), net)
    net, x, y, kind, _ = judging(net, test_set, None if kind is None else kind.name)
    if layer_samples < 1:
        raise InvalidSetting(f"layer_samples {layer_samples}", where="layer_samples", limit="at least 1 expected")
    origin = float_origin(net)
    reference = read_reference(model, origin) if reference is None else reference
    given = {name: _answers(name, what, x, kind) for name, what in (recorded or {}).items()}
    stages = chain(net, reference)
    if "float" in given and any(stage.key == "float" and stage.same for stage in stages):
        given["spikes"] = given["float"]
    known = {stage.key for stage in stages}
    stages += tuple(
        Stage(name, name, f"What {name} decided differently from the emulator.", "recorded") for name in given if name not in known
    )
    scores: list[Scores] = []
    steps: list[Step] = []
    for stage in stages:
        if stage.same and scores:
            now = scores[-1]
        else:
            now = kind.score(given[stage.key] if stage.key in given else _run(stage, net, model, x, device, progress), y)
        change = loss_between(scores[-1], now, same=stage.same) if scores else None
        steps.append(Step(stage.key, stage.title, stage.meaning, now.value, now.interval95, change, stage.same))
        scores.append(now)
    some = x[spread(len(x), layer_samples)]
    layers = tuple(layer_statistics(net, reference, stages, some, device=device, progress=progress))
    return Waterfall(len(y), tuple(steps), loss_between(scores[0], scores[-1]), layers, len(some), kind.metric, LOSS * kind.unit(y))


def layer_statistics(
    net: Network, reference: Reference, stages: tuple[Stage, ...], x: Array, *, device: str = "cpu", progress: Progress | None = None
) -> Iterator[LayerStatistics]:
    """Every layer's error along the chain, batch by batch; memory does not grow with the number of samples."""
    sums = layer_sums(net)
    stages = tuple(s for s in stages if s.kind in ("rates", "spikes") and s.network is not None)
    errors = {s.key: {name: ErrorSum() for name in sums} for s in stages}
    models = {s.key: RateModel(s.network) for s in stages if s.kind == "rates" and s.network is not None}
    analog = RateModel(reference.plain)
    for begin in range(0, len(x), BATCH):
        part = x[begin : begin + BATCH]
        a = {name: values.numpy() for name, values in analog(part, "relu", keep=set(sums))[1].items()}
        a |= reference.activations(part, set(sums))
        for stage in stages:
            if stage.kind == "rates":
                r = {name: values.numpy() for name, values in models[stage.key](part, stage.transfer, keep=set(sums))[1].items()}
                delta: dict[str, Array] = {}
            else:
                assert stage.network is not None  # chosen above
                r, delta = _spiking_rates(stage.network, part, device)
            for name, total in errors[stage.key].items():
                total.add(sums[name].per_activation(a[name]), sums[name].per_activation(r[name].reshape(a[name].shape)))
            if stage is stages[-1]:
                for name, layer in sums.items():
                    layer.add(a[name].reshape(len(part), *layer.population.shape), r[name], delta.get(name))
        if progress is not None:
            progress("layers", min(begin + BATCH, len(x)), len(x))
    for name, layer in sums.items():
        yield layer.result({key: by_name[name].result() for key, by_name in errors.items()})


def float_origin(net: Network) -> Network:
    """The float network behind a network, or `InvalidSetting` where it was saved without."""
    if not net.fixed_point:
        return net
    if net.origin is None:
        raise InvalidSetting("the network was saved without its float origin", where="waterfall", remedy="convert the model again")
    return net.origin


def spread(n: int, wanted: int) -> slice:
    """Every so many-th of n samples, so that they come from all over a test set that may be sorted by class."""
    step = max(1, n // wanted)
    return slice(0, step * wanted, step)


def _spiking_rates(network: Network, x: Array, device: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """Rates of all populations, outputs of the readout, and V(T) - V(0) in thresholds of those that have a potential."""
    recording = simulate(network, x, record=["residuals"], device=device)
    rates = {name: recording.sent(name).astype(np.float32) / recording.timesteps for name in recording.spike_counts}
    delta: dict[str, Array] = {}
    for p in network.populations:
        if isinstance(p, Integrator) and p.spiking:
            delta[p.name] = (recording.residuals[p.name] - start_potential(network, p)) / tau(network, p)
        elif isinstance(p, Readout):
            charge = recording.potentials - start_potential(network, p)
            rates[p.name] = (charge / (network.readout_steps * p.scale)).astype(np.float32)
    return rates, delta


def _run(stage: Stage, net: Network, model: FloatModel, x: Array, device: str, progress: Progress | None) -> Answers:
    if stage.kind == "model":
        return answer(model, x, net.readout.output_shape)
    assert stage.network is not None  # only recorded stages have none
    if stage.kind == "rates":
        return finished(net.readout, RateModel(stage.network).outputs(x, stage.transfer))

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(stage.title, done, total)

    return from_recording(simulate(stage.network, x, counts=False, device=device, progress=report))


def _answers(name: str, what: Recording | Array, x: Array, kind: TaskKind) -> Answers:
    if len(what) != len(x):
        raise InvalidData(
            f"recorded {len(what)} samples, the test set has {len(x)}",
            where=name,
            limit="the same samples expected",
            remedy="give the test set that was recorded",
        )
    if isinstance(what, Recording):
        return from_recording(what)
    values = np.asarray(what)
    if kind.name == "classification" and values.size == len(values):
        return Answers(values, named=values.reshape(-1))
    if values[0].size != int(np.prod(kind.end.shape)):
        limit = f"outputs of shape {kind.end.shape} for each sample expected"
        raise InvalidData(f"recorded values of shape {values.shape}", where=name, limit=limit)
    return Answers(values.reshape(len(values), *kind.end.shape))
