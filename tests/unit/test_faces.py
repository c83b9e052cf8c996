"""What the face check sees on real photographs, and on frames made from them (see ``tests.faces``)."""

from __future__ import annotations

import io
from itertools import permutations
from typing import Any

import numpy
import pytest
from PIL import Image

from backend.identity.face_contracts import FaceAction, FaceProblem, Frame, Judgement
from backend.identity.face_logic import (
    EYES_SHUT,
    SAME_FACE_MAX,
    apart,
    judge,
    mouth,
    not_flat,
    openness,
    shape_of,
    turn,
    unlike,
)
from backend.identity.face_worker import measure
from tests.faces import LOOK, Pose, frames_of, jpeg, photograph, posed, seen

TURN_MOUTH = (FaceAction.TURN_LEFT, FaceAction.OPEN_MOUTH, FaceAction.TURN_RIGHT)
ALL = tuple(FaceAction)


def one(picture: Image.Image | bytes, step: int = 0) -> Frame:
    data = picture if isinstance(picture, bytes) else jpeg(picture)
    return measure([(step, data)])[0]


def problem_of(picture: Image.Image | bytes) -> FaceProblem | None:
    return one(picture).problem


def judged(frames: Any, enrolled: Any = None, earlier: Any = ()) -> Judgement:
    return judge(TURN_MOUTH, frames, enrolled, earlier)


# -- one picture -----------------------------------------------------------------------------------


def test_photographs_of_one_man_are_near_and_those_of_others_far() -> None:
    names = ("obama", "obama2", "obama3", "biden", "astronaut")
    templates = {name: one(photograph(name)).template for name in names}
    for a in names:
        for b in names:
            same = a[:5] == b[:5]
            assert (apart(templates[a], templates[b]) <= SAME_FACE_MAX) is same, (a, b)


def test_every_fault_of_a_picture_is_told_apart() -> None:
    head = posed("biden", LOOK)
    assert problem_of(seen(head)) is None
    assert problem_of(seen(head, light=0.12)) is FaceProblem.TOO_DARK
    assert problem_of(seen(head, blur=6)) is FaceProblem.BLURRED
    assert problem_of(seen(head).rotate(90, expand=True)) is FaceProblem.SIDEWAYS
    assert problem_of(seen(head).rotate(180)) is FaceProblem.SIDEWAYS
    assert problem_of(Image.new("RGB", (640, 480), (120, 126, 130))) is FaceProblem.NO_FACE
    assert problem_of(Image.new("RGB", (640, 480), (4, 4, 4))) is FaceProblem.TOO_DARK
    two = Image.new("RGB", (640, 480), (120, 126, 130))
    two.paste(posed("biden", LOOK).resize((310, 310)), (5, 80))
    two.paste(posed("astronaut", LOOK).resize((310, 310)), (325, 80))
    assert problem_of(two) is FaceProblem.TWO_FACES
    for data in (b"", b"GIF89a", b"\xff\xd8\xff\xe0 no picture"):
        assert problem_of(data) is FaceProblem.UNREADABLE


def test_a_phone_s_note_of_how_it_was_held_is_followed() -> None:
    upright = seen(posed("biden", LOOK))
    lying = upright.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    lying.save(buffer, "JPEG", exif=exif)
    assert problem_of(buffer.getvalue()) is None


def test_a_large_picture_is_made_smaller_first() -> None:
    large = seen(posed("biden", LOOK)).resize((2560, 1920))
    found = one(large)
    assert found.problem is None
    assert max(x for x, _ in found.points) < 640


def test_a_bomb_of_pixels_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    Image.new("L", (9000, 9000)).save(buffer, "PNG")
    assert problem_of(buffer.getvalue()) is FaceProblem.UNREADABLE


def test_measures_follow_what_the_face_does() -> None:
    look = one(seen(posed("biden", LOOK)))
    left = one(seen(posed("biden", Pose(turn=24)), seed=1))
    right = one(seen(posed("biden", Pose(turn=-24)), seed=2))
    agape = one(seen(posed("biden", Pose(mouth=0.42)), seed=3))
    blink = one(seen(posed("biden", Pose(lids=0.85)), seed=4))
    assert turn(left.points) > turn(look.points) + 0.1
    assert turn(right.points) < turn(look.points) - 0.1
    assert mouth(agape.points) > mouth(look.points) + 0.2
    assert openness(blink.points) < openness(look.points) * EYES_SHUT
    again = one(seen(posed("biden", LOOK), shift=(20, 5), scale=0.9, seed=5))
    assert unlike(shape_of(look.points), shape_of(again.points)) < 0.02


# -- a series --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["obama", "biden", "astronaut"])
def test_somebody_who_does_what_is_asked_passes(name: str) -> None:
    passed = judged(frames_of(name, TURN_MOUTH))
    assert passed.problem is None
    assert len(passed.template) == 128
    assert judged(frames_of(name, TURN_MOUTH, 1), passed.template).problem is None


@pytest.mark.parametrize("name", ["biden", "astronaut"])
def test_a_blink_is_seen_in_any_place(name: str) -> None:
    for actions in permutations(ALL, 3):
        if FaceAction.BLINK not in actions:
            continue
        assert judge(actions, frames_of(name, actions), None, ()).problem is None, actions


