"""Pictures that people send, read within bounds: the header first, then every pixel, and nothing beside them.

A JPEG or PNG file is cut into its segments before any library sees it. What is no pixel is left out:
profiles, comments, thumbnails and further pictures. So no library unpacks them, and no file that is kept
tells place, device or owner. The pixels themselves stay as the camera wrote them, bit for bit.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG, PNG = "image/jpeg", "image/png"
_SEGMENTS_MAX = 1_000
"""A phone's file has less than 200: tables, a profile, and a depth map in pieces of 64 KB."""
_CHUNKS_MAX = 20_000
"""At 10 MB, pieces of 512 bytes; programs write pieces of 8 KB and more."""
_SCANS_MAX = 32
"""Programs write 10; each one passes over every pixel again."""
_WINDOW = 1_000_000
"""Bytes that are searched at a time: other threads run in between."""
_SOI, _EOI, _JFIF = b"\xff\xd8", b"\xff\xd9", b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_SOS, _APP0, _APP1, _ADOBE, _COMMENT = 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES = (_BASELINE, _EXTENDED, _PROGRESSIVE)
_TABLES = (0xC4, 0xDB, 0xDD)  # of Huffman codes, quantization, restarts
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
_TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"
_TURNED_END = bytes(6)
"""What follows the orientation in it."""


class PictureBroken(Exception):
    """A file is no picture that opens whole."""


@dataclass(frozen=True, kw_only=True)
class PixelBounds:
    """The most pixels of a picture that is decoded.

    ``by_lines`` holds for a JPEG of one scan, which is decoded line by line. ``at_once`` holds for what
    lies in memory whole while it is decoded: a PNG, and a JPEG of several scans.
    """

    by_lines: int
    at_once: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture by its header. ``bare`` is the file with nothing beside the pixels."""

    media_type: str
    width: int
    height: int
    by_lines: bool
    orientation: int
    bare: bytes

    @property
    def pixels(self) -> int:
        """Return how many pixels it has."""
        return self.width * self.height

    def exceeds(self, bounds: PixelBounds) -> bool:
        """Tell whether it has more pixels than may be decoded."""
        return self.pixels > (bounds.by_lines if self.by_lines else bounds.at_once)


def parse_picture(data: bytes) -> Picture:
    """Return a picture by its header; no pixel is decoded. Raises ``PictureBroken``."""
    picture = _png(data) if data.startswith(_PNG_HEAD) else _jpeg(data)
    if picture.pixels == 0:
        raise PictureBroken("it has no pixels")
    return picture


def decode(picture: Picture, side: int) -> Image:
    """Return the pixels, upright. A JPEG comes smaller, but no side below ``side`` pixels.

    A JPEG of one scan takes 1/64 of its memory where ``side`` is 1.
    Requires: the picture does not exceed the caller's bounds.
    Raises: ``PictureBroken`` where it does not open.
    """
    from PIL import ImageFile, ImageOps  # loaded with the first picture
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # the face library switches it on for its process
    opener = PngImageFile if picture.media_type == PNG else JpegImageFile
    try:
        with opener(io.BytesIO(picture.bare)) as opened:
            if opened.size != (picture.width, picture.height):
                raise PictureBroken("its header says two sizes")
            opened.draft(None, (side, side))
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)  # without a copy of what is upright
            return opened
    except (
        *(OSError, ValueError, SyntaxError, LookupError, TypeError, EOFError),
        *(struct.error, zlib.error),
    ) as error:
        raise PictureBroken(str(error)) from error


# -- JPEG ------------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Picture:
    size, by_lines, orientation, scans = (0, 0), True, 1, 0
    kept = [_SOI]
    for marker, start, end in _segments(data):
        body = data[start + 4 : end] if marker != _SOS else b""
        if marker in _FRAMES:
            if size != (0, 0) or len(body) < 6 or body[0] != 8:
                raise PictureBroken("its frame cannot be read")
            size = (int.from_bytes(body[3:5]), int.from_bytes(body[1:3]))
            by_lines = marker != _PROGRESSIVE
        if marker in (*_FRAMES, *_TABLES, _SOS):
            kept.append(data[start:end])
        elif marker == _APP0 and body.startswith(b"JFIF\0"):
            kept.append(_segment(_APP0, _JFIF))
        elif marker == _ADOBE and body.startswith(b"Adobe"):
            kept.append(_segment(_ADOBE, body[:12]))
        elif marker == _APP1 and body.startswith(_EXIF) and orientation == 1:
            orientation = _orientation(body[len(_EXIF) :])
        scans += marker == _SOS
        if scans > _SCANS_MAX:
            raise PictureBroken("it has too many scans")
    if not scans or size == (0, 0):
        raise PictureBroken("it has no frame or no scan")
    if orientation != 1:
        kept.insert(1, _segment(_APP1, _TURNED + bytes([orientation]) + _TURNED_END))
    return Picture(
        media_type=JPEG,
        width=size[0],
        height=size[1],
        by_lines=by_lines and scans == 1,
        orientation=orientation,
        bare=b"".join((*kept, _EOI)),
    )


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment up to the picture's end; a scan with its pixels."""
    at = len(_SOI)
    if not data.startswith(_SOI):
        raise PictureBroken("it is no JPEG")
    for _ in range(_SEGMENTS_MAX):
        if data[at : at + 2] == _EOI:
            return
        if data[at : at + 2] == b"\xff\xff":  # a marker may be preceded by filling
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at : at + 1] != b"\xff" or not at + 4 <= end <= len(data):
            raise PictureBroken("its segments cannot be read")
        marker = data[at + 1]
        if marker not in (*_FRAMES, *_TABLES, _SOS, _COMMENT) and marker & 0xF0 != _APP0:
            raise PictureBroken("it holds what no camera writes")
        if marker == _SOS:
            end = _scan_end(data, end)
        yield marker, at, end
        at = end
    raise PictureBroken("it has too many segments")


def _scan_end(data: bytes, at: int) -> int:
    while at < len(data):
        match = _NEXT_MARKER.search(data, at, at + _WINDOW)
        if match is not None:
            return match.start()
        at += _WINDOW - 1
    raise PictureBroken("it ends amid its pixels")


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def _orientation(tiff: bytes) -> int:
    """Return how the camera was held, by the first directory of EXIF alone: 1 to 8, and 1 is upright."""
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(at: int, length: int) -> int:
        return int.from_bytes(tiff[at : at + length], order)

    first = number(4, 4)
    for at in range(first + 2, first + 2 + 12 * number(first, 2), 12):
        if number(at, 2) == _ORIENTATION:
            orientation = number(at + 8, 2)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


# -- PNG -------------------------------------------------------------------------------------------


def _png(data: bytes) -> Picture:
    at, kept, kinds = len(_PNG_HEAD), [_PNG_HEAD], set[bytes]()
    for _ in range(_CHUNKS_MAX):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if len(kind) < 4 or end > len(data):
            raise PictureBroken("it ends too early")
        if (kind == b"IHDR") != (not kinds) or (kind in kinds and kind in _CHUNKS[:3]):
            raise PictureBroken("its header is not its first chunk alone")
        kinds.add(kind)
        if kind in _CHUNKS:
            kept.append(data[at:end])
        at = end
        if kind == b"IEND":
            break
    else:
        raise PictureBroken("it has too many chunks")
    head = kept[1][8:-4]
    if len(head) != 13:
        raise PictureBroken("its header cannot be read")
    return Picture(
        media_type=PNG,
        width=int.from_bytes(head[:4]),
        height=int.from_bytes(head[4:8]),
        by_lines=False,
        orientation=1,
        bare=b"".join(kept),
    )
