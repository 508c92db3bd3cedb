"""The command line: a few lines around each public function.

Tables and JSON go to standard output, progress, notes and errors to standard error. Errors are one line and exit code 2.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from loihiconv.errors import InvalidData, InvalidSetting, LoihiconvError
from loihiconv.files import check_writable, make_folder, write_json, write_npz, write_text
from loihiconv.terminal import Bar, error, note, print_check, print_comparison, print_json, print_table

app = typer.Typer(
    help="Trained float networks on Intel Loihi: check, convert, run, compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(help="Factory of the network, as package.module:function. Its code is EXECUTED.", metavar="FACTORY")]
Weights = Annotated[Path | None, typer.Option(help="State dict (.pt, .pth) or .safetensors; read without executing code.")]
Board = Annotated[str, typer.Option("--board", "--hardware", help="Name of a board (see 'boards') or a .yaml file.")]
Steps = Annotated[int, typer.Option("--timesteps", "-T", help="Time steps per sample.")]
Percentile = Annotated[
    float, typer.Option(help="Percentile of non-zero activations that becomes the largest rate; 100 is max-norm, 0 no normalisation.")
]
PerChannel = Annotated[bool, typer.Option("--per-channel", help="Take the percentile of each channel instead of each layer.")]
InputCoding = Annotated[
    str, typer.Option(help="analog (payloads, or currents from the host), rate (even spikes) or poisson (random ones).")
]
Pooling = Annotated[str, typer.Option(help="gate (simulators only), relu-tree (any board) or average (not what was trained).")]
Decision = Annotated[str, typer.Option("--readout", help="potential or softmax (spiking).")]
Seed = Annotated[int, typer.Option(help="Of Poisson input and the softmax readout.")]
Reset = Annotated[str, typer.Option(help="subtract or zero.")]
Start = Annotated[float, typer.Option(help="Start potential as a fraction of the threshold.")]
CalibrationSamples = Annotated[int, typer.Option(help="Training samples that are measured.")]
Mean = Annotated[str, typer.Option(help="Numbers subtracted from each channel, e.g. 0.1307 or 0.49,0.48,0.45.")]
Std = Annotated[str, typer.Option(help="Numbers that each channel is divided by afterwards.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout, and nothing else there.")]
Device = Annotated[str, typer.Option(help="Torch device of emulator and float simulation: cpu, cuda, ...")]
Memory = Annotated[
    str | None, typer.Option(help="Working memory of emulator and float simulation, e.g. 2G; default a quarter of what is free.")
]
StockModels = Annotated[bool, typer.Option("--stock-models", help="Lava with Intel's own models of the connections: same spikes, slower.")]
Samples = Annotated[int | None, typer.Option(help="Only the first so many samples.")]


@app.command()
def check(
    model: Model,
    shape: Annotated[str, typer.Option(help="Shape of one sample, channels first, e.g. 1,28,28.")],
    weights: Weights = None,
    board: Annotated[str | None, typer.Option("--board", "--hardware", help="Also compare with a board's size.")] = None,
    maxpool: Pooling = "gate",
    as_json: Json = False,
) -> None:
    """Say layer by layer what cannot be converted, and whether it would fit a board.

    Example: loihiconv check mynets:lenet --shape 1,28,28 --board kapoho_point
    """
    from loihiconv.checking import check as run_check

    result = run_check(_model(model, weights), tuple(int(n) for n in _numbers(shape, "shape")), board, maxpool=maxpool)  # type: ignore[arg-type]  # checked there
    print_json(result.to_json()) if as_json else print_check(result)
    if not result.ok:
        raise typer.Exit(2)


@app.command()
def convert(
    model: Model,
    calibration: Annotated[Path, typer.Option(help=".npz with x_train (or x): training samples.")],
    out: Annotated[Path, typer.Option(help="Where to write the network (.lnet).")],
    weights: Weights = None,
    board: Board = "kapoho_point",
    timesteps: Steps = 32,
    percentile: Percentile = 99.9,
    input_coding: InputCoding = "analog",
    reset: Reset = "subtract",
    start: Start = 0.5,
    maxpool: Pooling = "gate",
    per_channel: PerChannel = False,
    readout: Decision = "potential",
    seed: Seed = 0,
    calibration_samples: CalibrationSamples = 1000,
    mean: Mean = "",
    std: Std = "",
    as_json: Json = False,
) -> None:
    """Convert a trained network for a board and save it.

    Example: loihiconv convert mynets:lenet --weights lenet.pt --calibration mnist.npz -T 32 --out lenet.lnet
    """
    from loihiconv.artifact import save

    check_writable(out)
    data = _read(calibration, "train", mean, std)
    settings = _Settings(
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
    )
    net = settings.convert(_model(model, weights), data.x)
    save(net, out)
    if as_json:
        print_json({"path": str(out), "timesteps": net.timesteps, "hardware": net.hardware, **net.metadata})
        return
    print_table(
        f"{out}: {net.hardware}, T = {net.timesteps}",
        ["population", "neurons", "threshold", "limited by", "bits used"],
        [
            [p.name, str(_size(p.shape)), f"{getattr(p, 'vth', '')}", entry["limited_by"], f"{entry['weight_bits_used']:.1f}"]
            for p in net.populations
            if (entry := net.metadata["quantization"].get(p.name))
        ],
    )


@app.command()
def run(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    data: Annotated[Path, typer.Argument(help=".npz with x_test (or x).")],
    backend: Annotated[str, typer.Option(help="emulator, lava or float.")] = "emulator",
    samples: Samples = None,
    device: Device = "cpu",
    memory: Memory = None,
    stock_models: StockModels = False,
    out: Annotated[Path | None, typer.Option(help="Write predictions, potentials and spike counts (.npz).")] = None,
    mean: Mean = "",
    std: Std = "",
    as_json: Json = False,
) -> None:
    """Run samples through a saved network.

    Example: loihiconv run lenet.lnet mnist.npz --samples 1000 --out result.npz
    """
    from loihiconv.artifact import load
    from loihiconv.backends import run as run_network

    if out is not None:
        check_writable(out)
    net = load(network)
    test = _first(_read(data, "test", mean, std), samples)
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
    print_table(f"{network} on {data}", ["quantity", "value"], [[key, _shown(value)] for key, value in summary.items()])


@app.command()
def compare(
    model: Model,
    data: Annotated[Path, typer.Argument(help=".npz with x_train, y_train, x_test, y_test.")],
    weights: Weights = None,
    net: Annotated[Path | None, typer.Option(help="A saved network instead of converting one now (.lnet).")] = None,
    board: Board = "kapoho_point",
    timesteps: Steps = 32,
    backends: Annotated[str, typer.Option(help="Comma-separated: float, emulator, lava.")] = "float,emulator",
    lava_samples: Annotated[int, typer.Option(help="First samples that run in Lava's simulator.")] = 50,
    samples: Samples = None,
    device: Device = "cpu",
    stock_models: StockModels = False,
    percentile: Percentile = 99.9,
    input_coding: InputCoding = "analog",
    reset: Reset = "subtract",
    start: Start = 0.5,
    maxpool: Pooling = "gate",
    per_channel: PerChannel = False,
    readout: Decision = "potential",
    seed: Seed = 0,
    calibration_samples: CalibrationSamples = 1000,
    mean: Mean = "",
    std: Std = "",
    as_json: Json = False,
) -> None:
    """Compare back ends with the float network on a test set; calibration uses training samples only.

    Example: loihiconv compare mynets:lenet mnist.npz --weights lenet.pt -T 32 --backends float,emulator,lava
    """
    from loihiconv.artifact import load
    from loihiconv.evaluation.comparison import compare as run_compare

    names = [name.strip() for name in backends.split(",") if name.strip()]
    network = _model(model, weights)
    test = _first(_read(data, "test", mean, std), samples)
    if test.y is None:
        raise InvalidData("holds no labels", where=str(data), limit="y_test or y expected", remedy="use 'run' for unlabelled samples")
    if net is not None:
        converted = load(net)
    else:
        train = _read(data, "train", mean, std, same_file_is_fine=False)
        settings = _Settings(
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
        )
        converted = settings.convert(network, train.x)
    with _bars() as progress:
        result = run_compare(
            network, converted, (test.x, test.y), names,
            lava_samples=lava_samples, device=device, stock_models=stock_models, progress=progress,
        )  # fmt: skip
    print_json(result.to_json()) if as_json else print_comparison(result)


@app.command()
def demo(
    timesteps: Steps = 32,
    board: Board = "kapoho_point",
    lava_samples: Annotated[int, typer.Option(help="Digits that run in Lava's simulator.")] = 20,
    out: Annotated[Path, typer.Option(help="Folder for the network (digits.lnet) and the comparison (demo.json).")] = Path("demo-output"),
    as_json: Json = False,
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
    settings = _Settings(len(x_train), hardware=board, timesteps=timesteps)
    net = settings.convert(model, x_train)
    with _bars() as progress:
        result = run_compare(model, net, (x_test, y_test), ["float", "emulator", "lava"], lava_samples=lava_samples, progress=progress)
    save(net, out / "digits.lnet")
    write_json(out / "demo.json", result.to_json())
    print_json(result.to_json()) if as_json else print_comparison(result)
    note(f"written: {out / 'digits.lnet'} and {out / 'demo.json'}")


@app.command()
def boards(as_json: Json = False) -> None:
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
    as_json: Json = False,
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


class _Settings:
    """Options of a conversion, as the command line gives them."""

    def __init__(self, samples: int, **options: Any) -> None:
        if samples < 1:
            raise InvalidSetting(f"{samples} calibration samples", where="--calibration-samples", limit="at least 1 expected")
        self.samples, self.options = samples, options

    def convert(self, model: Any, x_train: Any) -> Any:
        """Convert with a progress bar and notes on stderr."""
        from loihiconv.conversion import convert as run_convert

        x = x_train[: self.samples]
        with Bar("calibration", len(x)) as bar:
            options = {**self.options, "percentile": self.options.get("percentile", 99.9) or None}
            net = run_convert(model, x, **options, progress=lambda done: bar.update(done, len(x)))
        for text in net.metadata["notes"]:
            note(text)
        return net


def _model(factory: str, weights: Path | None) -> Any:
    from loihiconv.frontends import load_factory, load_weights

    model = load_factory(factory)
    if weights is not None:
        load_weights(model, weights)
    return model


def _read(path: Path, part: Literal["train", "test"], mean: str, std: str, *, same_file_is_fine: bool = True) -> Any:
    from loihiconv.dataset import holds, read_npz

    if not same_file_is_fine and not holds(path, part):
        raise InvalidData(
            f"holds no x_{part}", where=str(path), limit="calibration must not see test samples",
            remedy="add x_train, or convert first and pass the result with --net",
        )  # fmt: skip
    return read_npz(path, part, mean=_numbers(mean, "mean"), std=_numbers(std, "std"))


def _first(data: Any, samples: int | None) -> Any:
    from loihiconv.dataset import Dataset

    if samples is None:
        return data
    if samples < 1:
        raise InvalidSetting(f"{samples} samples", where="--samples", limit="at least 1 expected")
    return Dataset(data.x[:samples], None if data.y is None else data.y[:samples])


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.replace("x", ",").split(",") if part.strip()]
    except ValueError as cause:
        raise InvalidSetting(f"{text!r}", where=f"--{option}", limit="numbers separated by commas expected") from cause


def _size(shape: tuple[int, ...]) -> int:
    from math import prod

    return prod(shape)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list):
        return " to ".join(f"{v:.4f}" for v in value)
    return str(value)


@contextmanager
def _bars() -> Iterator[Any]:
    """A progress callback (back end, done, total) that shows one bar per back end."""
    open_bars: dict[str, Bar] = {}

    def update(name: str, done: int, total: int) -> None:
        if name not in open_bars:
            open_bars[name] = Bar(name, total).__enter__()
        open_bars[name].update(done, total)
        if done == total:
            open_bars[name].__exit__(None, None, None)

    try:
        yield update
    finally:
        for bar in open_bars.values():
            bar.__exit__(None, None, None)


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
