"""What a value says of itself in words and tables: the same in a terminal, a notebook and Markdown."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

WIDTH = 80
"""Characters of a line of text."""
PADDING = "padding:0.2em 0.7em"
"""Of cells: not every notebook's page has a style for tables."""
_NUMBER = re.compile(r"\[?[-−–\d., ]+\]?([ \u00a0]%)?")


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header.

    Parameters
    ----------
    title : str
    header : sequence of str
    rows : sequence of sequences of str
        Each as long as the header.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def numeric(self, column: int) -> bool:
        """Whether a column holds nothing but numbers, which stand to the right; the first never does."""
        return column > 0 and all(_NUMBER.fullmatch(row[column]) for row in self.rows if row[column])

    def text(self, width: int = WIDTH) -> str:
        """In plain characters; where that is wider, columns stand closer together, and then long cells take several lines."""
        columns = range(len(self.header))
        longest = [max(len(line[i]) for line in (self.header, *self.rows)) for i in columns]
        gap = " " * (2 if sum(longest) + 2 * (len(longest) - 1) <= width else 1)
        widths = self._fitting(longest, width - len(gap) * (len(longest) - 1))
        head, *body = (self._lines(row, widths, gap) for row in (self.header, *self.rows))
        return "\n".join(
            [
                *([self.title] if self.title else []),
                *head,
                gap.join("-" * wide for wide in widths),
                *(line for lines in body for line in lines),
            ]
        )

    def _fitting(self, longest: Sequence[int], width: int) -> list[int]:
        """Widths of columns that sum to no more, as far as words let them: those of texts give way, the widest first."""
        widths = list(longest)
        for i in sorted(range(1, len(widths)), key=lambda column: -longest[column]):
            if not self.numeric(i):
                word = max(len(word) for row in (self.header, *self.rows) for word in (row[i].split() or [""]))
                widths[i] = max(min(widths[i], widths[i] - sum(widths) + width), word)
        return widths

    def _lines(self, row: Sequence[str], widths: Sequence[int], gap: str) -> list[str]:
        cells = [textwrap.wrap(cell, wide) if len(cell) > wide else [cell] for cell, wide in zip(row, widths, strict=True)]
        lines = zip_longest(*cells, fillvalue="")
        sides = [str.rjust if self.numeric(i) else str.ljust for i in range(len(widths))]
        return [gap.join(side(cell, wide) for side, cell, wide in zip(sides, line, widths, strict=True)).rstrip() for line in lines]

    def html(self) -> str:
        """A ``<table>`` in the colours of the page that it is on."""

        def cells(tag: str, row: Sequence[str]) -> str:
            styles = (f"text-align:{'right' if self.numeric(i) else 'left'};{PADDING}" for i in range(len(self.header)))
            return "".join(f'<{tag} style="{style}">{escape(cell)}</{tag}>' for style, cell in zip(styles, row, strict=True))

        caption = f'<caption style="text-align:left;font-weight:bold;{PADDING}">{escape(self.title)}</caption>' if self.title else ""
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        return f"<table>{caption}<thead><tr>{cells('th', self.header)}</tr></thead><tbody>{body}</tbody></table>"

    def markdown(self, left: int = 1) -> str:
        """In Markdown; the first ``left`` columns to the left, the others to the right. Bars within cells are escaped, and lines joined."""
        rule = [":--" if i < left else "--:" for i in range(len(self.header))]
        return "\n".join("| " + " | ".join(map(_in_cell, row)) + " |" for row in (self.header, rule, *self.rows))


def _in_cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").splitlines())


class Shown:
    """A value that can show itself: as text with `summary`, and by itself at the end of a notebook's cell."""

    def tables(self) -> tuple[Table, ...]:
        """What there is to see in rows and columns."""
        raise NotImplementedError

    def remarks(self) -> tuple[str, ...]:
        """What there is to say beside the tables."""
        return ()

    def summary(self) -> str:
        """Tables and remarks as text."""
        return "\n\n".join([*(table.text() for table in self.tables()), *(["\n".join(self.remarks())] if self.remarks() else [])])

    def _repr_html_(self) -> str:
        return "".join([*(table.html() for table in self.tables()), *(f"<p>{escape(remark)}</p>" for remark in self.remarks())])


def counted(kinds: Sequence[str]) -> str:
    """Kinds, each once: "2 convolution + dense"."""
    return " + ".join(kind if number == 1 else f"{number} {kind}" for kind, number in Counter(kinds).items())


def together(notes: Sequence[str]) -> list[str]:
    """Notes "layer: text", those of the same text on one line."""
    layers: dict[str, list[str]] = {}
    for text in notes:
        layer, colon, said = text.partition(": ")
        layers.setdefault(said if colon else text, []).append(layer if colon else "")
    return [f"{', '.join(names)}: {said}" if any(names) else said for said, names in layers.items()]
