"""Boards as data: one YAML file each in ``hw_configs/``, every limit with its source.

What boards with the same chip share stands in ``hw_configs/chips/``; a board's file names it with ``extends`` and states
only what differs. Any file of a user may do the same::

    extends: loihi2
    name: my_board
    title: Two Kapoho Points in a stack
    chips: {value: 16, source: our lab}
"""

from __future__ import annotations

import os
import reprlib
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from loihiconv.core.errors import InvalidBoard
from loihiconv.core.fixed_point import ALL_FORMATS, BIAS_EXPONENT_MAX, BIAS_MANTISSA_BITS, NumberFormats
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.network import V_MAX
from loihiconv.hardware.board_fields import Compiler, Limit, Name
from loihiconv.hardware.board_files import config_folder, files
from loihiconv.hardware.yaml_file import BrokenYaml, read_yaml

_STATE_BITS = V_MAX.bit_length() + 1
_REPR = reprlib.Repr()
_REPR.maxlevel = 1  # a message shows the outside of a value, which references within YAML can make exponentially large


class Board(BaseModel):
    """A board and its chips.

    Attributes
    ----------
    generation : 1 or 2
        Loihi 1 or Loihi 2.
    chips, cores_per_chip : Limit
    neurons_per_core : Limit
        Compartments; a neuron takes ``compartments_per_neuron`` of them when it resets by subtraction.
    synapse_memory_words, synapse_word_bits : Limit
        Synaptic memory of a core.
    synapse_words_per_axon : Limit or None
        Largest list of synapses behind one input axon; None where nothing is known.
    input_axons_per_core, output_axons_per_core : Limit
    axon_base_range : Limit or None
        Compartments that the base of a population axon can begin at; None where nothing is known.
    weight_bits : Limit
        At most 8.
    vth_mantissa_bits, vth_exponent_max : Limit
        A threshold is mantissa * 2^exponent, not shifted by 6.
    bias_mantissa_bits, bias_exponent_max, state_bits : Limit
        Fixed to what `loihiconv.core.fixed_point` computes.
    accumulator_bits : Limit
        Signed width of a neuron's sum of weights per step.
    max_delay : Limit
        Time steps.
    graded_spike_bits : Limit
        Payload of a spike; 0 for binary spikes only.
    profiles_per_core : Limit or None
        Neuron configurations that one core can tell apart.
    stepping : Name or None
        Of its chips, as ``lava.utils.loihi.ChipGeneration`` names it; None where the usual one of the generation is meant.
    partition : Name or None
        SLURM's partition of such boards on Intel's research cloud; None where nothing is known.
    compiler : Compiler or None
        How Intel's compiler cuts networks for it, which then decides what fits; None where `loihiconv.place` looks for the best
        cut that the limits above allow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    title: Annotated[str, Field(min_length=1)]
    generation: Literal[1, 2]
    chips: Limit
    cores_per_chip: Limit
    neurons_per_core: Limit
    synapse_memory_words: Limit
    synapse_word_bits: Limit
    synapse_words_per_axon: Limit | None = None
    input_axons_per_core: Limit
    output_axons_per_core: Limit
    axon_base_range: Limit | None = None
    weight_bits: Limit
    vth_mantissa_bits: Limit
    vth_exponent_max: Limit
    compartments_per_neuron: Limit
    bias_mantissa_bits: Limit
    bias_exponent_max: Limit
    state_bits: Limit
    accumulator_bits: Limit
    max_delay: Limit
    graded_spike_bits: Limit
    profiles_per_core: Limit | None = None
    stepping: Name | None = None
    partition: Name | None = None
    compiler: Compiler | None = None
    _formats: NumberFormats = PrivateAttr(default=ALL_FORMATS)

    @property
    def formats(self) -> NumberFormats:
        """Which of the chip's formats a network may use; all, unless the board was `narrowed`."""
        return self._formats

    def narrowed(self, formats: NumberFormats, **limits: Limit) -> Board:
        """The same board for a way to the chip that takes fewer formats, and with other limits by name."""
        board = self.model_copy(update=limits)
        board._formats = formats
        return board

    @property
    def vth_max(self) -> int:
        """Largest threshold, not shifted: (2^mantissa_bits - 1) * 2^exponent_max."""
        return int((2**self.vth_mantissa_bits.value - 1) << self.vth_exponent_max.value)

    @property
    def graded_spikes(self) -> bool:
        """Whether spikes can carry a payload: one bit is the spike itself."""
        return self.graded_spike_bits.value > 1

    @property
    def neurons_placed(self) -> Limit:
        """Neurons that a core is given: what the chip has, or what Intel's compiler makes of it."""
        return self.neurons_per_core if self.cutting is None else self.cutting.neurons_per_core

    @property
    def cutting(self) -> Compiler | None:
        """How the compiler cuts for this board: it gives a core no more neurons than the board says that there are."""
        most, compiler = self.neurons_per_core, self.compiler
        if compiler is None or compiler.neurons_per_core.value <= most.value:
            return compiler
        return compiler.model_copy(update={"neurons_per_core": most})

    @property
    def cores(self) -> int:
        """Cores on the whole board."""
        return self.chips.value * self.cores_per_chip.value

    @property
    def limits(self) -> dict[str, Limit]:
        """All limits that are known, by name."""
        return {name: value for name in type(self).model_fields if isinstance(value := getattr(self, name), Limit)}

    @model_validator(mode="after")
    def _within_the_arithmetic(self) -> Board:
        # The emulator and the Lava processes compute in these widths and no others.
        for name, value in (
            ("bias_mantissa_bits", BIAS_MANTISSA_BITS),
            ("bias_exponent_max", BIAS_EXPONENT_MAX),
            ("state_bits", _STATE_BITS),
        ):
            if (given := getattr(self, name).value) != value:
                raise ValueError(f"{name} is {given}, but the fixed-point arithmetic is fixed to {value}")
        for name, low, high in (
            ("weight_bits", 1, 8),
            ("vth_mantissa_bits", 1, 17),
            ("vth_exponent_max", 0, 16),
            ("accumulator_bits", 8, _STATE_BITS),
            ("graded_spike_bits", 0, 32),
        ):
            if not low <= (given := getattr(self, name).value) <= high:
                raise ValueError(f"{name} is {given}, but the fixed-point arithmetic takes {low} to {high}")
        if self.vth_max > 2**17 - 1:
            raise ValueError(f"vth_exponent_max makes thresholds up to {self.vth_max}, but a threshold has 17 bits, at most {2**17 - 1}")
        optional = {"vth_exponent_max", "graded_spike_bits", "max_delay"}
        if zero := [name for name, limit in self.limits.items() if limit.value == 0 and name not in optional]:
            raise ValueError(f"{zero[0]} is 0, at least 1 expected")
        return self


