"""Lays out a paper as PDF: a title, what it states, tables, notes, and a code to verify it by.

The font travels with the file, so that it looks the same wherever it is opened.
"""

from __future__ import annotations

import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from mobile_bff.pdf_contracts import Paper

_FONT = "NotoSansSC"
_FONT_PACKAGE, _FONT_FILE = "zhplot", "fonts/NotoSansSC-Regular.ttf"
_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN


def pdf_of(paper: Paper) -> bytes:
    """Return a paper as a PDF file, not signed."""
    face = _font()
    title = _style("title", 18, TA_CENTER, 26)
    body, small = _style("body", 10, leading=15), _style("small", 8.5, leading=12)
    right = _style("right", 8.5, TA_RIGHT, 12)
    story: list[Flowable] = [_text(paper.title, title), Spacer(1, 4 * mm)]
    facts = [[_text(label, small), _text(said, body)] for label, said in paper.stated]
    story.append(_table(facts, [28 * mm, _WIDTH - 28 * mm], headed=False))
    for grid in paper.grids:
        story += [Spacer(1, 6 * mm), _text(grid.title, body), Spacer(1, 1.5 * mm)]
        styles = [right if at in grid.numbers else small for at in range(len(grid.head))]
        cells = [
            [_text(one, style) for one, style in zip(row, styles, strict=True)]
            for row in (grid.head, *grid.rows)
        ]
        whole = sum(grid.widths)
        story.append(_table(cells, [_WIDTH * one / whole for one in grid.widths], headed=True))
    story.append(Spacer(1, 8 * mm))
    notes = [_text(note, small) for note in paper.notes]
    closing = Table([[_code(paper.link), notes]], colWidths=[36 * mm, _WIDTH - 36 * mm])
    closing.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    story.append(closing)
    file = io.BytesIO()
    pages = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=f"{paper.title} {paper.number}",
        author=paper.issuer,
        lang="zh-CN",
    )

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(face.fontName, 8)
        canvas.setFillColor(colors.grey)
        canvas.drawString(_MARGIN, 10 * mm, readable(paper.number))
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"第{document.page}页")

    pages.build(story, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def readable(text: str) -> str:
    """Return a text with what the font has no picture of written as its code point, never left out."""
    known = _font().face.charToGlyph
    return "".join(one if ord(one) in known else f"〔U+{ord(one):X}〕" for one in text)


@cache
def _font() -> TTFont:
    found = importlib.util.find_spec(_FONT_PACKAGE)
    places = found.submodule_search_locations if found is not None else None
    if not places:
        raise RuntimeError(f"the package {_FONT_PACKAGE} is not installed")
    font = TTFont(_FONT, str(Path(places[0]) / _FONT_FILE))
    pdfmetrics.registerFont(font)
    return font


def _style(
    name: str, size: float, alignment: Literal[0, 1, 2, 4] = TA_LEFT, leading: float = 14
) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=_FONT, fontSize=size, leading=leading, alignment=alignment, wordWrap="CJK"
    )


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(readable(text)), style)


def _table(cells: list[list[Paragraph]], widths: list[float], headed: bool) -> Table:
    table = Table(cells, colWidths=widths, repeatRows=1 if headed else 0)
    rules: list[tuple[str, tuple[int, int], tuple[int, int], *tuple[Any, ...]]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    if headed:
        rules.append(("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke))
    table.setStyle(TableStyle(rules))
    return table


def _code(link: str) -> Drawing:
    side = 32 * mm
    widget = QrCodeWidget(link, barLevel="M")
    left, bottom, width, height = widget.getBounds()
    scale = (side / (width - left), 0, 0, side / (height - bottom), 0, 0)
    drawing = Drawing(side, side, transform=scale)
    drawing.add(widget)
    return drawing
