"""Real faces, and frames made from them as a camera would see them do something.

The photographs come from packages: three of one man and one of another from the source of
face-recognition, one of a woman from scikit-image. No film of a blinking person was found in any
package, so the frames are bent out of a photograph by a rough model of a head. What they show is that
the pipeline measures and orders a challenge, and what it refuses. They say nothing of how often the
check errs with real people: a photograph bent in time is an attack that such a challenge cannot stop,
and the README says so.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from backend.identity import face_worker
from backend.identity.face_contracts import FaceAction, Frame

SOURCE = Path(__file__).parents[1] / ".venv" / "faces"
_DEPTH_BY_PART = (
    [-0.60, -0.58, -0.52, -0.42, -0.30, -0.18, -0.09, -0.05, -0.03],  # jaw to the chin
    [-0.05, 0.02, 0.06, 0.08, 0.10],  # brow to the nose
    [0.12, 0.24, 0.36, 0.48, 0.20, 0.28, 0.33, 0.28, 0.20],  # nose
    [-0.04, 0.02, 0.04, 0.02, 0.04, 0.02],  # right eye
    [0.02, 0.04, 0.02, -0.04, 0.02, 0.04],  # left eye
    [0.08, 0.16, 0.22, 0.23, 0.22, 0.16, 0.08, 0.14, 0.20, 0.21, 0.20, 0.14],  # outer lips
    [0.09, 0.18, 0.20, 0.18, 0.09, 0.17, 0.19, 0.17],  # inner lips
)
_JAW, _BROW, _NOSE, _RIGHT, _LEFT, _OUTER, _INNER = _DEPTH_BY_PART
DEPTH = numpy.array(
    _JAW + _JAW[-2::-1] + _BROW + _BROW[::-1] + _NOSE + _RIGHT + _LEFT + _OUTER + _INNER
)
_AXIS = -0.7
"""Where the neck turns the head, behind the eyes, in distances of the eyes."""


@cache
def photograph(name: str) -> Image.Image:
    """Return ``obama``, ``obama2``, ``obama3``, ``biden`` or ``astronaut``, cut to the head."""
    if name == "astronaut":
        import skimage.data

        whole = Image.fromarray(skimage.data.astronaut())
    else:
        archive = next(SOURCE.glob("face_recognition-*.tar.gz"), None)
        assert archive is not None, f"`make setup` fetches the photographs into {SOURCE}"
        with tarfile.open(archive) as opened:
            member = f"{archive.name.removesuffix('.tar.gz')}/tests/test_images/{name}.jpg"
            data = opened.extractfile(member)
            assert data is not None
            whole = Image.open(io.BytesIO(data.read())).convert("RGB")
    whole.thumbnail((1200, 1200))
    (box,) = face_worker._find(numpy.asarray(whole))
    top, right, bottom, left = box
    side = bottom - top
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
    reach = min(
        int(side * 0.85), middle_x, middle_y, whole.width - middle_x, whole.height - middle_y
    )
    cut = whole.crop((middle_x - reach, middle_y - reach, middle_x + reach, middle_y + reach))
    return cut.resize((460, 460))


@cache
def landmarks(name: str) -> Any:
    """Return the 68 points of a photograph."""
    pixels = numpy.asarray(photograph(name))
    (box,) = face_worker._find(pixels)
    return numpy.array(face_worker._points(face_worker._library().face_landmarks(pixels, [box])[0]))


@dataclass(frozen=True)
class Pose:
    """What the head does: degrees to its own left, share of the lids closed, mouth in its widths."""

    turn: float = 0.0
    lids: float = 0.0
    mouth: float = 0.0


LOOK = Pose()
DOES = {
    FaceAction.BLINK: (Pose(lids=0.0), Pose(lids=0.85), Pose(lids=0.0)),
    FaceAction.TURN_LEFT: (Pose(turn=12), Pose(turn=24)),
    FaceAction.TURN_RIGHT: (Pose(turn=-12), Pose(turn=-24)),
    FaceAction.OPEN_MOUTH: (Pose(mouth=0.2), Pose(mouth=0.3), Pose(mouth=0.42)),
}


def posed(name: str, pose: Pose) -> Image.Image:
    """Return a photograph with its head bent into a pose."""
    from skimage.transform import PiecewiseAffineTransform, warp

    points = landmarks(name)
    eyes = float(numpy.hypot(*(points[45] - points[36])))
    to = points.copy()
    for lid, low in ((37, 41), (38, 40), (43, 47), (44, 46)):
        to[lid] += (points[low] - points[lid]) * pose.lids
    width = float(numpy.hypot(*(points[54] - points[48])))
    drop = pose.mouth * width
    to[[55, 56, 57, 58, 59, 65, 66, 67], 1] += drop
    to[5:12, 1] += drop * numpy.array([0.4, 0.7, 0.9, 1, 0.9, 0.7, 0.4])
    angle = numpy.radians(pose.turn)
    middle = points[[36, 45], 0].mean()
    sideways = (to[:, 0] - middle) * numpy.cos(angle)
    to[:, 0] = middle + sideways + (DEPTH - _AXIS) * eyes * numpy.sin(angle)
    to[:, 0] += _AXIS * eyes * numpy.sin(angle) * 0.6
    side = 460
    edge = numpy.array(
        [
            (x, y)
            for x in (0, side / 2, side)
            for y in (0, side / 2, side)
            if (x, y) != (side / 2,) * 2
        ]
    )
    forehead = points[[0, 19, 24, 16]] + numpy.array([0, -1]) * eyes * numpy.array(
        [[0.5], [0.6], [0.6], [0.5]]
    )
    before = numpy.vstack([points, edge, forehead])
    shift = numpy.array([[eyes * 0.15 * numpy.sin(angle), 0]])
    after = numpy.vstack([to, edge, forehead + shift])
    bent = PiecewiseAffineTransform.from_estimate(after, before)
    pixels = warp(numpy.asarray(photograph(name)), bent, mode="edge", order=1)
    head = Image.fromarray((pixels * 255).astype("uint8"))
    if pose.mouth:
        _darken_mouth(head, to)
    return head


def _darken_mouth(head: Image.Image, points: Any) -> None:
    inside = [tuple(points[n]) for n in (60, 61, 62, 63, 64, 65, 66, 67)]
    ImageDraw.Draw(head).polygon(inside, fill=(52, 22, 24))


def seen(
    head: Image.Image,
    *,
    scale: float = 1.0,
    shift: tuple[int, int] = (0, 0),
    tilt: float = 0.0,
    light: float = 1.0,
    blur: float = 0.0,
    seed: int = 0,
) -> Image.Image:
    """Return what a camera of 640 by 480 sees of a head before a plain wall, with its noise."""
    wall = Image.new("RGB", (640, 480), (120, 126, 130))
    side = int(460 * scale)
    wall.paste(head.resize((side, side)), (90 + shift[0], 10 + shift[1]))
    if tilt:
        wall = wall.rotate(tilt, Image.Resampling.BILINEAR, fillcolor=(120, 126, 130))
    if blur:
        wall = wall.filter(ImageFilter.GaussianBlur(blur))
    wall = ImageEnhance.Brightness(wall).enhance(light)
    grain = numpy.random.default_rng(seed).normal(0, 2.0, (480, 640, 3))
    return Image.fromarray((numpy.asarray(wall) + grain).clip(0, 255).astype("uint8"))


def jpeg(picture: Image.Image, quality: int = 88) -> bytes:
    """Return a picture as a phone would send it."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@cache
