"""The options of a conversion, once for all commands that convert."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import bars, note, print_search
from loihiconv.conversion.settings import Optimize
from loihiconv.core.errors import InvalidSetting

Steps = Annotated[int, typer.Option("--timesteps", "-T", help="Time steps per sample.")]
CalibrationSamples = Annotated[int, typer.Option(help="Training samples that are measured.")]
Strategy = Annotated[
    str, typer.Option("--optimize", help="default, accuracy or latency (search on calibration data), or none (the paper's method alone).")
]

OPTIONS: dict[str, Any] = {
    "scale": Annotated[str | None, typer.Option(help="What chooses the largest rate's activation: percentile, mse or balanced.")],
    "percentile": Annotated[float | None, typer.Option(help="Of the activations; 100 is max-norm, 0 no normalisation.")],
    "per_channel": Annotated[bool | None, typer.Option("--per-channel/--per-layer", help="Choose for each channel, or each layer.")],
    "input_coding": Annotated[
        str | None, typer.Option(help="analog (payloads, or currents from the host), rate (even spikes) or poisson (random ones).")
    ],
    "reset": Annotated[str | None, typer.Option(help="subtract or zero.")],
    "spike_bits": Annotated[int | None, typer.Option(help="1 sends binary spikes; 2 to 8 graded ones, on boards with Loihi 2 alone.")],
    "start": Annotated[float | None, typer.Option(help="Charge beside the input, as a fraction of the threshold.")],
    "hold_back": Annotated[float | None, typer.Option(help="How much of a threshold comes over the T steps instead of at the start.")],
    "maxpool": Annotated[str | None, typer.Option(help="gate (simulators only), relu-tree (any board) or average (not what was trained).")],
    "readout": Annotated[str | None, typer.Option(help="potential or softmax (spiking).")],
    "readout_delay": Annotated[int | None, typer.Option(help="Steps of each sample that the readout lets pass before it integrates.")],
    "seed": Annotated[int | None, typer.Option(help="Of Poisson input and the softmax readout.")],
    "rounding": Annotated[
        str | None,
        typer.Option(help="Of weights: nearest, adaptive, first (adaptive where payloads drive) or auto (also where bits are few)."),
    ],
    "bias_correction": Annotated[
        bool | None, typer.Option("--bias-correction/--no-bias-correction", help="Repair what each channel loses on average.")
    ],
}
"""Fields of `loihiconv.conversion.settings.Settings` that have an option; none given leaves them to ``--optimize``."""


class Conversion:
    """A conversion as the command line describes it.

    Parameters
    ----------
    board : str
    timesteps : int
    samples : int
        Training samples to calibrate on.
    optimize : str
    settings : fields of `Settings`, None where not given
    """

    def __init__(self, board: str, timesteps: int, *, samples: int = 1000, optimize: str = "default", **settings: Any) -> None:
        if samples < 1:
            raise InvalidSetting(f"{samples} calibration samples", where="--calibration-samples", limit="at least 1 expected")
        self.board, self.timesteps, self.samples, self.optimize = board, timesteps, samples, optimize
        self.settings = {name: value for name, value in settings.items() if value is not None}
        if self.settings.get("percentile") == 0:
            self.settings["percentile"] = None

    def convert(self, model: Any, x_train: Any) -> Any:
        """Convert with a progress bar and notes on stderr."""
        from loihiconv.conversion.convert import convert as run_convert

        optimize: Optimize = self.optimize  # type: ignore[assignment]  # checked there
        with bars() as progress:
            net = run_convert(
                model, x_train[: self.samples], board=self.board, timesteps=self.timesteps, optimize=optimize, progress=progress,
                **self.settings,
            )  # fmt: skip
        if net.record.search:
            print_search(net.record.search)
        for text in net.record.notes:
            note(text)
        return net


def with_conversion(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's first parameter, a `Conversion`, by the options that describe one."""
    parameters = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    added: dict[str, tuple[Any, Any]] = {
        "board": (given.Board, "kapoho_point"), "timesteps": (Steps, 32), "optimize": (Strategy, "default"),
        **{name: (option, None) for name, option in OPTIONS.items()}, "calibration_samples": (CalibrationSamples, 1000),
    }  # fmt: skip

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        chosen = {name: arguments.pop(name) for name in added}
        board, timesteps, samples = chosen.pop("board"), chosen.pop("timesteps"), chosen.pop("calibration_samples")
        command(Conversion(board, timesteps, samples=samples, **chosen), **arguments)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [p.replace(kind=keyword) for p in parameters]
    extra = [inspect.Parameter(name, keyword, default=default, annotation=hint) for name, (hint, default) in added.items()]
    wrapper.__signature__ = inspect.Signature([*own, *extra])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in (*own, *extra)}
    del wrapper.__wrapped__  # or its signature would be seen
    return wrapper
