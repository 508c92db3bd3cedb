"""The options of a conversion, once for all commands that convert."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.setting_options import none_if_zero, setting_option, setting_type
from loihiconv.commands.signature import with_parameters
from loihiconv.commands.terminal import note, print_search
from loihiconv.conversion.aim import aimed
from loihiconv.conversion.settings import DECLARED, OPTIMIZE, SEARCHES, Optimize, choose
from loihiconv.core.choices import Task

if TYPE_CHECKING:
    from distributed import Client

    from loihiconv.core.input_preprocessing import GivenPreprocessing
    from loihiconv.core.network import Network

Steps = Annotated[int, setting_option(DECLARED["timesteps"])]
TargetLoss = Annotated[
    float | None,
    typer.Option(
        help="Points of accuracy that may be lost: searches for the fewest steps per sample with which no more calibration samples get "
        "another answer than from the ANN."
    ),
]
MaxLatency = Annotated[int | None, typer.Option(help="Most steps from one sample to the next, silent ones included; bounds a search.")]
CalibrationSamples = Annotated[int, typer.Option(help="Training samples that are measured.")]

OPTIONS: Mapping[str, Any] = {
    name: Annotated[setting_type(declared), setting_option(declared, unset=True)]
    for name, declared in DECLARED.items()
    if name != "timesteps"
}
"""Settings besides T; none given leaves them to ``--optimize``."""


class Conversion:
    """A conversion as the command line describes it, all of it checked at once.

    Parameters
    ----------
    board : str
    timesteps : int
    samples : int or None
        Training samples to calibrate on; None takes all.
    optimize : "none", "default", "accuracy" or "latency"
    target_loss, max_latency : as `loihiconv.convert` takes them
    settings : fields of `Settings`, None where not given
    """

    def __init__(
        self,
        board: str,
        timesteps: int,
        *,
        samples: int | None = 1000,
        optimize: Optimize = "default",
        target_loss: float | None = None,
        max_latency: int | None = None,
        **settings: Any,
    ) -> None:
        if samples is not None:
            given.at_least_one(samples, "--calibration-samples", "calibration samples")
        self.timesteps, self.samples, self.optimize = timesteps, samples, optimize
        self.settings = {name: none_if_zero(DECLARED[name], value) for name, value in settings.items() if value is not None}
        self.bounds: dict[str, Any] = {"target_loss": target_loss, "max_latency": max_latency}
        goal, _ = aimed(choose(timesteps, optimize, **self.settings), optimize, target_loss, max_latency, programs=False)
        self.searching = goal in SEARCHES
        from loihiconv.hardware.board import load_board

        self.board = load_board(board)

    def convert(
        self,
        model: Any,
        x_train: Any,
        task: Task | None = None,
        preprocessing: GivenPreprocessing = None,
        output: str | None = None,
        cluster: Client | None = None,
    ) -> Network:
        """Convert with a progress bar and notes on stderr; a search on a cluster, if there is one."""
        from loihiconv.conversion.convert import convert as run_convert
        from loihiconv.core.progress import Bars

        with Bars() as progress:
            net = run_convert(
                model,
                x_train,
                output=output,
                board=self.board,
                timesteps=self.timesteps,
                optimize=self.optimize,
                task=task,
                preprocessing=preprocessing,
                cluster=cluster if self.searching else None,
                progress=progress,
                **self.bounds,
                **self.settings,
            )
        if net.record.search:
            print_search(net.record.search)
        for text in net.record.notes:
            note(text)
        return net


def with_conversion(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's first parameter, a `Conversion`, by the options that describe one."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    added: dict[str, tuple[Any, Any]] = {
        "board": (given.Board, "kapoho_point"),
        "timesteps": (Steps, 32),
        "optimize": (Annotated[str, setting_option(OPTIMIZE)], OPTIMIZE.default),
        "target_loss": (TargetLoss, None),
        "max_latency": (MaxLatency, None),
        **{name: (option, None) for name, option in OPTIONS.items()},
        "calibration_samples": (CalibrationSamples, 1000),
    }

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        chosen = {name: arguments.pop(name) for name in added}
        board, timesteps, samples = chosen.pop("board"), chosen.pop("timesteps"), chosen.pop("calibration_samples")
        command(Conversion(board, timesteps, samples=samples, **chosen), **arguments)

    keyword = inspect.Parameter.KEYWORD_ONLY
    extra = [inspect.Parameter(name, keyword, default=default, annotation=hint) for name, (hint, default) in added.items()]
    return with_parameters(wrapper, (*own, *extra))