def boards() -> dict[str, Board]:
    """All boards that come with loihiconv, by name, smallest first within each generation."""
    configs = [_read_board(path) for path in files(config_folder())]
    return {c.name: c for c in sorted(configs, key=lambda c: (c.generation, c.cores))}


def load_board(board: str | os.PathLike[str] | Board) -> Board:
    """The board of that name, or the one that a YAML file describes.

    Parameters
    ----------
    board : str, path or Board
        A name that `boards` knows; a path, which ends in ``.yaml`` or ``.yml`` or has a folder in it; or a board already
        loaded, which is returned as it is.

    Raises
    ------
    InvalidBoard
        If there is no such board or file, or the file is broken.

    Warns
    -----
    UserWarning
        If a file has the name of a board that comes with loihiconv and is another.
    """
    if isinstance(board, Board):
        return board
    if not isinstance(board, (str, os.PathLike)):
        raise InvalidBoard(f"{shown(board)} is no board", where="board", limit="a name, the path of a .yaml file or a Board expected")
    text = os.fspath(board)
    if not isinstance(board, str) or text.endswith((".yaml", ".yml")) or os.sep in text:
        return _with_its_own_name(_read_board(Path(text)), Path(text))
    known = {path.stem: path for path in files(config_folder())}
    if text in known:
        return _read_board(known[text])
    raise InvalidBoard(
        f"unknown board {text!r}{did_you_mean(text, known)}",
        where="board",
        limit=f"known are {', '.join(known)}",
        remedy="or give the path of a .yaml file",
    )


