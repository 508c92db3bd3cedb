"""Options that several commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loihiconv.backends import registry
from loihiconv.commands.setting_options import setting_option
from loihiconv.commands.terminal import note
from loihiconv.conversion.settings import DECLARED
from loihiconv.core.errors import InvalidModel, InvalidSetting

if TYPE_CHECKING:
    from loihiconv.ann.frontends import FloatModel
    from loihiconv.core.linear import Shape
    from loihiconv.core.network import Network

Model = Annotated[
    str,
    typer.Argument(
        help="A model file (ONNX, Keras), or a factory as package.module:function or file.py:function. A factory's code is EXECUTED; "
        "nothing of a file is.",
        metavar="MODEL",
    ),
]
Weights = Annotated[Path | None, typer.Option(help="State dict (.pt, .pth) or .safetensors; read without executing code.")]


def complete_board(incomplete: str) -> list[str]:
    """Names of boards that begin so, for completion."""
    from loihiconv.hardware.board_files import board_names

    return [name for name in board_names() if name.startswith(incomplete)]


def complete_backends(incomplete: str) -> list[str]:
    """Back ends that begin as the last one of a list does, behind those before it."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{backend.name}" for backend in registry.backends() if backend.name.startswith(last)]


Board = Annotated[str, typer.Option("--board", help="Name of a board (see 'boards') or a .yaml file.", autocompletion=complete_board)]
Pooling = Annotated[str, setting_option(DECLARED["maxpool"])]
Approximate = Annotated[int, setting_option(DECLARED["approximate"])]
TaskName = Annotated[
    Literal["classification", "binary", "multilabel", "regression", "dense"] | None,
    typer.Option("--task", help="What outputs are judged by; by default what the network's end and the labels say."),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout, and nothing else there.")]
Device = Annotated[str, typer.Option(help="Torch device of emulator and float simulation: cpu, cuda, ...")]
Memory = Annotated[
    str | None, typer.Option(help="Working memory of emulator and float simulation, e.g. 2G; default a quarter of what is free.")
]
StockModels = Annotated[bool, typer.Option("--stock-models", help="Lava with Intel's own models of the connections: same spikes, slower.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off, from what is kept beside --out or in --keep.")]
Deadline = Annotated[float | None, typer.Option(help="End the run after so many seconds; what is finished is kept, see --resume.")]
CLUSTERS = "local[:workers], tcp://scheduler:port or slurm:profile.yaml. Needs the extra cluster."
Cluster = Annotated[str | None, typer.Option(help=f"Run slices on a dask cluster: {CLUSTERS}", metavar="CLUSTER")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse samples that saturate host currents or potentials, instead of a warning.")]
Explain = Annotated[bool, typer.Option("--explain", help="Also say where accuracy goes, step by step and layer by layer.")]
Certify = Annotated[
    bool,
    typer.Option(
        "--certify",
        help="Prove that the emulator equals a quantized ANN, count for count, or name the first layer that differs (exit code 1).",
    ),
]
Html = Annotated[Path | None, typer.Option(help="Write a report as one HTML page that needs nothing else; explains.")]
Markdown = Annotated[Path | None, typer.Option(help="Write the report's tables as Markdown; explains.")]
Plot = Annotated[
    Path | None,
    typer.Option(help="Draw the back ends and, with --explain, what each step changed, when and in which layer (.png, .svg or .pdf)."),
]
Backend = Annotated[
    str,
    typer.Option(help="; ".join(f"{b.name}: {b.description}" for b in registry.backends()) + ".", autocompletion=complete_backends),
]
Backends = Annotated[
    str, typer.Option(help=f"Comma-separated: {', '.join(b.name for b in registry.backends())}.", autocompletion=complete_backends)
]
LavaSamples = Annotated[
    int | None,
    typer.Option(
        help="First samples that run in back ends too slow for all, by default: "
        + ", ".join(f"{b.name} {b.samples}" for b in registry.backends() if b.samples is not None)
        + "."
    ),
]
Samples = Annotated[int | None, typer.Option(help="Only the first so many samples.")]
Output = Annotated[str | None, typer.Option(help="Of a network with several outputs the only one that counts, by its name.")]
Realize = Annotated[
    Literal["native", "atrlif", "lif", "lifreset", "netx"] | None,
    typer.Option("--realization", help="How neurons on the chip reset by subtraction; lava then runs the chip's own process graph."),
]
LifRatio = Annotated[
    float | None,
    typer.Option(
        help="Of lif, lifreset and netx: threshold to largest input per step; rates fall by it. By default the best on training samples, "
        "without any 8 (lif) or 3."
    ),
]
Calibration = Annotated[
    str | None,
    typer.Option(help=".npz with x_train (or x), for lif, lifreset and netx; by default the x_train beside the samples, if any."),
]
Partition = Annotated[str | None, typer.Option(help="SLURM partition of the board; by default the one that its file names.")]
Ethernet = Annotated[str | None, typer.Option(help="Address of the board's host, instead of SLURM.")]
Chip = Annotated[
    str | None,
    typer.Option(help="Stepping of the chip, as Lava names it; by default the board's (Kapoho Point: N3C1), else N3B3, on Loihi 1 N2A2."),
]
Profile = Annotated[
    Literal["throughput", "latency"] | None,
    typer.Option(
        "--profile",
        help="Measure time and power on the board, of the first sample or --samples: replayed on the chip (throughput), or sent by the "
        "host (latency).",
    ),
]
ReadLate = Annotated[
    int,
    typer.Option(
        help="Steps after their own in which a board's potentials are read while it runs on (lifreset, netx): to try where spikes are "
        "right and potentials are not."
    ),
]
NeurocoreModel = Annotated[
    str | None,
    typer.Option(envvar="LOIHICONV_NEUROCORE_MODEL", help="package.module:Class, for realization native on a board. Its code is EXECUTED."),
]


def open_file(model: str) -> FloatModel | None:
    """The model in a file; None where a factory is named, which is called after all that can be mistyped."""
    if ":" in model and not Path(model).exists():
        return None
    if not Path(model).exists() and not Path(model).suffix:
        raise InvalidModel("is neither a file nor a factory", where=repr(model), remedy="write package.module:function, or a file's path")
    from loihiconv.ann.frontends import readable

    return readable(Path(model))


def shape_of(file: FloatModel | None) -> Shape | Mapping[str, Shape] | None:
    """Shape of a sample, or of one for each input, where there is a file that knows it."""
    if file is not None and file.inputs:
        return {part.name: part.shape for part in file.inputs}
    return None if file is None else file.sample_shape


def shapes_of(net: Network) -> Shape | Mapping[str, Shape]:
    """The same of a spiking network."""
    from loihiconv.core.input_coding import sample_parts

    first, *others = sample_parts(net)
    return {part.name: part.shape for part in (first, *others)} if others else first.shape


def read_shapes(given: list[str]) -> Shape | Mapping[str, Shape] | tuple[Shape, ...] | None:
    """Shapes as the command line has them: one, several in order, or several by name.

    Raises
    ------
    InvalidSetting
        If some have names and others none, or one is no shape.
    """
    named = [text.rpartition("=")[::2] for text in given if text]
    shapes = [(name.strip(), _sizes(sizes)) for name, sizes in named]
    if any(name for name, _ in shapes):
        if not all(name for name, _ in shapes) or len(dict(shapes)) < len(shapes):
            raise InvalidSetting(", ".join(given), where="--shape", limit="a name of its own for each input expected, or none at all")
        return dict(shapes)
    if not shapes:
        return None
    return shapes[0][1] if len(shapes) == 1 else tuple(shape for _, shape in shapes)


def _sizes(text: str) -> Shape:
    sizes = numbers(text, "shape")
    if any(size % 1 for size in sizes):  # of infinity and NaN, too
        raise InvalidSetting(f"{text!r}", where="--shape", limit="whole numbers separated by commas expected")
    return tuple(map(int, sizes))


def load_model(model: str | FloatModel, weights: Path | None) -> Any:
    """The network that a factory builds, with its weights loaded, or the one of a file."""
    from loihiconv.ann.frontends.loading import load_factory, load_weights

    loaded = load_factory(model) if isinstance(model, str) else model
    if weights is not None:
        for text in load_weights(loaded, weights):
            note(text)
    return loaded


def at_least_one(number: int, option: str, what: str = "samples") -> None:
    """Raise `InvalidSetting` where an option asks for none of them."""
    if number < 1:
        raise InvalidSetting(f"{number} {what}", where=option, limit="at least 1 expected")


def numbers(text: str, option: str) -> list[float]:
    """Numbers separated by commas, or by x as in shapes."""
    try:
        return [float(part) for part in text.replace("x", ",").split(",") if part.strip()]
    except ValueError as cause:
        raise InvalidSetting(f"{text!r}", where=f"--{option}", limit="numbers separated by commas expected") from cause
