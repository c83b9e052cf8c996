"""Pictures made to cost more than they weigh: in memory, in time, or in what lies beside their pixels."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def saved(picture: Image.Image, kind: str, **more: Any) -> bytes:
    """Return a picture as a file."""
    kept = io.BytesIO()
    picture.save(kept, kind, **more)
    return kept.getvalue()


def plain(width: int = 900, height: int = 700, kind: str = "JPEG", **more: Any) -> bytes:
    """Return a grey picture."""
    return saved(Image.new("RGB", (width, height), (200, 180, 210)), kind, **more)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *beside: bytes, rows: int | None = None, colour: int = 2) -> bytes:
    """Return a PNG of one colour; ``beside`` stands between header and pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    row = bytes(1 + width * {0: 1, 2: 3, 6: 4}[colour])
    packer, packed = zlib.compressobj(9), []
    for _ in range(height if rows is None else rows):
        packed.append(packer.compress(row))
    pixels = b"".join(packed) + packer.flush()
    return PNG_HEAD + b"".join(
        (chunk(b"IHDR", head), *beside, chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    )


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG file."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(*segments: bytes) -> bytes:
    """Return a JPEG with segments behind its first two bytes."""
    whole = plain()
    return whole[:2] + b"".join(segments) + whole[2:]


def many_scans(side: int, scans: int) -> bytes:
    """Return a progressive JPEG whose last scan stands there again and again."""
    whole = saved(Image.new("RGB", (side, side), (90, 120, 30)), "JPEG", progressive=True)
    last = whole.rfind(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def exif_bomb() -> bytes:
    """Return EXIF of 5,400 entries that each name the same 60,000 bytes."""
    entries = 5_400
    body = bytearray(b"MM\0*\0\0\0\x08" + struct.pack(">H", entries))
    for number in range(entries):
        body += struct.pack(">HHII", number + 1, 7, 60_000, 8)
    return segment(0xE1, (b"Exif\0\0" + bytes(body))[:65_000])


@cache
def hostile() -> dict[str, bytes]:
    """Return hostile files by name; none is larger than an upload may be."""
    text = zlib.compress(bytes(1_000_000), 9)
    return {
        "PNG of 60 megapixels": png(7740, 7700),
        "PNG of 4 gigapixels by its header": png(65_000, 65_000, rows=1),
        "PNG at the bound, four channels": png(5_000, 5_000, colour=6),
        "PNG one row too high": png(5_000, 5_001),
        "PNG without its end": png(4_000, 4_000)[:-12],
        "PNG with packed texts": png(1000, 800, *[chunk(b"zTXt", b"a\0\0" + text)] * 100),
        "PNG with a packed profile": png(1000, 800, chunk(b"iCCP", b"a\0\0" + text * 50)),
        "PNG of 700,000 chunks": png(1000, 800, *[chunk(b"tEXt", b"")] * 700_000),
        "PNG with EXIF of 9 MB": png(1000, 800, chunk(b"eXIf", b"MM\0*" + bytes(9_000_000))),
        "PNG with two headers": png(
            800, 700, chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
        ),
        "JPEG of 51 megapixels in one scan": plain(8_160, 6_250),
        "JPEG of 52 megapixels": plain(8_160, 6_400),
        "JPEG of 25 megapixels in ten scans": plain(5_000, 5_000, progressive=True, subsampling=0),
        "JPEG of 26 megapixels in ten scans": plain(5_000, 5_200, progressive=True),
        "JPEG of 900 scans": many_scans(2_000, 900),
        "JPEG of 25 megapixels in 31 scans": many_scans(5_000, 22),
        "JPEG of 150 parts of EXIF": with_segments(*[exif_bomb()] * 150),
        "JPEG of a million parts of EXIF": with_segments(*[segment(0xE1, b"Exif\0\0a")] * 900_000),
        "JPEG of a million profiles": with_segments(*[segment(0xE2, b"ICC_PROFILE\0")] * 600_000),
        "JPEG behind 9 MB of filling": with_segments(b"\xff" * 9_000_000),
        "JPEG without its end": plain(3_000, 2_000)[:-2],
        "JPEG cut in half": plain(3_000, 2_000)[:20_000],
        "GIF of many pictures": saved(
            Image.new("P", (900, 700)),
            "GIF",
            save_all=True,
            append_images=[Image.new("P", (900, 700), one) for one in range(1, 200)],
        ),
        "WebP": plain(kind="WEBP"),
        "TIFF": plain(kind="TIFF"),
        "BMP": plain(kind="BMP"),
    }
