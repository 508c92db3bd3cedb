"""Tests mirror the rooms: the tests of loihiconv/ROOM/x.py are in tests/ROOM/test_x.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IN_LAVA = "runs in Lava's processes, beside the definition"
BY_KERAS = "held against what Keras computed"
BY_QUANTIZED = "held against the layers of libraries of quantization"
BY_LAYERS = "held against NumPy, layer by layer and in random networks"
ON_STANDIN = "runs in Lava's processes, on realizations' neurons or a stand-in for a board's"
ELSEWHERE = {
    "ann/evaluator.py": ("ann/test_evaluate.py", "held against models, beside the checks that do so"),
    "ann/frontends/tuned.py": ("ann/frontends/test_tuned_file.py", "what is in a file, beside how it is kept"),
    "ann/frontends/aten_functions.py": ("ann/frontends/test_aten.py", "functions in place of operators, tested as such"),
    "ann/frontends/file_model.py": ("ann/frontends/onnx/test_model.py", "a base class, tested by the formats that derive from it"),
    "ann/frontends/open_shapes.py": ("ann/frontends/onnx/test_graph.py", "shapes as files of any format declare them"),
    "ann/frontends/handlers.py": ("ann/frontends/test_layers.py", "a table of handlers, tested by all that are in it"),
    "ann/frontends/layers/activations.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/arguments.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/arithmetic.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/brevitas.py": ("ann/frontends/test_quantized.py", BY_QUANTIZED),
    "ann/frontends/layers/fused.py": ("ann/frontends/test_quantized.py", BY_QUANTIZED),
    "ann/frontends/layers/quantized_training.py": ("ann/frontends/test_quantized.py", BY_QUANTIZED),
    "ann/frontends/layers/quantizers.py": ("ann/frontends/test_quantized.py", BY_QUANTIZED),
    "ann/frontends/layers/casts.py": ("ann/frontends/test_inputs.py", "a handler, tested in models of several precisions"),
    "ann/frontends/layers/moves.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/constants.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/endings.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/functions.py": ("ann/frontends/test_selections.py", "what selections and sums by hand are written as"),
    "ann/frontends/layers/selections.py": ("ann/frontends/test_selections.py", "handlers, tested beside one another"),
    "ann/frontends/layers/pooling.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/resampling.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/layers/stacks.py": ("ann/frontends/test_layers.py", "what handlers of moves and pooling share"),
    "ann/frontends/layers/trials.py": ("ann/frontends/test_trials.py", "what handlers are not needed for"),
    "ann/frontends/layers/weights.py": ("ann/frontends/test_layers.py", "handlers, tested beside one another"),
    "ann/frontends/keras/layers/activations.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/dense.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/merging.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/operations.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/pooling.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/registry.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/shapes.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/layers/statistics.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/reference/activations.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/evaluation.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/kernels.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/operations.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/calls.py": ("ann/frontends/keras/test_translation.py", BY_LAYERS),
    "ann/frontends/keras/reference/pooling.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/rules.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/shapes.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/values.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/keras/reference/windows.py": ("ann/frontends/keras/test_model.py", BY_KERAS),
    "ann/frontends/model.py": ("ann/frontends/test_sources.py", "a base class, tested by a made-up front end"),
    "ann/frontends/registry.py": ("ann/frontends/test_layers.py", "a table of handlers, tested by all that are in it"),
    "backends/conformance_cases.py": ("backends/test_conformance.py", "what is written, beside the script that reads it"),
    "backends/conformance_check.py": ("backends/test_conformance.py", "the script, beside what it reads"),
    "clusters/jobs.py": ("clusters/test_farm.py", "what a farm is given and gives back"),
    "backends/lava_cpu.py": ("backends/test_registry.py", "hands over to the worker"),
    "backends/loihi.py": ("lava/chip/test_loihi.py", "hands over to the stand-in"),
    "backends/run.py": ("backends/test_registry.py", "looks a back end up"),
    "backends/simulators.py": ("backends/test_registry.py", "hands over to the simulator"),
    "commands/analysis_text.py": ("commands/test_compare.py", "what a command prints"),
    "commands/conversion.py": ("commands/test_convert.py", "options of commands"),
    "commands/placement_table.py": ("commands/test_place.py", "what a command prints"),
    "commands/terminal.py": ("commands/test_app.py", "what all commands print"),
    "core/population_base.py": ("core/test_populations.py", "a base class, tested by all that derive from it"),
    "evaluation/result.py": ("evaluation/test_compare.py", "what a comparison holds of a back end"),
    "evaluation/sweep/point.py": ("evaluation/sweep/test_sweep.py", "what a sweep does once per point"),
    "evaluation/tasks/answers.py": ("evaluation/tasks/test_kinds.py", "what tasks judge"),
    "evaluation/explain/analysis.py": ("report/test_page.py", "puts together what a report shows"),
    "hardware/counts.py": ("hardware/test_energy.py", "counts of an estimate, beside it"),
    "hardware/measurements.py": ("hardware/test_energy.py", "what stands beside an estimate"),
    "hardware/bounds.py": ("hardware/test_place.py", "bounds of placements, beside them"),
    "hardware/compiled_layers.py": ("hardware/test_compiler.py", "cuts put onto cores, recounted there"),
    "hardware/searched_layers.py": ("hardware/test_placement.py", "cuts put onto cores, recounted there"),
    "hardware/board_fields.py": ("hardware/test_board.py", "fields of a file, read there"),
    "hardware/placement_limits.py": ("hardware/test_place.py", "rules that placements break"),
    "ann/frontends/netx_layers.py": ("ann/frontends/test_netx_write.py", "what is written and read"),
    "backends/netx_file.py": ("lava/chip/test_netx.py", "a file for as long as a run takes"),
    "lava/chip/ends.py": ("lava/chip/test_realizations.py", ON_STANDIN),
    "lava/chip/graph.py": ("lava/chip/test_realizations.py", ON_STANDIN),
    "lava/chip/processes/models.py": ("lava/chip/test_realizations.py", ON_STANDIN),
    "lava/chip/processes/process.py": ("lava/chip/test_realizations.py", ON_STANDIN),
    "lava/chip/runner.py": ("lava/chip/test_realizations.py", ON_STANDIN),
    "lava/processes/models.py": ("lava/test_equality.py", IN_LAVA),
    "lava/processes/process.py": ("lava/test_equality.py", IN_LAVA),
    "lava/processes/spike_models.py": ("lava/test_equality.py", IN_LAVA),
    "lava/worker.py": ("lava/test_client.py", "a process, tested by those who start and end it"),
    "report/plots.py": ("report/test_page.py", "drawings of the page"),
    "report/sections.py": ("report/test_page.py", "sections of the page"),
    "simulator/results.py": ("simulator/test_memory.py", "what a run keeps, and what that takes"),
    "simulator/run.py": ("simulator/test_engine.py", "a run cut into chunks, beside the definition"),
    "simulator/sources.py": ("simulator/test_engine.py", "inputs of a run, beside the definition"),
}
"""Modules whose tests have another name: the file that has them, and why."""


def has_logic(path: Path) -> bool:
    """Whether a module has a function that does something; what only declares or exports needs no tests of its own."""
    functions = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)]
    statements = [statement for function in functions for statement in function.body]
    return path.name != "__init__.py" and not all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in statements)


MODULES = [path.relative_to(ROOT / "loihiconv").as_posix() for path in sorted((ROOT / "loihiconv").rglob("*.py")) if has_logic(path)]


def mirror(module: str) -> Path:
    """Where the tests of a module are by its name."""
    return ROOT / "tests" / Path(module).with_name(f"test_{Path(module).name}")


@pytest.mark.parametrize("module", [module for module in MODULES if module not in ELSEWHERE])
def test_a_module_has_its_tests(module: str) -> None:
    assert mirror(module).is_file(), f"loihiconv/{module} has no tests in {mirror(module).relative_to(ROOT)}"


def test_exceptions_are_still_some() -> None:
    for module, (tests, _) in ELSEWHERE.items():
        assert module in MODULES, f"{module} is not there, or has nothing to test"
        assert not mirror(module).exists(), f"{module} has tests of its own by now"
        assert (ROOT / "tests" / tests).is_file(), f"{tests} is not there"