def _pictures(name: str, action: FaceAction | None, take: int) -> tuple[bytes, ...]:
    """Return the pictures of one step; each take moves a little otherwise."""
    pictures = []
    first = 0 if action is None else 2 + 3 * list(FaceAction).index(action)
    for number, pose in enumerate(DOES[action] if action else (LOOK, LOOK), first):
        turned = pose.turn * (1 - 0.1 * take) + 2.5 * take
        moved = Pose(turned, pose.lids, pose.mouth - 0.03 * take if pose.mouth else 0.0)
        picture = seen(
            posed(name, moved),
            scale=1 - 0.04 * take,
            shift=(4 * number, 3 * number - 7 * take),
            seed=100 * take + number,
        )
        pictures.append(jpeg(picture))
    return tuple(pictures)


@cache
def _measured(name: str, action: FaceAction | None, take: int) -> tuple[Frame, ...]:
    return tuple(face_worker.measure([(0, data) for data in _pictures(name, action, take)]))


def film(name: str, actions: Sequence[FaceAction], take: int = 0) -> list[tuple[int, bytes]]:
    """Return the pictures of somebody who does what is asked, each with its step."""
    steps = enumerate((None, *actions))
    return [(step, data) for step, action in steps for data in _pictures(name, action, take)]


def frames_of(name: str, actions: Sequence[FaceAction], take: int = 0) -> tuple[Frame, ...]:
    """Return the measured pictures of a film."""
    steps = enumerate((None, *actions))
    return tuple(
        replace(frame, step=step)
        for step, action in steps
        for frame in _measured(name, action, take)
    )
