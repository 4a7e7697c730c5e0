"""Which encoding bytes are in that are not UTF-8: the only importer of chardet, whose models weigh more than
all else together, so that a nursery that never needs them never has them.
"""

from __future__ import annotations

import chardet
from chardet import EncodingEra

# No document comes from a mainframe's code page, but short Japanese ones look as if they did.
_ERAS = EncodingEra.ALL & ~EncodingEra.MAINFRAME
_SAMPLES = (("Größe, Maß und Güte, 5 € je Stück. ", "cp1252"), ("吾輩は猫である。", "shift_jis"))


def guess(data: bytes) -> str | None:
    """The name of the encoding, as far as these bytes tell."""
    return chardet.detect(data, encoding_era=_ERAS)["encoding"]


def ready() -> None:
    """Load the models: they are not part of the import, and take longer than most documents."""
    for words, encoding in _SAMPLES:
        guess(words.encode(encoding) * 9)
