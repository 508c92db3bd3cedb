from __future__ import annotations

from xml.etree import ElementTree

from loihiconv.core.network import Network
from loihiconv.hardware import picture
from loihiconv.hardware.place import place
from tests.hardware.nets import mnist_cnn, mobilenet
from tests.hardware.test_energy import network

SVG = "{http://www.w3.org/2000/svg}"


def test_text_shows_each_core_in_use():
    placement = place(mobilenet(), "nahuku32")
    drawing, _, legend = picture.text(placement).rpartition("\n\n")
    cells = [c for line in drawing.splitlines() if not line.startswith("chip") for c in line.split()]
    assert len(cells) == 256
    assert sum(c != picture.FREE for c in cells) == placement.cores
    assert legend.splitlines()[0] == "a  layer0"


def test_svg_is_well_formed_and_has_a_tooltip_per_core():
    placement = place(mnist_cnn(), "nahuku32")
    root = ElementTree.fromstring(picture.svg(placement))
    tips = [t.text or "" for t in root.iter(f"{SVG}title")]
    assert tips[0].startswith("Nahuku, board of 32 Loihi 1: 13 cores on 1 of 32 chips")
    assert len(tips) == 1 + placement.cores
    colours = {r.get("fill") for g in root.iter(f"{SVG}g") for r in g.iter(f"{SVG}rect")} - {"none"}
    assert len(colours) == len(placement.layers)


def test_names_are_escaped():
    net = network()
    hostile = "<script>&"
    renamed = [p if p.name != "b" else type(p)(**{**vars(p), "name": hostile}) for p in net.populations]
    swap = {"b": hostile}
    connections = [
        type(c)(**{**vars(c), "source": swap.get(c.source, c.source), "target": swap.get(c.target, c.target)}) for c in net.connections
    ]
    drawn = picture.svg(place(Network(tuple(renamed), tuple(connections), 4), "nahuku8"))
    assert "<script>" not in drawn
    ElementTree.fromstring(drawn)


def test_legend_and_title_lie_inside_the_picture_and_apart():
    root = ElementTree.fromstring(picture.svg(place(mnist_cnn(), "nahuku32")))
    texts = [t for t in root.findall(f"{SVG}text") if not (t.text or "").startswith("chip")]
    assert len(texts) == 1 + len(place(mnist_cnn(), "nahuku32").layers)
    title, *legend = texts
    assert 12 + len(title.text or "") * picture.TITLE_LETTER_WIDTH <= int(root.get("width", 0))
    left = {int(t.get("x", 0)) for t in legend}
    widest = max(len(t.text or "") for t in legend) * picture.LETTER_WIDTH
    assert min(left) + widest < max(left) - 20
    assert max(left) + widest <= int(root.get("width", 0))
