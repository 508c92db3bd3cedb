from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from loihiconv.core.errors import InvalidBoard
from loihiconv.core.linear import Dense
from loihiconv.hardware.board import Board, boards, load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.place import place
from tests.hardware.nets import chain, ones


@pytest.fixture
def written(tmp_path):
    """Writes text, or the kapoho_point board with some changes, to a file; returns its path."""

    def write(text: str | None = None, **changes):
        path = tmp_path / "mine.yaml"
        content = load_board("kapoho_point").model_dump() | changes
        path.write_text(text if text is not None else yaml.safe_dump({k: v for k, v in content.items() if v is not None}))
        return path

    return write


def refusal(board) -> str:
    with pytest.raises(InvalidBoard) as caught:
        load_board(board)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_boards_and_their_chips():
    chips = {name: (board.generation, board.chips.value) for name, board in boards().items()}
    assert chips == {
        "kapoho_bay": (1, 2),
        "nahuku8": (1, 8),
        "nahuku32": (1, 32),
        "pohoiki_springs": (1, 768),
        "oheo_gulch": (2, 1),
        "kapoho_point": (2, 8),
        "hala_point": (2, 1152),
    }
    assert all(board.name == name for name, board in boards().items())


def test_limits_worked_out_by_hand():
    loihi1, loihi2 = load_board("nahuku32"), load_board("kapoho_point")
    assert (loihi1.vth_max, loihi2.vth_max) == (255 * 128, 131071)
    assert (loihi1.graded_spikes, loihi2.graded_spikes) == (False, True)
    assert (loihi1.cores, load_board("hala_point").cores) == (4096, 140544)  # the latter is Intel's own figure
    assert loihi1.synapse_memory_words.value * loihi1.synapse_word_bits.value == 128 * 1024 * 8  # 128 KiB per core
    assert loihi1.compartments_per_neuron.value == 2


def test_every_limit_has_a_source_and_doubts_are_explained():
    for board in boards().values():
        assert {"chips", "neurons_per_core", "weight_bits", "accumulator_bits"} <= board.limits.keys()
        assert all(len(limit.source) > 5 for limit in board.limits.values())
        assert not board.accumulator_bits.certain
        assert "nengo-loihi" in board.accumulator_bits.note


def test_a_config_cannot_be_changed():
    board = load_board("kapoho_bay")
    with pytest.raises(ValidationError):
        board.name = "other"
    with pytest.raises(ValidationError):
        board.chips.value = 3


def test_load_board_takes_a_name_a_path_or_a_config(written):
    board = load_board("kapoho_point")
    assert load_board(board) is board
    assert load_board(written()) == load_board(str(written())) == board
    assert load_board("kapoho_point") == boards()["kapoho_point"]


def test_a_file_has_a_name_of_its_own(written):
    path = written("extends: loihi2\nname: kapoho_point\ntitle: Ours\nchips: {value: 1, source: our lab}\n")
    with pytest.warns(UserWarning, match=r"name: kapoho_point is a board that comes .* a name of its own, such as my_kapoho_point"):
        assert load_board(path).chips.value == 1


def test_a_file_states_only_what_differs(written):
    path = written("extends: loihi2\nname: stack\ntitle: Two in a stack\nchips: {value: 16, source: our lab}\n")
    board = load_board(path)
    assert board.chips == Limit(value=16, source="our lab")
    assert board.neurons_per_core == load_board("kapoho_point").neurons_per_core


def test_files_from_before_the_compiler_was_known_go_on_working(written):
    """All of a board in one file, without its rule: cuts are looked for, as they were. So they are where the rule is left empty."""
    net = chain((784,), Dense(ones(128, 784)), Dense(ones(64, 128)), Dense(ones(10, 64)))
    board = load_board(written(name="old", compiler=None))
    assert board.compiler is None
    empty = load_board(written("extends: loihi2\nname: x\ntitle: x\nchips: {value: 8, source: x}\ncompiler:\n"))
    assert place(net, board).cores == place(net, empty).cores < place(net, "kapoho_point").cores


