"""Data as the command line takes it: where it is, which part of it is wanted, and what is done with samples before a network sees them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from loihiconv.commands.options import at_least_one, numbers, shapes_of
from loihiconv.commands.signature import with_parameters
from loihiconv.commands.terminal import note
from loihiconv.core.errors import InvalidData, InvalidSetting

if TYPE_CHECKING:
    from loihiconv.ann.frontends import FloatModel
    from loihiconv.core.input_preprocessing import GivenPreprocessing
    from loihiconv.core.linear import Shape
    from loihiconv.core.network import Network
    from loihiconv.core.preprocessing import Preprocessing
    from loihiconv.core.samples import Dataset

FORMS = "an .npz file, a folder of images by class, or module:function (its code is EXECUTED)"
PANEL = "Preprocessing, stored by convert and repeated nowhere; of several inputs NAME=VALUE;NAME=VALUE"
Mean = Annotated[str, typer.Option(help="Numbers subtracted from each channel, e.g. 0.1307 or 0.49,0.48,0.45.", rich_help_panel=PANEL)]
Std = Annotated[str, typer.Option(help="Numbers that each channel is divided by afterwards.", rich_help_panel=PANEL)]
Scale = Annotated[
    str, typer.Option(help="What samples are multiplied by first, e.g. 1/255, which is what bytes are by default.", rich_help_panel=PANEL)
]
Layout = Annotated[
    str,
    typer.Option(
        help='Axes of a sample as it comes, e.g. HWC or HW; "HWC->HWC" where the network takes them so. By default what fits.',
        rich_help_panel=PANEL,
    ),
]
_OPTIONS = {"mean": Mean, "std": Std, "input_scale": Scale, "layout": Layout}


@dataclass(frozen=True)
class Said:
    """What the options say of preprocessing, of several inputs "NAME=VALUE;NAME=VALUE"; empty text where they say nothing."""

    mean: str = ""
    std: str = ""
    input_scale: str = ""
    layout: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Fields of a `Preprocessing` that were given."""
        return frozenset(name.removeprefix("input_") for name, text in vars(self).items() if text)

    def parsed(self) -> Preprocessing:
        """The same as numbers, checked."""
        from loihiconv.core.preprocessing import Preprocessing

        scale = _fraction(self.input_scale) if self.input_scale else 1.0
        return Preprocessing(tuple(numbers(self.mean, "mean")), tuple(numbers(self.std, "std")), scale, self.layout)

    def for_file(self, file: FloatModel | None) -> Said:
        """The same for a model file: bytes are not divided where it takes them as they are."""
        bytewise = file is not None and file.takes_bytes and not file.inputs
        return replace(self, input_scale="1") if bytewise and not self.input_scale else self

    def check(self) -> None:
        """Raise `InvalidSetting` for what cannot be read, before anything is loaded."""
        _ = self.each() if any("=" in text for text in vars(self).values()) else self.parsed()

    def each(self) -> dict[str, tuple[Preprocessing, frozenset[str]]]:
        """Of several inputs what is said of each, "image=0.5;state=2", and the names of the fields that are."""
        texts: dict[str, dict[str, str]] = {}
        for option, text in vars(self).items():
            for one in text.split(";") if text else ():
                name, equals, value = one.partition("=")
                if not equals or not name.strip():
                    remedy = f'say which one it is for: --{option.replace("_", "-")} "NAME={one}"'
                    raise InvalidSetting(f"{one!r} for several inputs", where=option.removeprefix("input_"), remedy=remedy)
                texts.setdefault(name.strip(), {})[option] = value.strip()
        said = {name: Said(**own) for name, own in texts.items()}
        return {name: (own.parsed(), own.names) for name, own in said.items()}

    def chosen(self, data: Dataset, wanted: Shape | None) -> Preprocessing:
        """What to convert with, completed by what samples look like, and said."""
        from loihiconv.core.fitting import completed

        preprocessing = completed(self.parsed(), self.names, data.x, wanted)
        if wanted is None and not preprocessing.layout and (one := data.x.shape[1:])[1:] == (1,) and one[0] > 1:
            note(f"samples of shape {one} are taken for {one[0]} channels of length 1; --layout LC says that they are one channel")
        if not preprocessing.plain:
            note(f"preprocessing, stored in the network: {preprocessing}")
        return preprocessing

    def prepared(self, data: Dataset, wanted: Shape | Mapping[str, Shape] | None) -> tuple[Any, GivenPreprocessing]:
        """Samples to convert with, and what to convert with, said; None of several inputs that stay as they are."""
        from loihiconv.core.fitting import each_completed

        if not isinstance(data.x, Mapping):
            return data.x, self.chosen(data, wanted if isinstance(wanted, tuple) else None)
        chosen = each_completed(self.each(), data.x, wanted if isinstance(wanted, Mapping) else {})
        for name, own in chosen.items():
            note(f"preprocessing of input {name}, stored in the network: {own}")
        return data.x, chosen or None

    def fitted(self, net: Network, x: Any, *, again: bool = False) -> tuple[Network, Any]:
        """A saved network, and samples for it; what is done with them is said, unless that is said ``again``."""
        from loihiconv.core.fitting import each_fitted, fitted

        several = len(net.inputs) > 1
        net, x, notes = each_fitted(net, x, self.each()) if several else fitted(net, x, self.parsed(), self.names)
        for text in () if again else notes:
            note(text)
        return net, x


