"""Whatever a document does, it does to its own worker, and its neighbours are read."""

# ruff: noqa: E501  documents and scripts read worse when broken

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pigeonhole.domain.document import Text
from pigeonhole.domain.errors import DocumentError, TryLater
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.client import MALLOC_SETTINGS
from pigeonhole.sandbox.extractor import Extractor
from tests.unit.extract import hostile
from tests.unit.extract.conftest import ReadDocument

MB = 1 << 20
# Memory is what ends these, however slow the machine; and time the others, however fast.
SMALL = Limits(memory_bytes=300 * MB, wall_seconds=300, cpu_seconds=300)
ENDLESS = Limits(pages=1_000_000, chars=100_000_000)
PATIENCE = (0.5, 4, 32)


def outcome(extractor: Extractor, path: Path) -> str:
    try:
        return extractor.read(path, path.name).text
    except DocumentError as error:
        return error.code


def child_processes(of: int | str = "self") -> list[int]:
    threads = Path(f"/proc/{of}/task").iterdir()
    return [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(hostile.recursive_pdf(), id="recursive"),
        pytest.param(hostile.swelling_pdf(400), id="swelling"),
    ],
)
def test_a_document_that_takes_all_memory_fails_alone(read_within, document):
    with pytest.raises(DocumentError) as exc_info:
        read_within(document, SMALL)
    assert exc_info.value.code == "extraction_memory"


def test_a_workbook_on_which_one_library_aborts_is_read_by_the_fallback(read):
    assert "42" in read(hostile.far_cell_xlsx()).text


def read_in_part(read_within: ReadDocument, document: bytes) -> Text:
    """What is read before time is up, when that is long enough for the first page."""
    for seconds in PATIENCE:
        with contextlib.suppress(DocumentError):
            return read_within(document, replace(ENDLESS, wall_seconds=seconds))
    raise AssertionError(f"not a page in {PATIENCE[-1]} seconds")


def test_a_page_whose_parse_tree_takes_all_memory_is_read_without_it(read_within):
    page = b"<p>the first words" + b"<a href=x>y</a>" * 800_000
    assert read_within(page, replace(SMALL, memory_bytes=250 * MB)).text.startswith("the first words")


def test_what_was_read_before_time_was_up_is_kept_and_marked(read_within):
    text = read_in_part(read_within, hostile.long_pdf(4_000))
    assert text.coverage.truncated
    assert "extraction_timeout" in text.coverage.cut
    assert 0 < (text.coverage.pages_read or 0) < (text.coverage.pages_total or 0) == 4_000
    assert f"page {text.coverage.pages_read}" in text.text


def test_a_document_that_takes_too_long_to_say_anything_is_a_timeout(read_within):
    with pytest.raises(DocumentError) as exc_info:
        read_within(hostile.long_pdf(4_000), replace(ENDLESS, wall_seconds=0.2, enough_chars=100_000_000))
    assert exc_info.value.code == "extraction_timeout"


def test_processor_time_is_limited(read_within):
    with pytest.raises(DocumentError) as exc_info:
        read_within(rb"{\rtf1 " + b"{" * 30_000_000, Limits(cpu_seconds=1, wall_seconds=300))
    assert exc_info.value.code == "extraction_timeout"


