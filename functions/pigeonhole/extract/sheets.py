"""Workbooks, by calamine: each sheet row by row, numbers as a person would write them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import legacy, ooxml
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_picture

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

ROWS_AT_ONCE = 500
LONGEST_SPAN = 200  # rows


def read(source: Source) -> Iterator[Segment]:
    """Each sheet under its name, after the workbook's metadata; its pictures where no cell has text.

    Raises DocumentError `encrypted` or `corrupt`.
    """
    is_zip = source.data.startswith(b"PK")
    yield ooxml.metadata(source) if is_zip else legacy.metadata(source.data)
    workbook = _open_workbook(source.data)
    names, sheets_read, has_text = workbook.sheet_names, 0, False
    yield Metadata(pages_total=len(names), pages_read=0)
    for name in names[: source.limits.sheets]:
        if sheet := _open_sheet(workbook, name):
            sheets_read += 1
            for segment in _sheet(sheet, source.limits.rows):
                has_text = True
                yield segment
            yield Metadata(pages_read=sheets_read, parts_read=1)
        else:
            yield NotRead(name=name, reason="corrupt")
    if names and not sheets_read:
        raise DocumentError("corrupt", "none of its sheets can be read")
    if (left := len(names) - source.limits.sheets) > 0:
        yield NotRead(name=f"{left} sheets", reason="sheets", parts=left)
    if is_zip:
        yield from ooxml.notes_and_charts(source)
        yield from ooxml.uncalculated_formulas(source)
    if not has_text and is_zip:
        for name, data in ooxml.pictures(source):
            yield from read_picture(source, name, data)
    elif not has_text:  # the old format may hold drawings, which we cannot read: so it is not called empty
        yield "\n".join(f"## {name}" for name in names[: source.limits.sheets])


def _open_workbook(data: bytes) -> CalamineWorkbook:
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise DocumentError("encrypted", str(error)) from error
    except MemoryError:
        raise
    except BaseException as error:  # a panic in Rust is not even an Exception
        raise DocumentError("corrupt", str(error)) from error


def _open_sheet(workbook: CalamineWorkbook, name: str) -> CalamineSheet | None:
    try:
        return workbook.get_sheet_by_name(name)
    except MemoryError:
        raise
    except BaseException:  # noqa: BLE001  a panic in Rust is not even an Exception
        return None


def _sheet(sheet: CalamineSheet, max_rows: int) -> Iterator[Segment]:
    rows, heading = [f"## {sheet.name}"], 1
    spans = _Spans(sheet)
    for at, row in enumerate(sheet.iter_rows()):
        if at >= max_rows:
            yield NotRead(name=f"the rest of {sheet.name}", reason="rows", parts=0)
            break
        cells = [value if type(value) is str else _cell(value) for value in row]
        if line := _line(spans.filled(at, cells) if spans else cells):
            rows.append(line)
        if len(rows) >= ROWS_AT_ONCE:
            yield "\n".join(rows)
            rows, heading = [], 0
    if len(rows) > heading:
        yield "\n".join(rows)


def _line(cells: list[str]) -> str:
    """The cells as one line; a line end or a tab inside a cell, which few have, becomes a space."""
    line = "\t".join(cells)
    if "\n" in line or line.count("\t") >= len(cells):
        line = "\t".join([cell.replace("\n", " ").replace("\t", " ") for cell in cells])
    return line.rstrip("\t")


class _Spans:
    """Cells merged over several rows: their value belongs to each of these rows."""

    def __init__(self, sheet: CalamineSheet) -> None:
        top, left = sheet.start or (0, 0)
        self._value: dict[int, str] = {}
        self._starts: dict[int, list[tuple[int, int]]] = {}
        for (first, column), (last, _) in sheet.merged_cell_ranges or ():
            if first < last <= first + LONGEST_SPAN:
                self._starts.setdefault(first - top, []).append((column - left, last - top))
        self._open: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._starts)

    def filled(self, at: int, row: list[str]) -> list[str]:
        """The row `at` with the values of cells that reach into it from above; called row by row."""
        for column, last in list(self._open.items()):
            if last < at:
                del self._open[column]
            elif column < len(row) and not row[column]:
                row[column] = self._value[column]
        for column, last in self._starts.get(at, ()):
            if 0 <= column < len(row):
                self._open[column], self._value[column] = last, row[column]
        return row


def _cell(value: Any) -> str:
    """A value that is no text, as text; a whole number is stored as 3.0 and shown as 3."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    if isinstance(value, (bool, int, date, time, timedelta)):
        return str(value)
    return ""
