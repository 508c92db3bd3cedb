"""``loihiconv run``: run samples through a saved network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.options import first_samples, read_data, shapes_of
from loihiconv.commands.terminal import note, print_json, print_table
from loihiconv.core.files import check_writable, write_npz
from loihiconv.core.numbers import quantity

if TYPE_CHECKING:
    from loihiconv.core.network import Network, Recording


def run(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    data: Annotated[Path, typer.Argument(help=".npz with x_test (or x).")],
    backend: given.Backend = "emulator",
    realization: given.Realize = None,
    lif_ratio: given.LifRatio = 8.0,
    partition: given.Partition = None,
    ethernet: given.Ethernet = None,
    chip: given.Chip = None,
    profile: given.Profile = False,
    neurocore_model: given.NeurocoreModel = None,
    samples: given.Samples = None,
    device: given.Device = "cpu",
    memory: given.Memory = None,
    stock_models: given.StockModels = False,
    strict: given.Strict = False,
    out: Annotated[
        Path | None, typer.Option(help="Write predictions, potentials, each of several outputs, spike counts and sums of payloads (.npz).")
    ] = None,
    mean: given.Mean = "",
    std: given.Std = "",
    as_json: given.Json = False,
) -> None:
    """Run samples through a saved network.

    Example: loihiconv run lenet.lnet mnist.npz --samples 1000 --out result.npz
    """
    from loihiconv.commands.progress import Bar
    from loihiconv.core.artifact import load
    from loihiconv.lava.chip.settings import BoardAccess

    if out is not None:
        check_writable(out)
    net = load(network)
    test = first_samples(read_data(data, "test", mean, std, shapes_of(net)), samples)
    labels = _labels(test.y, net)
    from loihiconv.backends.run import run as run_network  # after what can be mistyped: it loads torch

    with Bar(backend, len(test)) as bar:
        recording = run_network(
            net,
            test.x,
            backend,
            counts=out is not None,
            device=device,
            memory=memory,
            stock_models=stock_models,
            realization=realization,
            lif_ratio=lif_ratio,
            access=BoardAccess(partition, None, ethernet, chip, profile, neurocore_model),
            strict=strict,
            progress=bar.update,
        )
    summary: dict[str, Any] = {
        "backend": backend,
        "n": len(recording),
        "timesteps": recording.timesteps,
        **({"largest_payload": net.payload_max} if net.payload_max > 1 else {}),
        "firing_rate": recording.firing_rate,
        "synaptic_operations": recording.synaptic_operations,
        **({} if recording.realization is None else {"realization": recording.realization.to_json()}),
        **({} if recording.profile is None else {"profile": recording.profile}),
        **({"saturated": [s.to_json() for s in recording.saturated]} if recording.saturated and as_json else {}),
    }
    summary = {key: value for key, value in summary.items() if value == value}  # NaN: spikes were not counted
    if labels is not None:
        from loihiconv.evaluation.metrics import wilson

        correct = int((recording.predictions == labels).sum())
        summary |= {"accuracy": correct / len(recording), "wilson95": list(wilson(correct, len(recording)))}
    if out is not None:
        counts = {f"spike_counts/{name}": c for name, c in recording.spike_counts.items()}
        counts |= {f"payload_sums/{name}": sums for name, sums in recording.payload_sums.items()}
        outputs = {f"outputs/{name}": values for name, values in _outputs(recording).items()}
        write_npz(out, {"predictions": recording.predictions, "potentials": recording.potentials, **outputs, **counts})
    if as_json:
        print_json({**summary, "predictions": recording.predictions.tolist()})
        return
    print_table(f"{network} on {data}", ["quantity", "value"], [[key, quantity(value)] for key, value in summary.items()])


def _outputs(recording: Recording) -> dict[str, Any]:
    """Each output where there are several."""
    return recording.outputs if isinstance(recording.outputs, dict) else {}


def _labels(y: Any, net: Network) -> Any:
    """Labels that accuracy can be judged by, checked before anything runs; None where there are none."""
    if y is None:
        return None
    classes = net.readout.size
    if net.readout.parts:
        from loihiconv.core.parts import described

        note(f"{described(net.outputs, 'outputs')}: no accuracy is given; compare --output judges one, --out writes all of them")
        return None
    if classes == 1:
        note("the network has one output, so that no accuracy is given; --out writes its potentials")
        return None
    from loihiconv.evaluation.predicting import check_labels

    return check_labels(y, classes)
