from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Dense, LinearMap
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.limits import Violation
from loihiconv.hardware.place import place
from loihiconv.hardware.placement import LayerPlacement, Placement, Slice
from loihiconv.hardware.region import Region
from tests.hardware.nets import chain, conv, mnist_cnn
from tests.hardware.recount import recount, shape_of
from tests.strategies import Case, cases

RESOURCES = {
    "compartments": "neurons_per_core",
    "words": "synapse_memory_words",
    "axons_in": "input_axons_per_core",
    "axons_out": "output_axons_per_core",
    "longest": "synapse_words_per_axon",
}


def small_board(name: str, **limits: int) -> Board:
    """A board with tighter limits, so that even small networks must be cut; cuts are looked for."""
    changed: dict[str, Limit | None] = {key: Limit(value=value, source="a test") for key, value in limits.items()}
    return load_board(name).model_copy(update={"compiler": None, **changed})


@st.composite
def tight_boards(draw: st.DrawFn) -> Board:
    name = draw(st.sampled_from(("nahuku32", "nahuku32", "kapoho_point")))
    return small_board(
        name,
        neurons_per_core=draw(st.sampled_from((8, 32, 64, 1024))),
        synapse_memory_words=draw(st.sampled_from((24, 96, 512, 16384))),
        input_axons_per_core=draw(st.sampled_from((12, 40, 4096))),
        output_axons_per_core=draw(st.sampled_from((16, 64, 4096))),
        axon_base_range=draw(st.sampled_from((4, 16, 256))),
    )


@st.composite
def images(draw: st.DrawFn) -> Network:
    """Convolutions over images with more channels and pixels, some with a skip: what is cut in space, and gets halos."""
    channels, size = draw(st.integers(1, 6)), draw(st.integers(3, 8))
    maps: list[LinearMap] = [conv(channels, channels, 1)]
    for _ in range(draw(st.integers(1, 2))):
        groups = draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == 0]))
        c_out = groups * draw(st.integers(1, 4))
        kernel = draw(st.sampled_from((1, 3, 3, 5)))
        maps.append(conv(channels, c_out, kernel, draw(st.sampled_from((1, 1, 2))), groups))
        channels = c_out
    network = chain((maps[0].weight.shape[0], size, size), *maps, conv(channels, 2, 1))
    first, last = network.populations[1], network.populations[-2]
    if len(maps) == 3 and first.shape == last.shape:
        skip = Connection(first.name, last.name, conv(channels, channels, 1, groups=channels))
        return replace(network, connections=(*network.connections, skip))
    return network