def test_another_person_does_not_pass() -> None:
    enrolled = judged(frames_of("biden", TURN_MOUTH)).template
    stranger = judged(frames_of("astronaut", TURN_MOUTH), enrolled)
    assert stranger == Judgement(FaceProblem.NOT_THE_PERSON)


def test_another_photograph_of_the_same_man_passes() -> None:
    enrolled = one(photograph("obama2")).template
    assert judged(frames_of("obama", TURN_MOUTH), enrolled).problem is None


def test_two_people_who_take_turns_do_not_pass() -> None:
    one_man, other = frames_of("biden", TURN_MOUTH), frames_of("astronaut", TURN_MOUTH)
    mixed = [*(f for f in one_man if f.step < 2), *(f for f in other if f.step >= 2)]
    assert judged(mixed) == Judgement(FaceProblem.FACE_CHANGED)


def test_an_older_recording_is_known_again_also_recompressed_and_moved() -> None:
    older = judged(frames_of("biden", TURN_MOUTH)).shapes
    assert judged(frames_of("biden", TURN_MOUTH), None, [older]).problem is FaceProblem.REPLAYED
    assert judged(frames_of("biden", TURN_MOUTH, 1), None, [older]).problem is None
    assert judged(frames_of("astronaut", TURN_MOUTH), None, [older]).problem is None


def still(moving: bool) -> list[Frame]:
    head = posed("biden", LOOK)
    frames = []
    for number in range(8):
        camera: dict[str, Any] = {"seed": number}
        if moving:
            camera |= {"shift": (9 * number, 4 * number), "scale": 1 - 0.03 * number}
            camera |= {"tilt": 3.0 * number}
        frames.append(one(seen(head, **camera), number // 2))
    return frames


def test_a_photograph_that_lies_still_or_is_moved_about_does_not_pass() -> None:
    assert judged(still(moving=False)).problem is FaceProblem.STILL_PICTURE
    assert judged(still(moving=True)).problem is FaceProblem.MOVED_PICTURE


def turned_photograph(degrees: float) -> Image.Image:
    """Return what a camera sees of a photograph on paper that is turned about its upright axis."""
    picture = seen(posed("biden", LOOK))
    narrow = numpy.cos(numpy.radians(degrees))
    deep = 0.25 * numpy.sin(numpy.radians(degrees))
    corners = [(0, 0), (640, 0), (640, 480), (0, 480)]
    to = []
    for x, y in corners:
        away = 1 + deep * (x - 320) / 320
        to.append((320 + (x - 320) * narrow / away, 240 + (y - 240) / away))
    rows = []
    for (x, y), (u, v) in zip(corners, to, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
    wanted = [part for corner in corners for part in corner]
    coefficients = numpy.linalg.solve(numpy.array(rows, float), numpy.array(wanted, float))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, tuple(coefficients), Image.Resampling.BILINEAR
    )


def test_a_photograph_on_paper_that_is_turned_shows_no_depth() -> None:
    look = one(turned_photograph(0))
    for degrees in (15, 25, 35):
        paper = one(turned_photograph(degrees))
        assert paper.problem is None
        assert not_flat(shape_of(look.points), shape_of(paper.points)) < 0.03
    frames = [look, one(turned_photograph(3))]
    for step, degrees in ((1, 25), (1, 35), (2, 10), (2, 12), (3, -25), (3, -35)):
        frames.append(one(turned_photograph(degrees), step))
    assert judged(frames).problem in (FaceProblem.MOVED_PICTURE, FaceProblem.ACTION_NOT_SEEN)


def test_an_action_that_is_missing_or_wrong_is_named() -> None:
    frames = frames_of("biden", TURN_MOUTH)
    closed = [f for f in frames if f.step != 2] + [
        Frame(2, None, f.points, f.template) for f in frames if f.step == 0
    ]
    closed.sort(key=lambda f: f.step)
    missing = judged(closed)
    assert (missing.problem, missing.action) == (FaceProblem.ACTION_NOT_SEEN, ALL[3])
    swapped = [Frame({1: 3, 3: 1}.get(f.step, f.step), None, f.points, f.template) for f in frames]
    assert judged(swapped).problem is FaceProblem.ACTION_NOT_SEEN


def test_eyes_that_stay_shut_are_no_blink() -> None:
    frames = list(frames_of("biden", (FaceAction.BLINK,)))
    assert judge((FaceAction.BLINK,), frames, None, ()).problem is None
    assert judge((FaceAction.BLINK,), frames[:-1], None, ()).problem is not None


def test_some_pictures_may_fail_and_a_step_without_any_does_not_pass() -> None:
    frames = list(frames_of("biden", TURN_MOUTH))
    dark = Frame(1, FaceProblem.TOO_DARK)
    assert judged([*frames, dark, dark]).problem is None
    assert judged([*frames, *[dark] * len(frames)]).problem is FaceProblem.TOO_DARK
    assert judged([*frames, Frame(1, FaceProblem.TWO_FACES)]).problem is FaceProblem.TWO_FACES
    no_step = [f for f in frames if f.step != 2]
    assert judged(no_step).problem is FaceProblem.TOO_FEW_PICTURES
    assert judged([*no_step, Frame(2, FaceProblem.NO_FACE)]).problem is FaceProblem.NO_FACE
    assert judged([]).problem is FaceProblem.TOO_FEW_PICTURES
