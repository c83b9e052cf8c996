"""Measures pictures; runs in a process of its own, where nothing else is kept waiting.

Only this module imports the face library, and only when it is asked to measure: the library loads
100 MB of models, holds the interpreter's lock while it works, and ends the whole process where its
models cannot be found.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

from backend.identity.face_contracts import FaceProblem, Frame, Point
from backend.infra.pictures import PictureBroken, PixelBounds, decode, parse_picture
from backend.infra.tether import end_with_parent

SIDE_MAX = 640
"""Pictures are made smaller first: a face is found 11 times as fast, and as well."""
_PIXELS = PixelBounds(by_lines=51_000_000, at_once=13_000_000)
"""No camera writes a face as PNG or in several scans; 13 megapixels lie in memory whole, twice 52 MB."""
_DARK_BELOW = 45
"""Mean brightness of the face, of 255."""
_BLURRED_BELOW = 60.0
"""Variance of the second derivative of the face, scaled to 160 pixels."""
_FACE_SIDE = 160
_TILT_MAX = 35.0
_NICE = 10


class FaceLibraryMissing(Exception):
    """The face library or its models are not installed here."""


def get_ready() -> None:
    """Load the models, at a lower priority than whatever answers requests; end with the worker."""
    end_with_parent()
    os.nice(_NICE)
    _library()


def measure(pictures: Sequence[tuple[int, bytes]]) -> list[Frame]:
    """Measure pictures, each with the step that it belongs to. No picture is kept."""
    return [_measure(step, data) for step, data in pictures]


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # pkg_resources announces its end
            import face_recognition
    except (ImportError, SystemExit) as error:
        raise FaceLibraryMissing(str(error)) from None
    return face_recognition


def _measure(step: int, data: bytes) -> Frame:
    import numpy

    try:
        header = parse_picture(data)
        if header.exceeds(_PIXELS):
            return Frame(step, FaceProblem.UNREADABLE)
        picture = decode(header, SIDE_MAX).convert("RGB")
    except PictureBroken:
        return Frame(step, FaceProblem.UNREADABLE)
    picture.thumbnail((SIDE_MAX, SIDE_MAX))
    pixels = numpy.asarray(picture)
    found = _find(pixels)
    if len(found) > 1:
        return Frame(step, FaceProblem.TWO_FACES)
    if not found:
        return Frame(step, _why_none(pixels))
    return _measure_face(step, pixels, found[0])


def _find(pixels: Any) -> list[tuple[int, int, int, int]]:
    library = _library()
    found: list[tuple[int, int, int, int]] = library.face_locations(pixels, 0)
    return found or list(library.face_locations(pixels, 1))


def _why_none(pixels: Any) -> FaceProblem:
    import numpy

    if pixels.mean() < _DARK_BELOW:
        return FaceProblem.TOO_DARK
    for quarters in (1, 3, 2):
        if _find(numpy.ascontiguousarray(numpy.rot90(pixels, quarters))):
            return FaceProblem.SIDEWAYS
    return FaceProblem.NO_FACE


def _measure_face(step: int, pixels: Any, box: tuple[int, int, int, int]) -> Frame:
    from math import atan2, degrees

    import numpy
    from PIL import Image

    top, right, bottom, left = box
    top, left = max(top, 0), max(left, 0)
    face = Image.fromarray(pixels[top:bottom, left:right]).convert("L")
    grey = numpy.asarray(face.resize((_FACE_SIDE, _FACE_SIDE)), dtype=float)
    if grey.mean() < _DARK_BELOW:
        return Frame(step, FaceProblem.TOO_DARK)
    second = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    contrast = max(grey.std(), 1.0) / 50  # of a dim picture the edges are as sharp, but fainter
    if second.var() / contrast**2 < _BLURRED_BELOW:
        return Frame(step, FaceProblem.BLURRED)
    library = _library()
    points = _points(library.face_landmarks(pixels, [box])[0])
    (ax, ay), (bx, by) = points[36], points[45]
    if abs(degrees(atan2(by - ay, bx - ax))) > _TILT_MAX:
        return Frame(step, FaceProblem.SIDEWAYS)
    template = library.face_encodings(pixels, [box], 1, "large")[0]
    return Frame(step, None, points, tuple(round(float(part), 6) for part in template))


def _points(parts: dict[str, list[tuple[int, int]]]) -> tuple[Point, ...]:
    """Return the 68 points in the order of the landmark model; the library gives them by name."""
    above, below = parts["top_lip"], parts["bottom_lip"]
    names = ("chin", "left_eyebrow", "right_eyebrow", "nose_bridge", "nose_tip")
    ordered = [point for name in names for point in parts[name]]
    ordered += parts["left_eye"] + parts["right_eye"]
    ordered += above[:7] + below[1:6] + above[11:6:-1] + below[10:7:-1]
    return tuple((float(x), float(y)) for x, y in ordered)
