"""Prints the words of a PPTX as python-pptx reads them: shapes, groups, tables, notes. Without python-pptx, every a:t of slides and notes."""
import re
import sys
import zipfile
from xml.etree import ElementTree

try:
    import pptx
except ImportError:
    pptx = None


def shapes(within):
    for shape in within:
        if hasattr(shape, "shapes"):  # a group
            yield from shapes(shape.shapes)
        elif shape.has_text_frame:
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False) and shape.has_table:
            for row in shape.table.rows:
                yield "\t".join(cell.text for cell in row.cells)


def by_library(path):
    for slide in pptx.Presentation(path).slides:
        yield from shapes(slide.shapes)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield slide.notes_slide.notes_text_frame.text


def by_hand(path):
    with zipfile.ZipFile(path) as archive:
        parts = [n for n in archive.namelist() if re.fullmatch(r"ppt/(slides|notesSlides)/[^/]*\d+\.xml", n)]
        for name in sorted(parts, key=lambda n: (n.split("/")[1] != "slides", int(re.findall(r"\d+", n)[-1]))):
            for paragraph in ElementTree.fromstring(archive.read(name)).iter("{http://schemas.openxmlformats.org/drawingml/2006/main}p"):
                yield "".join(t.text or "" for t in paragraph.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}t"))


if sys.argv[1] == "--version":
    print("python-pptx " + pptx.__version__ if pptx else "zipfile")
else:
    for line in (by_library if pptx else by_hand)(sys.argv[1]):
        sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
