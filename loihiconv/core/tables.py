"""What a value says of itself in words and tables: the same in a terminal, a notebook and Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

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

    def text(self) -> str:
        """In plain characters."""
        lines = [self.header, *self.rows]
        columns = range(len(self.header))
        widths = [max(len(line[i]) for line in lines) for i in columns]
        aligned = [[line[i].rjust(widths[i]) if self.numeric(i) else line[i].ljust(widths[i]) for i in columns] for line in lines]
        head, *body = ("  ".join(cells).rstrip() for cells in aligned)
        return "\n".join([*([self.title] if self.title else []), head, "  ".join("-" * width for width in widths), *body])

    def html(self) -> str:
        """A ``<table>`` in the colours of the page that it is on."""

        def cells(tag: str, row: Sequence[str]) -> str:
            styles = (f"text-align:{'right' if self.numeric(i) else 'left'};{PADDING}" for i in range(len(self.header)))
            return "".join(f'<{tag} style="{style}">{escape(cell)}</{tag}>' for style, cell in zip(styles, row, strict=True))

        caption = f'<caption style="text-align:left;font-weight:bold;{PADDING}">{escape(self.title)}</caption>' if self.title else ""
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        return f"<table>{caption}<thead><tr>{cells('th', self.header)}</tr></thead><tbody>{body}</tbody></table>"

    def markdown(self, left: int = 1) -> str:
        """In Markdown; the first ``left`` columns to the left, the others to the right. Bars within cells are escaped."""
        rule = [":--" if i < left else "--:" for i in range(len(self.header))]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (self.header, rule, *self.rows))


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
