"""Pure decisions about faces: what a series of measured pictures shows.

All measures are taken relative to the person's own neutral pictures, because open eyes, closed lips and a
straight look differ from face to face by more than a blink, a smile or a turn. The 68 points are those
of the usual landmark model: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 lips; x runs to the
right and y down in a picture that is not mirrored.

The limits below were set by measuring a few photographs and pictures made from them; nobody has
measured on a population how often they err, so they are provisional and say so wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import dist, hypot, sqrt
from statistics import median

from backend.identity.face_contracts import FaceAction, FaceProblem, Frame, Judgement, Point

SAME_FACE_MAX = 0.5
"""Greatest distance of two templates of one person; strangers were 0.79 and more apart."""
EYES_SHUT = 0.75
EYES_OPEN = 0.85
"""Openness of the eyes as a share of the person's own."""
MOUTH_OPENS_BY = 0.20
"""Height of the open mouth over its width, more than the person's own."""
TURNS_BY = 0.10
"""Way of the nose's tip between the eyes, in distances of the eyes: some 12 degrees."""
FLAT_BELOW = 0.03
"""What is left of a turn when it is explained as a flat picture that moves, in distances of the eyes."""
STILL_BELOW = 0.03
"""A head that moves less than this, in distances of the eyes, does not move."""
REPLAY_BELOW = 0.006
"""Two shapes nearer than this come from one picture; those of two sessions differ by more."""
REPLAY_SHARE = 0.5
BAD_SHARE_MAX = 1 / 3
"""So many of the pictures may be unusable; a hand shakes and a face leaves the frame for a moment."""

Shape = tuple[Point, ...]


def judge(
    actions: Sequence[FaceAction],
    frames: Sequence[Frame],
    enrolled: Sequence[float] | None,
    earlier: Sequence[Sequence[Shape]],
) -> Judgement:
    """Tell whether pictures show the person of ``enrolled`` doing the actions, in their order.

    The first step, 0, is the neutral look; action ``n`` is step ``n + 1``. Without ``enrolled`` only
    liveness is judged. ``earlier`` are the shapes of older sessions, for replays.
    """
    problem = _unusable(len(actions) + 1, frames)
    if problem is not None:
        return Judgement(problem)
    seen = [frame for frame in frames if frame.problem is None]
    if any(apart(seen[0].template, frame.template) > SAME_FACE_MAX for frame in seen):
        return Judgement(FaceProblem.FACE_CHANGED)
    shapes = tuple(shape_of(frame.points) for frame in seen)
    if any(_is_replay(shapes, older) for older in earlier):
        return Judgement(FaceProblem.REPLAYED)
    neutral = [frame for frame in seen if frame.step == 0]
    done = [_is_done(action, n + 1, neutral, seen) for n, action in enumerate(actions)]
    if not all(done):
        if any(done):
            missed = actions[done.index(False)]
            return Judgement(FaceProblem.ACTION_NOT_SEEN, missed)
        return Judgement(_why_nothing(actions, neutral, seen), actions[0])
    template = tuple(
        sum(parts) / len(neutral) for parts in zip(*(f.template for f in neutral), strict=True)
    )
    if enrolled is not None and any(apart(enrolled, f.template) > SAME_FACE_MAX for f in seen):
        return Judgement(FaceProblem.NOT_THE_PERSON)
    return Judgement(None, None, template, shapes)


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the distance of two templates."""
    return dist(one, other)


def openness(points: Sequence[Point]) -> float:
    """Return how far the eyes are open: height over width, the mean of both eyes."""
    return (_eye(points[36:42]) + _eye(points[42:48])) / 2


def mouth(points: Sequence[Point]) -> float:
    """Return how far the mouth is open: height between the inner lips over their width."""
    height = sum(dist(points[a], points[b]) for a, b in ((61, 67), (62, 66), (63, 65))) / 3
    return height / max(dist(points[60], points[64]), 1e-6)


def turn(points: Sequence[Point]) -> float:
    """Return where the nose's tip stands between the eyes: positive when turned to the own left."""
    (ax, ay), (bx, by) = points[36], points[45]
    eyes = max(hypot(bx - ax, by - ay), 1e-6)
    tip_x, tip_y = points[30]
    along = (tip_x - (ax + bx) / 2) * (bx - ax) + (tip_y - (ay + by) / 2) * (by - ay)
    return along / eyes / eyes


def shape_of(points: Sequence[Point]) -> Shape:
    """Return the points without place, size and tilt of the head: centred, eyes level, eyes 1 apart."""
    (ax, ay), (bx, by) = points[36], points[45]
    eyes = max(hypot(bx - ax, by - ay), 1e-6)
    cos, sin = (bx - ax) / eyes, (by - ay) / eyes
    mid_x = sum(x for x, _ in points) / len(points)
    mid_y = sum(y for _, y in points) / len(points)
    return tuple(
        (
            round(((x - mid_x) * cos + (y - mid_y) * sin) / eyes, 4),
            round(((y - mid_y) * cos - (x - mid_x) * sin) / eyes, 4),
        )
        for x, y in points
    )


