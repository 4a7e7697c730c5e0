"""Which encoding bytes are in that are not UTF-8.

The only importer of chardet, whose models take more memory than all other libraries together: a fork server
that never meets such bytes never loads them.
"""

from __future__ import annotations

import chardet
from chardet import EncodingEra

# No document comes from a mainframe's code page, but short Japanese ones look as if they did.
_ERAS = EncodingEra.ALL & ~EncodingEra.MAINFRAME
_SAMPLES = (("Größe, Maß und Güte, 5 € je Stück. ", "cp1252"), ("吾輩は猫である。", "shift_jis"))


def guess_encoding(data: bytes) -> str | None:
    """The name of the encoding, as far as these bytes tell; None when they do not."""
    return chardet.detect(data, encoding_era=_ERAS)["encoding"]


def warm_up() -> None:
    """Load chardet's models, which its import does not: it takes longer than to read most documents."""
    for words, encoding in _SAMPLES:
        guess_encoding(words.encode(encoding) * 9)
