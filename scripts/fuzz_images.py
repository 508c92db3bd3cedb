"""Damage to pictures, for `fuzz`."""

from __future__ import annotations

import struct
import zlib

from fuzz_mutations import NUMBERS, Random, of_bytes, pick

_PNG = b"\x89PNG\r\n\x1a\n"


def of_image(data: bytes, rng: Random) -> bytes:
    """A picture of other sizes, of more parts, or with text that unpacks; of formats other than PNG bytes."""
    if not data.startswith(_PNG) or rng.random() < 0.2:
        return of_bytes(data, rng)
    parts = _parts(data)
    at = int(rng.integers(len(parts)))
    match int(rng.integers(6)):
        case 0:
            sizes = (int(pick(rng, (*NUMBERS[:8], 9, 5000, 20_000, 2**30))) & 0xFFFFFFFF for _ in range(2))
            parts[0] = (b"IHDR", struct.pack(">II", *sizes) + parts[0][1][8:])
        case 1:
            parts[0] = (b"IHDR", parts[0][1][:8] + bytes(int(pick(rng, (0, 1, 2, 3, 4, 6, 8, 16))) for _ in range(5)))
        case 2:
            kind = pick(rng, (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"IDAT", b"gAMA"))
            content = pick(rng, (b"", b"a\x00\x00" + zlib.compress(bytes(2**26), 1), rng.bytes(30), b"a\x00" * 3))
            parts.insert(1, (kind, content))
        case 3:
            parts.insert(at, pick(rng, parts))
        case 4:
            del parts[at]
        case _:
            kind, content = parts[at]
            parts[at] = (kind, of_bytes(content, rng))
    return _PNG + b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in parts)


def _parts(data: bytes) -> list[tuple[bytes, bytes]]:
    parts, at = [], len(_PNG)
    while at + 8 <= len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return parts
