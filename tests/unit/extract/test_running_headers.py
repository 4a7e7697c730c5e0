"""What repeats at the edges of pages is kept twice; amounts are no page numbers."""

from __future__ import annotations

from pigeonhole.extract.running_headers import RunningHeaders


def test_a_running_header_is_kept_on_two_pages_and_then_removed():
    running_headers = RunningHeaders()
    pages = [
        running_headers.remove_from(f"Header\nbody {n}\nmore\nwords\nstill\n- {n} -", n) for n in range(1, 5)
    ]
    assert ["Header" in page for page in pages] == [True, True, False, False]
    assert [f"- {n} -" in page for n, page in enumerate(pages, 1)] == [True, True, False, False]
    assert all(f"body {n}" in page for n, page in enumerate(pages, 1))


def test_amounts_at_the_foot_of_pages_are_not_taken_for_page_numbers():
    running_headers = RunningHeaders()
    amounts = [1_204, 77, 310, 4_711]
    pages = [
        running_headers.remove_from(f"a\nb\nc\nd\ne\nBalance {amount}", n)
        for n, amount in enumerate(amounts, 1)
    ]
    assert all(str(amount) in page for amount, page in zip(amounts, pages, strict=True))
