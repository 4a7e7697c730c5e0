"""Noise goes, words stay."""

from __future__ import annotations

import pytest

from pigeonhole.extract.tidy import tidy


@pytest.mark.parametrize(
    ("noisy", "clean"),
    [
        ("sig\u00adnature", "signature"),
        ("sig\u00ad\nnature", "signature"),
        ("a\x00b\x07c", "abc"),
        ("line   \r\nnext\r", "line\nnext"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("see data:image/png;base64,iVBORw0KGgoAAA== here", "see [data: image/png] here"),
        ("x " + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVph" * 9 + " y", "x [base64 left out]\n y"),
        (
            "\n".join(["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVph" * 2] * 5 + ["QUJD="]) + "\nyours",
            "[base64 left out]\n\nyours",
        ),
        ("ACGTACGTAC" * 40, "ACGTACGTAC" * 40),
        ("0123456789" * 40, "0123456789" * 40),
    ],
)
def test_tidying_removes_noise_and_keeps_words(noisy, clean):
    assert tidy(noisy) == clean