def test_neighbours_of_hostile_documents_are_read(tmp_path):
    documents = [hostile.recursive_pdf(), b"plain words", hostile.far_cell_xlsx(), b"<p>a page</p>"] * 3
    paths = [tmp_path / str(number) for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    extractor = Extractor(replace(SMALL, pool_bytes=3 * SMALL.memory_bytes))
    with ThreadPoolExecutor(10) as threads:
        outcomes = list(threads.map(lambda path: outcome(extractor, path), paths))
    extractor.close()
    assert outcomes[1::4] == ["plain words"] * 3
    assert outcomes[0::4] == ["extraction_memory"] * 3
    assert outcomes[3::4] == ["a page"] * 3


@pytest.mark.parametrize(("most", "code"), [(300, "extraction_memory"), (700, "empty")])
def test_a_document_that_needs_more_memory_than_most_gets_it_up_to_the_limit(read_within, most, code):
    limits = replace(SMALL, first_memory_bytes=256 * MB, memory_bytes=most * MB)
    with pytest.raises(DocumentError) as exc_info:
        read_within(hostile.swelling_pdf(200), limits)
    assert exc_info.value.code == code


def test_a_document_waits_for_memory_as_long_as_it_has_time_and_then_is_tried_later(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes(b"plain words")
    limits = Limits(wall_seconds=1, pool_bytes=Limits().memory_bytes)
    extractor = Extractor(limits)
    with ThreadPoolExecutor() as threads:
        with extractor._pool.allocated(limits.pool_bytes, deadline=0):
            with pytest.raises(TryLater, match="other documents"):
                extractor.read(path, path.name, seconds=2.01)
            waiting = threads.submit(extractor.read, path, path.name, seconds=60)
            assert not waiting.done()
        assert waiting.result().text == "plain words"
    assert extractor.read(path, path.name, seconds=0).text == "plain words"
    extractor.close()


def test_the_pool_holds_as_many_workers_as_fit_and_always_one_of_the_largest():
    limits = Limits.within(1_344)
    assert limits.pool_bytes == limits.memory_bytes + limits.first_memory_bytes
    assert Limits.within(512).pool_bytes == limits.memory_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="finds its child processes in /proc")
def test_a_dead_fork_server_is_replaced(tmp_path):
    before = set(child_processes())
    extractor = Extractor()
    (fork_server,) = set(child_processes()) - before
    path = tmp_path / "note.txt"
    path.write_text("still here")
    os.kill(fork_server, signal.SIGKILL)
    assert extractor.read(path, "note.txt").text == "still here"
    extractor.close()


@pytest.mark.skipif(sys.platform != "linux", reason="finds its child processes in /proc")
def test_a_fork_server_that_dies_at_work_costs_no_document(tmp_path):
    before = set(child_processes())
    extractor = Extractor(replace(ENDLESS, wall_seconds=300, cpu_seconds=300))
    (fork_server,) = set(child_processes()) - before
    path = tmp_path / "long.pdf"
    path.write_bytes(hostile.long_pdf(500))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(extractor.read, path, path.name)
        while not child_processes(fork_server) and not reading.done():
            time.sleep(0.001)
        os.kill(fork_server, signal.SIGKILL)
        text: Text = reading.result()
    extractor.close()
    assert text.coverage.pages_read == 500


@pytest.mark.skipif(sys.platform != "linux", reason="finds its child processes in /proc")
def test_closing_leaves_no_process_and_no_descriptor(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("words")
    before = set(child_processes()), len(list(Path("/proc/self/fd").iterdir()))
    extractor = Extractor()
    for _ in range(5):
        extractor.read(path, "note.txt")
    extractor.close()
    assert (set(child_processes()), len(list(Path("/proc/self/fd").iterdir()))) == before


def test_a_document_above_the_size_limit_is_not_opened(read_within):
    with pytest.raises(DocumentError) as exc_info:
        read_within(b"x" * 2_000, Limits(document_bytes=1_000))
    assert exc_info.value.code == "too_large"


@pytest.mark.skipif(
    not hasattr(os, "unshare") or os.geteuid() != 0, reason="only root can take /dev/shm away"
)
def test_it_works_without_shared_memory(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("oak;48.75")
    script = (
        "import os, subprocess, sys; sys.path[:0] = ['functions']\n"
        "try: os.unshare(os.CLONE_NEWNS)\n"
        "except OSError: sys.exit(77)\n"
        "for words in (['--make-rprivate', '/'], ['-t', 'tmpfs', '-o', 'ro', 'none', '/dev/shm']):\n"
        "    if subprocess.run(['mount', *words], capture_output=True).returncode: sys.exit(77)\n"
        "try: open('/dev/shm/x', 'w'); sys.exit(77)\n"
        "except OSError: pass\n"
        "from pathlib import Path\n"
        "from pigeonhole.sandbox.extractor import Extractor\n"
        "extractor = Extractor(); print(extractor.read(Path(sys.argv[1]), 'table.csv').text); extractor.close()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=Path(__file__).parents[3], capture_output=True
    )
    if ran.returncode == 77:
        pytest.skip("this machine does not let it be taken away")
    assert ran.stdout.decode().strip() == "oak;48.75"


@pytest.mark.skipif(sys.platform != "linux", reason="finds its descriptors in /proc")
def test_a_worker_has_no_environment_and_no_descriptor_of_its_neighbours():
    script = (
        "import os, sys; sys.path[:0] = ['functions']\n"
        "from pathlib import Path\n"
        "from pigeonhole.extract.limits import Limits\n"
        "from pigeonhole.sandbox import worker\n"
        "kept = os.open('/dev/null', os.O_RDONLY); others = [os.open('/dev/null', os.O_RDONLY) for _ in range(9)]\n"
        "worker.restrict_fork_server(Limits()); worker.restrict_worker(Limits(), Limits().memory_bytes, others[4], others[6])\n"
        "held = [int(fd) for fd in os.listdir('/proc/self/fd')]\n"
        "print(dict(os.environ), sorted(set(held) - {0, 1, 2, others[4], others[6]})[1:], {others[4], others[6]} <= set(held))"
    )
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env={"SECRET": "x"}, capture_output=True, check=True
    )
    assert ran.stdout.decode().strip() == "{} [] True"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has ways of its own")
def test_memory_that_a_worker_freed_is_used_again_without_new_page_faults():
    script = (
        "import resource\n"
        "for size in range(200_000, 8_000_000, 200_000): b'x' * size\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)"
    )
    plain, ours = (
        int(subprocess.check_output([sys.executable, "-I", "-S", "-c", script], env=env))
        for env in ({}, MALLOC_SETTINGS)
    )
    assert ours < plain / 2
