"""``loihiconv run``: run samples through a saved network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.data import FORMS, Said, read_data, training_samples, with_preprocessing
from loihiconv.commands.keeping import check_kept, kept
from loihiconv.commands.options import shapes_of
from loihiconv.commands.terminal import note, print_json, print_run, print_table
from loihiconv.core import numbers as n
from loihiconv.core.files import check_writable, write_npz

if TYPE_CHECKING:
    from loihiconv.core.network import Network
    from loihiconv.core.recording import Recording
    from loihiconv.evaluation.result import BackendResult
    from loihiconv.evaluation.tasks.kinds import TaskKind

UNITS = {"us": "µs", "w": "W", "mj": "mJ"}
"""By how the names of measured figures end."""


@with_preprocessing
def run(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    data: Annotated[str, typer.Argument(help=f"Samples: {FORMS}, with x_test (or x) or a folder test.")],
    said: Said,
    backend: given.Backend = "emulator",
    realization: given.Realize = None,
    lif_ratio: given.LifRatio = None,
    calibration: given.Calibration = None,
    partition: given.Partition = None,
    ethernet: given.Ethernet = None,
    chip: given.Chip = None,
    profile: given.Profile = None,
    read_late: given.ReadLate = 0,
    neurocore_model: given.NeurocoreModel = None,
    samples: given.Samples = None,
    device: given.Device = "cpu",
    memory: given.Memory = None,
    stock_models: given.StockModels = False,
    task: given.TaskName = None,
    strict: given.Strict = False,
    deadline: given.Deadline = None,
    out: Annotated[
        Path | None, typer.Option(help="Write predictions, outputs, potentials, spike counts and sums of payloads (.npz).")
    ] = None,
    resume: given.Resume = False,
    cluster: given.Cluster = None,
    as_json: given.Json = False,
) -> None:
    """Run samples through a saved network.

    Example: loihiconv run lenet.lnet mnist.npz --samples 1000 --out result.npz
    """
    from loihiconv.backends.registry import find
    from loihiconv.clusters.cluster import check_cluster
    from loihiconv.core.artifact import load
    from loihiconv.core.progress import Bars
    from loihiconv.lava.chip.realizations import TO_ZERO
    from loihiconv.lava.chip.settings import BoardAccess

    keep = None if out is None or profile else out.with_name(f"{out.name}.part")
    if out is not None:
        check_writable(out)
    check_kept(keep, resume=resume)
    check_cluster(cluster)
    net = load(network)
    test = read_data(data, "test", shapes_of(net), samples=(samples or 1) if profile else samples)
    net, x = said.fitted(net, test.x)
    kind, labels = _task(net, test.y, task)
    training = training_samples(calibration, data, said, net) if realization in TO_ZERO else None
    from loihiconv.backends.run import run as run_network  # after what can be mistyped: it loads torch
    from loihiconv.core.input_preprocessing import as_json as as_fields

    with kept(keep, len(test)), on_cluster(cluster, boards=find(backend).hardware) as client, Bars() as bars:
        recording = run_network(
            net,
            x,
            backend,
            counts=out is not None,
            device=device,
            memory=memory,
            stock_models=stock_models,
            realization=realization,
            lif_ratio=lif_ratio,
            calibration=training,
            access=BoardAccess(partition, None, ethernet, chip, profile, neurocore_model, read_late),
            deadline=deadline,
            strict=strict,
            keep=keep,
            cluster=client,
            progress=partial(bars, backend),
        )
        predictions = _predictions(kind, recording)
        if out is not None:
            _write(out, recording, predictions)
    if profile and labels is not None:
        labels = labels[-len(recording) :]  # a measurement leaves the result of the last sample
    summary: dict[str, Any] = {
        "backend": backend,
        "n": len(recording),
        "timesteps": recording.timesteps,
        **({} if (done := net.preprocessing) is None or not as_json else {"preprocessing": as_fields(done)}),
        **({"largest_payload": net.payload_max} if net.payload_max > 1 else {}),
        "firing_rate": recording.firing_rate,
        "synaptic_operations": recording.synaptic_operations,
        **({} if recording.realization is None else {"realization": recording.realization.to_json()}),
        **({} if recording.profile is None else {"profile": recording.profile}),
        **({"saturated": [s.to_json() for s in recording.saturated]} if recording.saturated and as_json else {}),
    }
    summary = {key: value for key, value in summary.items() if value == value}  # NaN: spikes were not counted
    judged = None if kind is None or labels is None else _judged(kind, recording, labels)
    if kind is not None and judged is not None:
        summary |= _figures(kind, judged)
    if as_json:
        print_json({**summary, **{name: values.tolist() for name, values in predictions.items()}})
        return
    measured = _measured(summary.pop("profile", None) or {})
    print_run(f"{network} on {data}: {net.board or 'float'}, {net.steps}", backend, summary, judged)
    if measured:
        print_table("measured", ["", profile or ""], [[name.replace("_", " "), n.quantity(value)] for name, value in measured.items()])


def _measured(profile: dict[str, Any]) -> dict[str, Any]:
    """What was measured as lines of text: {"time per step": "12.5 µs"}; the profiler's own numbers are in the JSON alone."""
    found: dict[str, Any] = {}
    for key, value in profile.items():
        name, _, last = key.rpartition("_")
        if last in UNITS:
            found[name] = f"{n.quantity(value)} {UNITS[last]}"
        elif key not in ("profiler", "measurement"):
            found[key] = value
    return found


