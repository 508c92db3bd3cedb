"""The command line: a few lines around each public function.

Tables and JSON go to standard output, progress, notes and errors to standard error. Errors are one line and exit code 2.
"""

from __future__ import annotations

import sys
import warnings
from math import prod
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from loihiconv import cli_options as given
from loihiconv.cli_options import ConversionSettings, first_samples, load_model, numbers, read_data
from loihiconv.errors import InvalidData, LoihiconvError
from loihiconv.files import check_writable, make_folder, write_json, write_npz, write_text
from loihiconv.terminal import Bar, bars, error, note, print_check, print_comparison, print_json, print_table, shown

app = typer.Typer(
    help="Trained float networks on Intel Loihi: check, convert, run, compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def check(
    model: given.Model,
    shape: Annotated[str, typer.Option(help="Shape of one sample, channels first, e.g. 1,28,28.")],
    weights: given.Weights = None,
    board: Annotated[str | None, typer.Option("--board", "--hardware", help="Also compare with a board's size.")] = None,
    maxpool: given.Pooling = "gate",
    as_json: given.Json = False,
) -> None:
    """Say layer by layer what cannot be converted, and whether it would fit a board.

    Example: loihiconv check mynets:lenet --shape 1,28,28 --board kapoho_point
    """
    from loihiconv.checking import check as run_check

    result = run_check(load_model(model, weights), tuple(int(n) for n in numbers(shape, "shape")), board, maxpool=maxpool)  # type: ignore[arg-type]  # checked there
    print_json(result.to_json()) if as_json else print_check(result)
    if not result.ok:
        raise typer.Exit(2)


@app.command()
def convert(
    model: given.Model,
    calibration: Annotated[Path, typer.Option(help=".npz with x_train (or x): training samples.")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.lnet).")],
    weights: given.Weights = None,
    board: given.Board = "kapoho_point",
    timesteps: given.Steps = 32,
    percentile: given.Percentile = 99.9,
    input_coding: given.InputCoding = "analog",
    reset: given.Reset = "subtract",
    start: given.Start = 0.5,
    maxpool: given.Pooling = "gate",
    per_channel: given.PerChannel = False,
    readout: given.Decision = "potential",
    seed: given.Seed = 0,
    bias_correction: given.BiasCorrection = True,
    calibration_samples: given.CalibrationSamples = 1000,
    mean: given.Mean = "",
    std: given.Std = "",
    as_json: given.Json = False,
) -> None:
    """Convert a trained network for a board and save it.

    Example: loihiconv convert mynets:lenet --weights lenet.pt --calibration mnist.npz -T 32 --out lenet.lnet
    """
    from loihiconv.artifact import save

    check_writable(out)
    data = read_data(calibration, "train", mean, std)
    settings = ConversionSettings(
        calibration_samples,
        hardware=board,
        timesteps=timesteps,
        percentile=percentile,
        per_channel=per_channel,
        input_coding=input_coding,
        reset=reset,
        start=start,
        maxpool=maxpool,
        readout=readout,
        seed=seed,
        bias_correction=bias_correction,
    )
    net = settings.convert(load_model(model, weights), data.x)
    save(net, out)
    if as_json:
        print_json({"path": str(out), "timesteps": net.timesteps, "hardware": net.hardware, **net.metadata})
        return
    print_table(
        f"{out}: {net.hardware}, T = {net.timesteps}",
        ["population", "neurons", "threshold", "limited by", "bits used"],
        [
            [p.name, str(prod(p.shape)), f"{getattr(p, 'vth', '')}", entry["limited_by"], f"{entry['weight_bits_used']:.1f}"]
            for p in net.populations
            if (entry := net.metadata["quantization"].get(p.name))
        ],
    )


@app.command()
def run(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    data: Annotated[Path, typer.Argument(help=".npz with x_test (or x).")],
    backend: Annotated[str, typer.Option(help="emulator, lava or float.")] = "emulator",
    samples: given.Samples = None,
    device: given.Device = "cpu",
    memory: given.Memory = None,
    stock_models: given.StockModels = False,
    out: Annotated[Path | None, typer.Option(help="Write predictions, potentials and spike counts (.npz).")] = None,
    mean: given.Mean = "",
    std: given.Std = "",
    as_json: given.Json = False,
) -> None:
    """Run samples through a saved network.

    Example: loihiconv run lenet.lnet mnist.npz --samples 1000 --out result.npz
    """
    from loihiconv.artifact import load
    from loihiconv.backends import run as run_network

    if out is not None:
        check_writable(out)
    net = load(network)
    test = first_samples(read_data(data, "test", mean, std), samples)
    with Bar(backend, len(test.x)) as bar:
        recording = run_network(
            net, test.x, backend, counts=out is not None, device=device, memory=memory, stock_models=stock_models, progress=bar.update
        )
    summary: dict[str, Any] = {
        "backend": backend,
        "n": len(recording),
        "timesteps": recording.timesteps,
        "firing_rate": recording.firing_rate,
        "synaptic_operations": recording.synaptic_operations,
    }
    if test.y is not None:
        from loihiconv.evaluation.metrics import wilson

        correct = int((recording.predictions == test.y).sum())
        summary |= {"accuracy": correct / len(recording), "wilson95": list(wilson(correct, len(recording)))}
    if out is not None:
        counts = {f"spike_counts/{name}": c for name, c in recording.spike_counts.items()}
        write_npz(out, {"predictions": recording.predictions, "potentials": recording.potentials, **counts})
    if as_json:
        print_json({**summary, "predictions": recording.predictions.tolist()})
        return
    print_table(f"{network} on {data}", ["quantity", "value"], [[key, shown(value)] for key, value in summary.items()])