def _with_its_own_name(board: Board, path: Path) -> Board:
    """The board of a file; a warning if it has the name of another: networks know their board by name alone."""
    namesake = next((file for file in files(config_folder()) if file.stem == board.name), None)
    if namesake is not None and _read_board(namesake) != board:
        said = f"{path}: name: {board.name} is a board that comes with loihiconv, with other limits or another title"
        warnings.warn(
            f"{said}; networks know their board by name, so that whatever is not given this file takes those: "
            f"give it a name of its own, such as my_{board.name}",
            stacklevel=3,
        )
    return board


def _read_board(path: Path) -> Board:
    content = _read_yaml(path)
    if based := "extends" in content:
        content = _read_base(content.pop("extends"), path) | content
    try:
        return Board.model_validate(content)
    except ValidationError as error:
        raise _invalid(error, path, based=based) from error


def _read_base(name: Any, path: Path) -> dict[str, Any]:
    """What a board extends: one level only, so that each number is at most one file away."""
    chips = {file.stem: file for file in files(config_folder() / "chips")}
    if not isinstance(name, str) or name not in chips:
        raise InvalidBoard(f"extends {name!r}", where=str(path), limit=f"{' or '.join(chips)} expected")
    return _read_yaml(chips[name])


def _read_yaml(path: Path) -> dict[str, Any]:
    """A file's content, which is parsed again only where the file has changed."""
    try:
        found = path.stat()
        stamp: tuple[int, ...] = (found.st_mtime_ns, found.st_size, found.st_ino)
    except OSError:  # which reading it says better
        stamp = ()
    return dict(_parsed(path, stamp))


@lru_cache(maxsize=64)
def _parsed(path: Path, stamp: tuple[int, ...]) -> dict[str, Any]:
    """What a file holds; ``stamp`` tells its versions apart."""
    try:
        content = read_yaml(path)
    except FileNotFoundError as error:
        raise InvalidBoard("no such file", where=str(path)) from error
    except BrokenYaml as error:
        raise InvalidBoard(f"broken YAML: {error}", where=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidBoard(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise InvalidBoard("broken YAML: names and values expected, one per line", where=str(path))
    return content


def _invalid(error: ValidationError, path: Path, *, based: bool) -> InvalidBoard:
    """The first thing that is wrong, on one line, and how many more there are; a misspelt field before what is missing for it."""
    first, *others = sorted(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    field, kind = ".".join(str(part) for part in first["loc"]), first["type"]
    limit = ""
    if kind == "missing":
        what, limit = f"{field} is missing", "" if based else '"extends: loihi2" or "extends: loihi1" fills in what boards of a chip share'
    elif kind == "extra_forbidden":
        model = Board if "." not in field else Compiler if field.rpartition(".")[0] == "compiler" else Limit
        guess = did_you_mean(field.rpartition(".")[2], model.model_fields)
        what, limit = f"{field} is not a known field{guess}", f"known are {', '.join(model.model_fields)}"
    elif kind == "model_type":
        what, limit = f"{field} is {_REPR.repr(first['input'])}", "{value: ..., source: ...} expected"
    elif kind == "value_error":
        what = first["msg"].removeprefix("Value error, ")
    else:
        message = first["msg"]
        what, limit = f"{field} is {_REPR.repr(first['input'])}", message[0].lower() + message[1:]
    more = f"and {len(others)} more problem{'s' * (len(others) > 1)}" if others else ""
    return InvalidBoard(what, where=str(path), limit=limit, remedy=more)
