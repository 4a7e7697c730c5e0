"""Workbooks: cells, and what stands beside them."""

from __future__ import annotations

import pytest

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import legacy, packages
from tests.documents.vectors.make import encoded, picture
from tests.unit.extract import hostile
from tests.unit.extract.conftest import with_members


def test_a_workbook_counts_the_sheets_that_could_be_read(read):
    coverage = read(hostile.half_a_workbook()).coverage
    assert (coverage.pages_read, coverage.pages_total, coverage.parts_failed) == (1, 2, 1)


def test_a_workbook_of_which_no_sheet_can_be_read_is_corrupt(read):
    with pytest.raises(DocumentError) as exc_info:
        read(hostile.half_a_workbook(sheets=1))
    assert exc_info.value.code == "corrupt"


def test_text_boxes_and_charts_of_a_workbook_are_read(read):
    book = with_members(
        packages.xlsx({"S": [["Total", 3.0]]}, "t"),
        {
            "xl/drawings/drawing1.xml": "<d><a:p><a:t>Pay by 5 </a:t><a:t>March</a:t></a:p></d>",
            "xl/charts/chart1.xml": "<c><a:p><a:t>Sales by month</a:t></a:p><c:v>4711</c:v></c>",
        },
    )
    assert read(book).text == "## S\nTotal\t3\n\nSales by month\n\nPay by 5 March"


CELLS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Total</t></is></c>'
    '<c r="B1"><f>SUM(C1:C9)&amp;"€"</f>{}</c><c r="C1"><v>3</v></c></row>'
)


@pytest.mark.parametrize("value", ["", "<v></v>", "<v/>"])
def test_a_formula_without_a_stored_value_is_shown_itself(read, value):
    sheet = f"<worksheet><sheetData>{CELLS.format(value)}</sheetData></worksheet>"
    book = with_members(packages.xlsx({"S": [[]]}, "t"), {"xl/worksheets/sheet1.xml": sheet})
    assert read(book).text == '## S\nTotal\t\t3\n\nB1\t=SUM(C1:C9)&"€"'


def test_a_formula_is_not_shown_beside_its_value_nor_in_a_file_of_a_program_that_calculates(read):
    valued = f"<worksheet><sheetData>{CELLS.format('<v>7</v>')}</sheetData></worksheet>"
    book = with_members(packages.xlsx({"S": [[]]}, "t"), {"xl/worksheets/sheet1.xml": valued})
    assert read(book).text == "## S\nTotal\t7\t3"
    app = (
        "<Properties><Application>Microsoft Excel</Application><AppVersion>16.0300</AppVersion></Properties>"
    )
    empty = {"xl/worksheets/sheet1.xml": valued.replace("<v>7</v>", "<v></v>"), "docProps/app.xml": app}
    assert read(with_members(book, empty)).text == "## S\nTotal\t\t3"


def test_a_broken_chart_is_counted_and_leaves_the_workbook_readable(read):
    book = packages.xlsx({"S": [["Total", 3.0]]}, "t")
    text = read(with_members(book, {"xl/charts/chart1.xml": "<c></d>"}))
    assert text.text == "## S\nTotal\t3\n\n[not read: xl/charts/chart1.xml: corrupt]"
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)


def test_a_workbook_of_pictures_alone_is_looked_at(read):
    book = with_members(
        packages.xlsx({"S": []}, "t"), {"xl/media/image1.jpeg": encoded(picture("Screenshot"), "JPEG")}
    )
    assert len(read(book).images) == 1


def test_a_workbook_without_content_is_empty(read):
    with pytest.raises(DocumentError, match="empty"):
        read(packages.xlsx({"S": [], "T": []}, "t"))


def test_an_old_workbook_without_cells_is_not_called_empty(read):
    assert read(legacy.xls("Plan", [])).text == "## Plan"
