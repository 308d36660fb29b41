"""Spreadsheet files: texts stay texts, numbers keep their digits, and nothing is overwritten."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from croupier.kit.sheets import write_sheet

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_cells_have_the_type_of_their_text(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    row = ["=1+1", "<&>", "12.50", "-3", "007", "123456789012345.67", True, None, "a\x00b"]
    write_sheet(file, ["names"], [row])
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            ET.fromstring(archive.read(name))
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    cells = list(sheet.iter(f"{NAMESPACE}c"))[1:]
    assert ["".join(cell.itertext()) for cell in cells] == [
        "=1+1", "<&>", "12.50", "-3", "007", "123456789012345.67", "1", "", "a b",
    ]  # fmt: skip
    kinds = [cell.get("t") for cell in cells]
    assert kinds == ["inlineStr", "inlineStr", None, None, "inlineStr", "inlineStr", "b", None, "inlineStr"]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_text("mine", "utf-8")
    with pytest.raises(FileExistsError):
        write_sheet(file, [], [])
    assert file.read_text("utf-8") == "mine"
