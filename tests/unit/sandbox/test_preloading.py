"""The fork server has imported what a document needs before it forks the document's worker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import magic, registry, sniff
from pigeonhole.extract.registry import FORMATS
from tests.unit.extract.conftest import VECTORS

DOCUMENTS = {path.name: path.read_bytes() for path in sorted(VECTORS.iterdir())}
FORMATS_BY_MAGIC = FORMATS.keys() & magic.NAMES
# Sends documents to a fork server of this process's own, and prints which modules it then had not imported.
SCRIPT = """
import json, os, socket, sys
from pathlib import Path
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox.fork_server import REQUEST, ForkServer
path, format_name = sys.argv[1:]
ours, theirs = socket.socketpair()
server = ForkServer(theirs, Limits())
document = os.open(path, os.O_RDONLY)
socket.send_fds(ours, [REQUEST.pack(1 << 28, False, 0)], [document, *os.pipe()[1:], *os.pipe()[1:]])
assert server._accept()
print(json.dumps([name for name in FORMATS[format_name].modules if name not in sys.modules]))
"""


def detected(name: str) -> str:
    try:
        return sniff.detect_format(DOCUMENTS[name], name)
    except DocumentError as error:
        return error.code


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_first_bytes_of_a_document_name_its_format(name):
    head = DOCUMENTS[name][: magic.LONGEST]
    format_name = detected(name)
    if format_name in FORMATS and magic.candidates(head):
        assert format_name in registry.candidates(head)


def test_every_format_but_rare_texts_is_preloaded_for_the_first_bytes_of_a_document_of_ours():
    preloaded = {name for data in DOCUMENTS.values() for name in registry.candidates(data[: magic.LONGEST])}
    assert FORMATS.keys() - preloaded == {name for name, entry in FORMATS.items() if not entry.preload}
    assert preloaded >= FORMATS_BY_MAGIC


@pytest.mark.parametrize(
    ("prefix", "format_name"),
    [(prefix, name) for prefix, name in magic.MAGIC if name in FORMATS]
    + [(magic.COMPOUND, name) for _, name in magic.COMPOUND_STREAMS if name in FORMATS]
    + [(prefix, "docx") for prefix in magic.ZIP],
)
def test_every_magic_number_of_a_format_names_it(prefix, format_name):
    assert format_name in registry.candidates(prefix.ljust(magic.LONGEST, b"\0"))


@pytest.mark.parametrize("head", [b"Dear Ada,\n", b"MZ is how the letters", b"\0\1\2\3", b""])
def test_what_has_no_magic_number_of_a_format_may_be_any_common_text(head):
    assert {"txt", "html", "eml", "csv"} <= set(registry.candidates(head))
    assert not FORMATS_BY_MAGIC & set(registry.candidates(head))


@pytest.mark.parametrize(
    ("head", "format_name"),
    [
        pytest.param(b"\x9b\xa5\x21\0", "doc", id="Word for Windows 1"),
        pytest.param(b"II+\0", "tiff", id="a TIFF of more than 4 GB"),
        pytest.param(b"%PDF-1.7", "pdf", id="PDF"),
        pytest.param(b"PK\3\4", "ods", id="a ZIP package"),
        pytest.param(b"From: a@b", "eml", id="a message"),
    ],
)
def test_a_fork_server_imports_a_formats_modules_before_it_forks(tmp_path: Path, head, format_name):
    document = tmp_path / "document"
    document.write_bytes(head + bytes(64))
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(document), format_name],
        cwd=Path(__file__).parents[3] / "functions",
        capture_output=True,
        check=True,
    )
    assert json.loads(ran.stdout) == []
