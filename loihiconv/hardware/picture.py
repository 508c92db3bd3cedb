"""A picture of the board with every core in its layer's colour: as text, or as SVG without any library.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which people with any colour vision can tell
apart; a letter in every core says the same without colours, and each core has a tooltip.
"""

from __future__ import annotations

from html import escape
from itertools import product
from string import ascii_letters, digits

from loihiconv.hardware.placement import LayerPlacement, Placement

PALETTE = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2", "#BBBBBB")
LETTERS = ascii_letters + digits
COLUMNS = 16
"""Cores in a row of a chip as drawn; their true positions are not published."""
CHIPS_PER_ROW = 4
CELL = 18
FREE = "·"
LETTER_WIDTH, TITLE_LETTER_WIDTH = 6.6, 8.2
"""Pixels that a letter takes on average in common sans-serif fonts, of the legend and of the title."""


def letters(placement: Placement) -> dict[str, str]:
    """A letter for each layer; they repeat after 62 layers."""
    return {layer.name: LETTERS[i % len(LETTERS)] for i, layer in enumerate(placement.layers)}


def tenants(placement: Placement) -> dict[int, dict[str, int]]:
    """For each core in use, the neurons of each layer on it, most first."""
    held: dict[int, dict[str, int]] = {core: {} for core in placement.usage}
    for s in placement.slices:
        held[s.core][s.population] = held[s.core].get(s.population, 0) + s.region.neurons
    return {core: dict(sorted(of.items(), key=lambda item: -item[1])) for core, of in held.items()}


def text(placement: Placement) -> str:
    """The chips in use, one letter per core: the layer with the most neurons on it, and a dot where it is free."""
    letter, held = letters(placement), tenants(placement)
    per_chip, lines = placement.board.cores_per_chip.value, []
    for chip in range(placement.chips):
        marks = [letter[next(iter(held[core]))] if core in held else FREE for core in range(chip * per_chip, (chip + 1) * per_chip)]
        lines += [f"chip {chip}", *(" ".join(marks[i : i + COLUMNS]) for i in range(0, per_chip, COLUMNS)), ""]
    return "\n".join([*lines, *(f"{letter[layer.name]}  {layer.name}" for layer in placement.layers)])


def svg(placement: Placement) -> str:
    """The chips in use as an SVG document; a core that layers share is divided among their colours."""
    letter, held, colour = letters(placement), tenants(placement), _colours(placement)
    per_chip = placement.board.cores_per_chip.value
    rows = -(-per_chip // COLUMNS)
    wide, high = COLUMNS * CELL + 24, rows * CELL + 36
    body = []
    for chip in range(placement.chips):
        x, y = chip % CHIPS_PER_ROW * wide + 12, chip // CHIPS_PER_ROW * high + 48
        body.append(f'<text x="{x}" y="{y - 6}">chip {chip}</text>')
        for row, column in product(range(rows), range(COLUMNS)):
            core = row * COLUMNS + column
            if core < per_chip:
                body.append(_core(x + column * CELL, y + row * CELL, chip * per_chip + core, placement, held, colour, letter))
    board = placement.board
    title = f"{board.title}: {placement.cores} cores on {placement.chips} of {board.chips.value} chips; at least {placement.bound} needed"
    labels = [_label(letter[layer.name], layer) for layer in placement.layers]
    column = max(min(placement.chips, CHIPS_PER_ROW) * wide // 2, 44 + int(max(map(len, labels), default=0) * LETTER_WIDTH))
    width = max(2 * column, 24 + int(len(title) * TITLE_LETTER_WIDTH))
    legend_top = 48 + -(-placement.chips // CHIPS_PER_ROW) * high
    for i, (layer, label) in enumerate(zip(placement.layers, labels, strict=True)):
        x, y = 12 + i % 2 * column, legend_top + i // 2 * 20
        body.append(f'<rect x="{x}" y="{y - 11}" width="14" height="14" fill="{colour[layer.name]}" stroke="#333"/>')
        body.append(f'<text x="{x + 20}" y="{y}">{escape(label)}</text>')
    height = legend_top + -(-len(placement.layers) // 2) * 20 + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="12" y="20" font-size="14" font-weight="bold">{escape(title)}</text>{"".join(body)}</svg>\n'
    )


def _label(letter: str, layer: LayerPlacement) -> str:
    cores = len(layer.cores)
    return f"{letter}  {layer.name}: {layer.neurons:,} neurons, {cores} core{'s' * (cores != 1)}"


def _colours(placement: Placement) -> dict[str, str]:
    return {layer.name: PALETTE[i % len(PALETTE)] for i, layer in enumerate(placement.layers)}


def _core(
    x: int, y: int, core: int, placement: Placement, held: dict[int, dict[str, int]], colour: dict[str, str], letter: dict[str, str]
) -> str:
    frame = f'<rect x="{x}" y="{y}" width="{CELL - 2}" height="{CELL - 2}" fill="none" stroke="#999"/>'
    if core not in held:
        return frame
    parts, left, size = [], float(x), CELL - 2
    neurons = sum(held[core].values())
    for name, count in held[core].items():
        width = size * count / neurons
        parts.append(f'<rect x="{left:.2f}" y="{y}" width="{width:.2f}" height="{size}" fill="{colour[name]}"/>')
        left += width
    tip = f"core {core}: {', '.join(f'{n} {c} neurons' for n, c in held[core].items())}; {placement.utilisation(core):.0%} used"
    mark = f'<text x="{x + size / 2}" y="{y + 12}" text-anchor="middle" font-size="10">{letter[next(iter(held[core]))]}</text>'
    return f"<g><title>{escape(tip)}</title>{''.join(parts)}{frame}{mark}</g>"