def unlike(one: Shape, other: Shape) -> float:
    """Return how far two shapes differ: root of the mean square, in distances of the eyes."""
    pairs = zip(one, other, strict=True)
    squares = sum((ax - bx) ** 2 + (ay - by) ** 2 for (ax, ay), (bx, by) in pairs)
    return sqrt(squares / len(one))


def not_flat(one: Shape, other: Shape) -> float:
    """Return what of the way from one shape to the other no moved flat picture explains.

    A flat picture that is shifted, turned, tilted or brought nearer maps its points by one linear map
    as long as it is not very near; a head has depth, and its points do not follow any.
    """
    sxx = sum(x * x for x, _ in one)
    sxy = sum(x * y for x, y in one)
    syy = sum(y * y for _, y in one)
    det = max(sxx * syy - sxy * sxy, 1e-9)
    left = 0.0
    for axis in (0, 1):
        tx = sum(x * to[axis] for (x, _), to in zip(one, other, strict=True))
        ty = sum(y * to[axis] for (_, y), to in zip(one, other, strict=True))
        a, b = (tx * syy - ty * sxy) / det, (ty * sxx - tx * sxy) / det
        left += sum((to[axis] - a * x - b * y) ** 2 for (x, y), to in zip(one, other, strict=True))
    return sqrt(left / len(one))


def _unusable(steps: int, frames: Sequence[Frame]) -> FaceProblem | None:
    """Return what is wrong with the pictures themselves."""
    problems = [frame.problem for frame in frames if frame.problem is not None]
    if FaceProblem.TWO_FACES in problems:
        return FaceProblem.TWO_FACES
    if problems and len(problems) > len(frames) * BAD_SHARE_MAX:
        return max(problems, key=problems.count)
    for step in range(steps):
        of_step = [frame for frame in frames if frame.step == step]
        if not of_step:
            return FaceProblem.TOO_FEW_PICTURES
        bad = [frame.problem for frame in of_step if frame.problem is not None]
        if len(bad) == len(of_step):
            return bad[0]
    return None


def _is_done(
    action: FaceAction, step: int, neutral: Sequence[Frame], seen: Sequence[Frame]
) -> bool:
    """Tell whether the pictures of a step show its action, and no turn to the other side."""
    of_step = [frame.points for frame in seen if frame.step == step]
    if action is FaceAction.BLINK:
        own = median(openness(frame.points) for frame in neutral)
        shares = [openness(points) / own for points in of_step]
        shut = next((n for n, share in enumerate(shares) if share < EYES_SHUT), None)
        return shut is not None and any(share > EYES_OPEN for share in shares[shut:])
    if action is FaceAction.OPEN_MOUTH:
        own = median(mouth(frame.points) for frame in neutral)
        return any(mouth(points) - own > MOUTH_OPENS_BY for points in of_step)
    own = median(turn(frame.points) for frame in neutral)
    sign = 1 if action is FaceAction.TURN_LEFT else -1
    ways = [(turn(points) - own) * sign for points in of_step]
    if min(ways) < -TURNS_BY:
        return False
    straight = shape_of(neutral[0].points)
    return any(
        way > TURNS_BY and not_flat(straight, shape_of(points)) > FLAT_BELOW
        for way, points in zip(ways, of_step, strict=True)
    )


def _why_nothing(
    actions: Sequence[FaceAction], neutral: Sequence[Frame], seen: Sequence[Frame]
) -> FaceProblem:
    """Tell a picture that lies still from one that is moved about, and both from somebody who waits."""
    straight = shape_of(neutral[0].points)
    if max(not_flat(straight, shape_of(frame.points)) for frame in seen) > FLAT_BELOW:
        return FaceProblem.ACTION_NOT_SEEN
    first = neutral[0].points
    eyes = max(dist(first[36], first[45]), 1e-6)
    moved = max(
        dist(first[point], frame.points[point]) / eyes for frame in seen for point in (36, 45, 8)
    )
    return FaceProblem.STILL_PICTURE if moved < STILL_BELOW else FaceProblem.MOVED_PICTURE


def _is_replay(shapes: Sequence[Shape], older: Sequence[Shape]) -> bool:
    same = sum(any(unlike(shape, old) < REPLAY_BELOW for old in older) for shape in shapes)
    return bool(older) and same >= len(shapes) * REPLAY_SHARE


def _eye(points: Sequence[Point]) -> float:
    height = dist(points[1], points[5]) + dist(points[2], points[4])
    return height / max(2 * dist(points[0], points[3]), 1e-6)
