"""Writes compound files (MS-CFB, version 3), the container of DOC, XLS, PPT and MSG."""

# ruff: noqa: E501  markup and tables of bytes read worse when broken

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR, MINI, CUTOFF, ENTRY = 512, 64, 4_096, 128
FREE, END, FAT_SECTOR, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF

Tree = Mapping[str, "bytes | Tree"]


@dataclass
class Entry:
    """A line of the directory."""

    name: str
    kind: int
    child: int = NONE
    right: int = NONE
    start: int = END
    size: int = 0
    data: bytes = field(default=b"", repr=False)

    def packed(self) -> bytes:
        """128 bytes, as the format wants them."""
        name = self.name.encode("utf-16-le") + b"\0\0" if self.name else b""
        return struct.pack(
            "<64sHBBIII16sIQQIQ",
            name, len(name), self.kind, 1, NONE, self.right, self.child, b"", 0, 0, 0, self.start, self.size,
        )  # fmt: skip


def compound(tree: Tree) -> bytes:
    """A compound file with these streams and storages."""
    entries = [Entry("Root Entry", 5)]
    entries[0].child = _add(entries, tree)
    chains: list[int] = []
    mini_chains: list[int] = []
    sectors = bytearray()
    mini = bytearray()
    for entry in (entry for entry in entries if entry.kind == 2 and entry.data):
        if entry.size < CUTOFF:
            entry.start = _append(mini, mini_chains, entry.data, MINI)
        else:
            entry.start = _append(sectors, chains, entry.data, SECTOR)
    root = entries[0]
    if mini:
        root.start, root.size = _append(sectors, chains, bytes(mini), SECTOR), len(mini)
    mini_fat = b"".join(struct.pack("<I", at) for at in mini_chains)
    mini_start = _append(sectors, chains, mini_fat, SECTOR, fill=b"\xff") if mini else END
    directory = b"".join(entry.packed() for entry in entries)
    directory += Entry("", 0).packed() * (-len(entries) % (SECTOR // ENTRY))
    directory_start = _append(sectors, chains, directory, SECTOR)
    return _file(sectors, chains, directory_start, mini_start, len(mini_fat))


def _add(entries: list[Entry], tree: Tree) -> int:
    """Put a storage's members in; siblings hang to the right in the order that searching needs."""
    first, before = NONE, None
    for name in sorted(tree, key=lambda name: (len(name), name.upper())):
        inside = tree[name]
        at = len(entries)
        if isinstance(inside, bytes):
            entries.append(Entry(name, 2, size=len(inside), data=inside))
        else:
            entries.append(Entry(name, 1, start=0))
            entries[at].child = _add(entries, inside)
        if before is None:
            first = at
        else:
            before.right = at
        before = entries[at]
    return first


def _append(sectors: bytearray, chains: list[int], data: bytes, size: int, *, fill: bytes = b"\0") -> int:
    start = len(chains)
    count = max(1, -(-len(data) // size))
    sectors += data + fill * (count * size - len(data))
    chains += [*range(start + 1, start + count), END]
    return start


def _file(sectors: bytearray, chains: list[int], directory: int, mini_start: int, mini_size: int) -> bytes:
    fat_sectors = 1
    while fat_sectors * (SECTOR // 4) < len(chains) + fat_sectors:
        fat_sectors += 1
    places = range(len(chains), len(chains) + fat_sectors)
    fat = [*chains, *[FAT_SECTOR] * fat_sectors]
    fat += [FREE] * (fat_sectors * (SECTOR // 4) - len(fat))
    listed = [*places, *[FREE] * (109 - fat_sectors)]
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII109I",
        bytes.fromhex("d0cf11e0a1b11ae1"), b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, fat_sectors, directory, 0, CUTOFF,
        mini_start, -(-mini_size // SECTOR), END, 0, *listed,
    )  # fmt: skip
    return head + bytes(sectors) + struct.pack(f"<{len(fat)}I", *fat)