@given(images(), st.sampled_from((96, 160, 512)), st.sampled_from((48, 128)), st.sampled_from((8, 256)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_independent_count_agrees_on_images(network: Network, compartments: int, words: int, base: int):
    board = small_board(
        "nahuku32", neurons_per_core=compartments, synapse_memory_words=words, axon_base_range=base, output_axons_per_core=256
    )
    placement = place(network, board)
    assert recount(network, placement) == {core: vars(demand) for core, demand in placement.usage.items()}
    assert {v.quantity for v in placement.violations if placement[v.layer].slices} <= {"output_axons_per_core"}
    covered_once(network, placement)


def covered_once(network: Network, placement: Placement) -> None:
    for layer in placement.layers:
        if layer.slices:
            held = np.zeros(shape_of(network, layer.name), int)
            for s in layer.slices:
                (c0, c1), (r0, r1), (w0, w1) = s.region.channels, s.region.rows, s.region.columns
                held[c0:c1, r0:r1, w0:w1] += 1
            assert (held == 1).all(), layer.name


@given(cases(separated=True), tight_boards())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_an_independent_count_agrees_and_finds_no_limit_broken_that_is_not_reported(case: Case, board: Board):
    placement = place(case.network, board)
    counted = recount(case.network, placement)
    assert counted == {core: vars(demand) for core, demand in placement.usage.items()}
    broken = {
        limit
        for used in counted.values()
        for key, limit in RESOURCES.items()
        if (known := getattr(board, limit)) and used[key] > known.value
    }
    unplaced = {layer.name for layer in placement.layers if not layer.slices}
    reported = {v.quantity for v in placement.violations if v.layer not in unplaced}
    assert broken <= reported
    assert broken <= {"output_axons_per_core"}, "the only limit that depends on other layers, and so can be found broken late"
    assert unplaced <= {v.layer for v in placement.violations}
    covered_once(case.network, placement)


@given(cases(separated=True))
@settings(max_examples=20, deadline=None)
def test_placement_is_deterministic_and_never_below_its_bound(case: Case):
    first, second = place(case.network, "nahuku8"), place(case.network, "nahuku8")
    assert first.to_json() == second.to_json()
    assert first.cores >= first.bound >= 1
    assert all(layer.slices for layer in first.layers)


def spread(*parts: tuple[str, int, int], cores_per_chip: int = 2) -> Placement:
    """Slices of (population, core, compartments)."""
    one = Region((0, 1), (0, 1), (0, 1))
    layers = []
    for name in dict.fromkeys(name for name, _, _ in parts):
        slices = tuple(Slice(name, core, one, False, Demand(compartments=n)) for other, core, n in parts if other == name)
        layers.append(LayerPlacement(name, (len(slices), 1, 1), len(slices), slices, {}, "channels", {}))
    return Placement(small_board("nahuku8", cores_per_chip=cores_per_chip), tuple(layers), {"neurons": 1, "axons_in": 2})


def test_chips_are_used_up_before_the_next_begins():
    assert [spread(*(("a", core, 1) for core in range(n))).chips for n in (1, 2, 3, 4, 5)] == [1, 1, 2, 2, 3]


def test_what_is_uncertain_does_not_stand_in_the_way():
    certain, uncertain = (Violation("a", "cores", 2, 1, c, "use less") for c in (True, False))
    found = [replace(spread(("a", 0, 1)), violations=v).fits for v in ((), (uncertain,), (certain,), (uncertain, certain))]
    assert found == [True, True, False, False]


def test_a_core_that_two_populations_share():
    """As JSON each layer tells its own part of a core, and the placement all of it."""
    placement = spread(("a", 0, 256), ("a", 0, 128), ("a", 1, 512), ("b", 1, 256))
    assert (placement.cores, placement.chips, placement.bound) == (2, 1, 2)
    assert {core: demand.compartments for core, demand in placement.usage.items()} == {0: 384, 1: 768}
    assert placement.utilisation(1) == 0.75
    a, b = placement.to_json()["layers"]
    assert [(c["core"], c["slices"], c["neurons"], c["compartments"], c["utilisation"]) for c in a["cores"]] == [
        (0, 2, 2, 384, 0.375),
        (1, 1, 1, 512, 0.5),
    ]
    assert [(c["core"], c["utilisation"]) for c in b["cores"]] == [(1, 0.25)]
    assert (a["halo"], a["cut"]) == (False, "channels")


def test_what_has_no_place_has_no_halo():
    lost = LayerPlacement("a", (1, 1, 1), 1, (), {}, "", {})
    assert Placement(load_board("nahuku8"), (lost,), {}).to_json()["layers"][0]["halo"] is False


def test_shared_cores_are_said() -> None:
    placement = place(mnist_cnn(), "nahuku8")
    alone = [len(layer.cores) for layer in placement.layers]
    said = [text for text in placement.remarks() if text.startswith("shared: ")]
    assert bool(said) == (sum(alone) > placement.cores)
    layer = placement.layers[0]
    other = replace(layer, name="other")
    both = replace(placement, layers=(layer, other, *placement.layers[1:]))
    (said_now,) = [text for text in both.remarks() if text.startswith("shared: ")]
    assert f"by {layer.name} and other" in said_now


def test_what_no_core_holds_is_not_among_the_cores() -> None:
    """Neither the gap to the bound nor the chips that would be enough say anything then."""
    net = chain((1, 8, 8), conv(1, 4, 3), Dense(np.ones((10, 256))))
    placement = place(net, small_board("kapoho_point", synapse_memory_words=30, chips=1, cores_per_chip=1))
    assert placement.unplaced
    assert placement.remarks()[0].endswith(f"without {', '.join(placement.unplaced)}, which no core holds")
    assert not any("or a board with" in str(violation) for violation in placement.violations)