@app.command()
def compare(
    model: given.Model,
    data: Annotated[Path, typer.Argument(help=".npz with x_train, y_train, x_test, y_test.")],
    weights: given.Weights = None,
    net: Annotated[Path | None, typer.Option(help="A saved network instead of converting one now (.lnet).")] = None,
    board: given.Board = "kapoho_point",
    timesteps: given.Steps = 32,
    backends: Annotated[str, typer.Option(help="Comma-separated: float, emulator, lava.")] = "float,emulator",
    lava_samples: Annotated[int, typer.Option(help="First samples that run in Lava's simulator.")] = 50,
    samples: given.Samples = None,
    device: given.Device = "cpu",
    stock_models: given.StockModels = False,
    percentile: given.Percentile = 99.9,
    input_coding: given.InputCoding = "analog",
    reset: given.Reset = "subtract",
    start: given.Start = 0.5,
    maxpool: given.Pooling = "gate",
    per_channel: given.PerChannel = False,
    readout: given.Decision = "potential",
    seed: given.Seed = 0,
    bias_correction: given.BiasCorrection = True,
    calibration_samples: given.CalibrationSamples = 1000,
    mean: given.Mean = "",
    std: given.Std = "",
    as_json: given.Json = False,
) -> None:
    """Compare back ends with the float network on a test set; calibration uses training samples only.

    Example: loihiconv compare mynets:lenet mnist.npz --weights lenet.pt -T 32 --backends float,emulator,lava
    """
    from loihiconv.artifact import load
    from loihiconv.evaluation.comparison import compare as run_compare

    names = [name.strip() for name in backends.split(",") if name.strip()]
    network = load_model(model, weights)
    test = first_samples(read_data(data, "test", mean, std), samples)
    if test.y is None:
        raise InvalidData("holds no labels", where=str(data), limit="y_test or y expected", remedy="use 'run' for unlabelled samples")
    if net is not None:
        converted = load(net)
    else:
        train = read_data(data, "train", mean, std, same_file_is_fine=False)
        settings = ConversionSettings(
            calibration_samples,
            hardware=board,
            timesteps=timesteps,
            percentile=percentile,
            per_channel=per_channel,
            input_coding=input_coding,
            reset=reset,
            start=start,
            maxpool=maxpool,
            readout=readout,
            seed=seed,
            bias_correction=bias_correction,
        )
        converted = settings.convert(network, train.x)
    with bars() as progress:
        result = run_compare(
            network, converted, (test.x, test.y), names,
            lava_samples=lava_samples, device=device, stock_models=stock_models, progress=progress,
        )  # fmt: skip
    print_json(result.to_json()) if as_json else print_comparison(result)


@app.command()
def demo(
    timesteps: given.Steps = 32,
    board: given.Board = "kapoho_point",
    lava_samples: Annotated[int, typer.Option(help="Digits that run in Lava's simulator.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder for the network (digits.lnet) and the comparison (demo.json).")] = Path("demo-output"),
    as_json: given.Json = False,
) -> None:
    """The whole way on scikit-learn's handwritten digits: convert, emulate all held-out digits, run some in Lava.

    Example: loihiconv demo --timesteps 32
    """
    from loihiconv.artifact import save
    from loihiconv.demo import digits, digits_cnn
    from loihiconv.evaluation.comparison import compare as run_compare

    make_folder(out)
    x_train, _, x_test, y_test = digits()
    model = digits_cnn()
    settings = ConversionSettings(len(x_train), hardware=board, timesteps=timesteps)
    net = settings.convert(model, x_train)
    with bars() as progress:
        result = run_compare(model, net, (x_test, y_test), ["float", "emulator", "lava"], lava_samples=lava_samples, progress=progress)
    save(net, out / "digits.lnet")
    write_json(out / "demo.json", result.to_json())
    print_json(result.to_json()) if as_json else print_comparison(result)
    note(f"written: {out / 'digits.lnet'} and {out / 'demo.json'}")


@app.command()
def boards(as_json: given.Json = False) -> None:
    """List the boards that come with loihiconv."""
    from loihiconv.hardware.config import boards as known

    if as_json:
        print_json({name: board.model_dump() for name, board in known().items()})
        return
    rows = [
        [b.name, str(b.generation), str(b.chips.value), str(b.cores), "yes" if b.graded_spikes else "no", b.title] for b in known().values()
    ]
    print_table("Boards", ["name", "Loihi", "chips", "cores", "graded spikes", "title"], rows)


@app.command()
def place(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    board: Annotated[str | None, typer.Option("--board", "--hardware", help="Another board than it was converted for.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a picture of the board, each core in its layer's colour (.svg).")] = None,
    picture: Annotated[bool, typer.Option("--picture", help="Draw the board as text.")] = False,
    as_json: given.Json = False,
) -> None:
    """Put a saved network onto a board's cores: how many it takes, and what does not fit. Exit code 2 where something does not.

    Example: loihiconv place lenet.lnet --board nahuku32 --svg board.svg
    """
    from loihiconv.artifact import load
    from loihiconv.hardware import board_picture
    from loihiconv.hardware.placement import place as run_place
    from loihiconv.hardware.placement_table import print_placement

    if svg is not None:
        check_writable(svg)
    placement = run_place(load(network), board)
    if svg is not None:
        write_text(svg, board_picture.svg(placement))
    print_json(placement.to_json()) if as_json else print_placement(placement, picture=picture)
    if not placement.fits:
        raise typer.Exit(2)


def main() -> NoReturn:
    """Entry point of the ``loihiconv`` command."""
    warnings.showwarning = lambda message, *_, **__: note(f"warning: {message}")
    try:
        app()
    except LoihiconvError as cause:
        error(str(cause))
        sys.exit(cause.exit_code)
    except KeyboardInterrupt:
        error("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    sys.exit(0)


if __name__ == "__main__":
    main()
