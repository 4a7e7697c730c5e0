"""What is sent of a document that is too long: head, tail, sections between, and marks at the gaps."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.claude.excerpt import MARK, Body, cut
from pigeonhole.domain.document import PageImage
from tests.support.fakes import SCAN

BODY = st.lists(st.text("abc \n", max_size=80) | st.integers(1, 3).map(lambda n: replace(SCAN, page=n)))


def weight(_: PageImage) -> int:
    return 10


def words(body: Body) -> str:
    return "".join(part for part in body if isinstance(part, str))


def test_what_fits_is_sent_as_it_is():
    assert cut(("abc", SCAN), 13, weight).body == ("abc", SCAN)
    assert cut(("abc", SCAN), 13, weight).is_whole


def test_half_is_the_head_a_quarter_the_tail_and_the_rest_lies_evenly_between():
    letters = "".join(chr(0x4E00 + number) for number in range(1600))
    sent = words(cut((letters,), 160, weight).body).split(MARK)

    assert [len(each) for each in sent] == [80, 10, 10, 10, 10, 40]
    assert sent[0] == letters[:80]
    assert sent[-1] == letters[-40:]
    begins = [letters.index(each) for each in sent]
    gaps = [
        begin - (before + len(each)) for before, each, begin in zip(begins, sent, begins[1:], strict=False)
    ]
    assert max(gaps) - min(gaps) <= 1


def test_a_page_is_kept_whole_where_what_is_kept_holds_its_beginning():
    pages = [replace(SCAN, page=number) for number in range(1, 17)]
    kept = [part.page for part in cut(tuple(pages), 80, weight).body if isinstance(part, PageImage)]

    assert kept[:4] == [1, 2, 3, 4]
    assert kept[-2:] == [15, 16]


@given(BODY, st.integers(0, 200))
def test_what_is_kept_is_the_documents_own_in_its_order_and_within_the_room(body, room):
    excerpt = cut(tuple(body), room, weight)
    pieces, rest = words(excerpt.body).split(MARK), words(tuple(body))

    for piece in pieces:
        assert piece in rest
        rest = rest[rest.index(piece) + len(piece) :]
    assert excerpt.chars == sum(map(len, pieces))
    assert excerpt.chars <= room or excerpt.is_whole
    assert excerpt.body == tuple(body) or not excerpt.is_whole


@given(BODY, st.integers(1, 200))
def test_no_page_is_sent_twice_or_out_of_order(body, room):
    numbered = [replace(p, page=n) if isinstance(p, PageImage) else p for n, p in enumerate(body)]
    pages = [part.page for part in cut(tuple(numbered), room, weight).body if isinstance(part, PageImage)]

    assert pages == sorted(set(pages))
