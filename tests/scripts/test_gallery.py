"""Pictures of the zoo, and that the page shows all of them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from scripts.gallery import FOLDER, file_name, picture
from tests.zoo.nets import FAMILIES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "zoo.md").read_text(encoding="utf-8")


def test_the_page_shows_every_family_with_its_picture() -> None:
    for name in FAMILIES:
        assert f'<img src="assets/zoo/{file_name(name)}" alt=""><figcaption>{name}</figcaption>' in PAGE
    assert {path.name for path in FOLDER.iterdir()} == set(map(file_name, FAMILIES))


@pytest.mark.filterwarnings("ignore:calibration data")
def test_a_picture_has_a_box_for_each_population_and_an_arc_for_what_skips() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(10, 10), nn.Linear(10, 10), nn.Linear(10, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.relu(self.a(x))
            return self.c(torch.relu(x + self.b(torch.relu(self.b(x)))))

    torch.manual_seed(0)
    net = lc.convert(Skip().eval(), np.random.default_rng(0).random((20, 10), np.float32), board=None, timesteps=2)
    root = ElementTree.fromstring(picture(net, "a <skip>"))
    space = "{http://www.w3.org/2000/svg}"
    boxes, lines = root.findall(f"{space}rect"), root.findall(f"{space}path")
    assert root.findtext(f"{space}title") == "a <skip>"
    assert [box.findtext(f"{space}title") for box in boxes] == ["input: 10", "a: 10", "b: 10", "b_1: 10", "c: 3"]
    assert [float(box.attrib["height"]) for box in boxes[:2]] == [15, 15]  # 6 + 9 log10(10)
    assert len(lines) == len({(c.source, c.target) for c in net.connections}) == 5
    # From the edge of one box to that of another in the same middle, straight or above it.
    heights = [{float(point.split()[1]) for point in re.findall(r"[-.\d]+ [-.\d]+", line.attrib["d"])} for line in lines]
    assert [len(each) for each in heights].count(2) == 1
