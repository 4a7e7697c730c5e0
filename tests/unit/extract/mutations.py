"""Damage of every sort, done to documents of every kind; inside packages as well as to them."""

from __future__ import annotations

import io
import random
import zipfile

from tests.unit.extract.conftest import VECTORS

SEEDS = {path.name: path.read_bytes() for path in sorted(VECTORS.iterdir())}
INTERESTING = (
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x80",
    b"-1",
    b"99999999999",
    b"<",
    b"{",
    b"(" * 40,
    b"\n",
    b"=",
)


def mutated(data: bytes, chance: random.Random, *, times: int = 4) -> bytes:
    """The document after some damage; of a package, mostly to one of its members."""
    if data.startswith(b"PK\3\4") and chance.random() < 0.8:
        return _inside(data, chance)
    damaged = bytearray(data)
    for _ in range(chance.randint(1, times)):
        chance.choice((_flip, _cut, _double, _insert, _interesting, _splice))(damaged, chance)
    return bytes(damaged)


def _inside(data: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            names = old.namelist()
            hit = chance.choice(names)
            for name in names:
                member = old.read(name)
                new.writestr(zipfile.ZipInfo(name), mutated(member, chance) if name == hit else member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError, IndexError):
        return data[: len(data) // 2]
    return out.getvalue()


def _place(damaged: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(damaged) + 1)
    return start, start + min(int(chance.expovariate(0.1)) + 1, 4_096)


def _flip(damaged: bytearray, chance: random.Random) -> None:
    if damaged:
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)


def _cut(damaged: bytearray, chance: random.Random) -> None:
    start, end = _place(damaged, chance)
    del damaged[start : len(damaged) if chance.random() < 0.1 else end]


def _double(damaged: bytearray, chance: random.Random) -> None:
    start, end = _place(damaged, chance)
    damaged[start:start] = damaged[start:end] * chance.choice((1, 1, 2, 50))


def _insert(damaged: bytearray, chance: random.Random) -> None:
    start, end = _place(damaged, chance)
    damaged[start:start] = chance.randbytes(min(end - start, 64))


def _interesting(damaged: bytearray, chance: random.Random) -> None:
    start, _ = _place(damaged, chance)
    what = chance.choice(INTERESTING)
    damaged[start : start + len(what)] = what


def _splice(damaged: bytearray, chance: random.Random) -> None:
    other = chance.choice(list(SEEDS.values()))
    start, end = _place(bytearray(other), chance)
    at, _ = _place(damaged, chance)
    damaged[at:at] = other[start:end]