def with_preprocessing(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter ``said``, a `Said`, by the options that it is made of."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "said"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, keyword, default="", annotation=hint) for name, hint in _OPTIONS.items()]

    @wraps(command)
    def wrapper(*positional: Any, **arguments: Any) -> None:
        command(*positional, said=Said(**{name: arguments.pop(name) for name in _OPTIONS}), **arguments)

    return with_parameters(wrapper, (*own, *added))


def read_data(
    source: str,
    part: Literal["train", "test"],
    shape: Shape | Mapping[str, Shape] | None = None,
    *,
    samples: int | None = None,
    same_file_is_fine: bool = True,
) -> Dataset:
    """One part of data as it is, for a network that takes samples of this shape, or of one for each input, where it is known.

    ``same_file_is_fine`` says whether what is marked as no part may stand for it.
    """
    from loihiconv.core.dataset import holds, read

    if samples is not None:
        at_least_one(samples, "--samples")
    if not same_file_is_fine and not holds(source, part):
        raise InvalidData(
            f"holds no {part} folder" if Path(source).is_dir() else f"holds no x_{part}",
            where=str(source),
            limit="calibration must not see test samples",
            remedy=f"add {'one' if Path(source).is_dir() else 'x_train'}, or convert first and pass the result with --net",
        )
    data, notes = read(source, part, samples=samples, shape=shape)
    for text in notes:
        note(text)
    return data


def labelled(x: Any, y: Any) -> Any:
    """Samples with their labels, by which a search tells classes from numbers; of several inputs without."""
    from loihiconv.core.samples import Dataset

    return x if y is None or isinstance(x, Mapping) else Dataset(x, y)


def training_samples(calibration: str | None, source: str, said: Said, net: Network) -> Any:
    """Training samples of their own, or of the data that the samples are in, as a network takes them; None where there are none."""
    from loihiconv.core.dataset import holds

    if calibration is None and not holds(source, "train"):
        return None
    x = read_data(calibration or source, "train", shapes_of(net)).x
    return said.fitted(net, x, again=calibration is None)[1]  # the test samples beside them say it


def _fraction(text: str) -> float:
    over, slash, under = text.partition("/")
    try:
        return float(over) / (float(under) if slash else 1.0)
    except (ValueError, ZeroDivisionError) as cause:
        raise InvalidSetting(f"{text!r}", where="--input-scale", limit="a number or a fraction such as 1/255 expected") from cause