def _write(out: Path, recording: Recording, predictions: Mapping[str, Any]) -> None:
    counts = {f"spike_counts/{name}": c for name, c in recording.spike_counts.items()}
    counts |= {f"payload_sums/{name}": sums for name, sums in recording.payload_sums.items()}
    outputs = recording.named_outputs
    write_npz(out, {**predictions, **outputs, "potentials": recording.potentials, **counts})


def _task(net: Network, y: Any, task: Any) -> tuple[TaskKind | None, Any]:
    """What outputs are judged by, and labels for it, checked before anything runs; None where there are none."""
    if y is None and (task is None or net.readout.parts):
        return None, None
    if net.readout.parts:
        from loihiconv.core.parts import described

        note(f"{described(net.outputs, 'outputs')}: none is judged; compare --output judges one, --out writes all of them")
        return None, None
    from loihiconv.evaluation.tasks.answers import end_of_network
    from loihiconv.evaluation.tasks.choosing import choose_task
    from loihiconv.evaluation.tasks.kinds import kind_of

    if y is None:
        return kind_of(task, end_of_network(net)), None
    return choose_task(end_of_network(net), y, task)


def _predictions(kind: TaskKind | None, recording: Recording) -> dict[str, Any]:
    """What the task decides for, int arrays (N, ...); nothing where it asks for numbers."""
    if kind is None:
        return {"predictions": recording.predictions}
    from loihiconv.evaluation.tasks.answers import recorded

    decided = kind.decisions(recorded(recording))
    if decided is None:
        return {}
    shape = recording.predictions.shape if decided.size == recording.predictions.size else decided.shape  # images keep theirs
    return {"predictions": decided.astype("int64").reshape(shape)}


def _judged(kind: TaskKind, recording: Recording, y: Any) -> BackendResult:
    """How the run did at the task."""
    from loihiconv.evaluation.result import BackendResult
    from loihiconv.evaluation.tasks.answers import recorded

    scores = kind.score(recorded(recording), y)
    return BackendResult(
        scores.metric,
        scores.value,
        scores.interval95,
        scores.n,
        None,
        scores.parts,
        scores.figures,
        firing_rate=recording.firing_rate,
        synaptic_operations=recording.synaptic_operations,
    )


def _figures(kind: TaskKind, judged: BackendResult) -> dict[str, Any]:
    """What the task is judged by, with intervals."""
    measured = [(judged.metric, judged.value, judged.interval95), *((f.metric, f.value, f.interval95) for f in judged.figures)]
    figures: dict[str, Any] = {"task": kind.name}
    for metric, value, interval in measured:
        name = "wilson95" if metric.counted else f"{metric.key}_interval95"
        figures |= {metric.key: value, name: list(interval)}
    return figures