def test_unknown_board_names_the_closest_and_all_others():
    message = refusal("Kapoho-Pint")
    assert "did you mean 'kapoho_point'?" in message
    assert all(name in message for name in boards())
    assert "did you mean" not in refusal("tpu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "broken YAML: names and values expected"),
        ("- a\n- b", "broken YAML: names and values expected"),
        ("name: [1", "broken YAML: line 1"),
        ("name: ok\n\tchips: 3", "broken YAML: line 2"),
        ("x: !!python/object/apply:os.system ['false']", "broken YAML: line 1: could not determine a constructor"),
        ("extends: loihi3", "extends 'loihi3'; loihi1 or loihi2 expected"),
        ("extends: ../secrets", "loihi1 or loihi2 expected"),
        ("extends:", "extends None"),
        ("extends: loihi1\nname: x\ntitle: x", "chips is missing"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: 3", "chips is 3; {value: ..., source: ...} expected"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: 3}", "chips.source is missing"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: '3', source: x}", "chips.value is '3'; input should be a valid integer"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: true, source: x}", "chips.value is True"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: -3, source: x}", "chips.value is -3"),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: 3, source: ''}", "chips.source is ''"),
        (
            "extends: loihi1\nname: x\ntitle: x\nchips: {value: 3, source: x, unit: y}",
            "chips.unit is not a known field; known are value, source",
        ),
        ("extends: loihi1\nname: x\ntitle: x\nchips: {value: 0, source: x}", "chips is 0, at least 1 expected"),
        (
            "extends: loihi1\nname: x\ntitle: x\nchipss: {value: 3, source: x}",
            "chipss is not a known field, did you mean 'chips'?; known are name,",
        ),
        ("name: x\ntitle: x", 'generation is missing; "extends: loihi2" or "extends: loihi1" fills in'),
        ("extends: loihi2\nname: x\ntitle: x\nchips: {value: 3, source: x}\ncompiler: lava", "compiler is 'lava'"),
        (
            "extends: loihi2\nname: x\ntitle: x\nchips: {value: 3, source: x}\ncompiler: {neurons_per_core: {value: 1, source: x}}",
            "compiler.dense_neurons_per_core is missing; and 3 more problems",
        ),
        ("extends: loihi1\nname: a/b\ntitle: x\nchips: {value: 3, source: x}", "name is 'a/b'"),
        ("extends: loihi1\nname: x\ntitle: x\n3: 4\nchips: {value: 3, source: x}", "3"),
    ],
)
def test_broken_files(written, text, message):
    path = written(text)
    assert refusal(path).startswith(f"{path}: ")
    assert message in refusal(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weight_bits", 9),
        ("weight_bits", 0),
        ("bias_mantissa_bits", 12),
        ("bias_exponent_max", 8),
        ("state_bits", 16),
        ("vth_mantissa_bits", 18),
        ("vth_exponent_max", 1),  # 17 bits * 2 no longer fit
        ("vth_exponent_max", 10**21),
        ("accumulator_bits", 32),
        ("graded_spike_bits", 33),
    ],
)
def test_widths_that_the_arithmetic_does_not_have(written, field, value):
    message = refusal(written(**{field: {"value": value, "source": "a test"}}))
    assert field in message
    assert "fixed-point arithmetic" in message or "17 bits" in message


def test_unreadable_files(tmp_path):
    assert "no such file" in refusal(tmp_path / "missing.yaml")
    assert "directory" in refusal(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    assert "broken YAML" in refusal(tmp_path / "bytes.yaml")
    (tmp_path / "control.yaml").write_bytes(b"name: \x01")
    assert "broken YAML" in refusal(tmp_path / "control.yaml")


def test_a_file_is_parsed_once_until_it_changes(written, monkeypatch):
    path = written(name="first_of_two")
    assert load_board(path).name == "first_of_two"
    monkeypatch.setattr("loihiconv.hardware.board.read_yaml", lambda path: pytest.fail("parsed again"))
    assert load_board(path).name == "first_of_two"
    monkeypatch.undo()
    path.write_text(path.read_text().replace("first_of_two", "second_of_the_two"))
    assert load_board(path).name == "second_of_the_two"


def test_references_within_yaml_cannot_blow_up_the_message(written):
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 12))
    assert len(refusal(written(f"l0: &l0 [x]\n{levels}\nname: *l11"))) < 1000


def test_a_compiler_has_some_neurons_and_no_other_fields(written):
    known = load_board("kapoho_point").model_dump()["compiler"]
    limit = {"value": 0, "source": "a test"}
    assert "compiler.neurons_per_core is 0, at least 1 expected" in refusal(written(compiler=known | {"neurons_per_core": limit}))
    message = refusal(written(compiler=known | {"neurons": limit}))
    assert (
        "compiler.neurons is not a known field, did you mean 'neurons_per_core'?; known are neurons_per_core, dense_neurons_per_core"
        in message
    )


def test_the_model_itself_checks_ranges():
    with pytest.raises(ValidationError, match="weight_bits is 9"):
        Board(**(load_board("oheo_gulch").model_dump() | {"weight_bits": {"value": 9, "source": "a test"}}))
