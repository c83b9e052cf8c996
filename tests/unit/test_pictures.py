"""Pictures are opened within bounds: by their header, with their pixels, and nothing beside them."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import textwrap

import pytest
from PIL import Image, ImageOps

from backend.identity.face_contracts import FaceProblem, Frame
from backend.identity.face_worker import measure
from backend.infra.pictures import PictureBroken, decode, parse_picture
from backend.matters.material_contracts import MaterialFault, MaterialFile, MaterialUnfit
from backend.matters.materials import PIXELS, read_file
from backend.reports import service
from backend.reports.contracts import EvidenceProblem, EvidenceUnfit
from tests.hostile_pictures import chunk, hostile, many_scans, plain, png, saved, segment

F = MaterialFault
MEMORY_MAX = 300_000_000
NOISE = Image.effect_noise((900, 700), 60).convert("RGB")


def taken(data: bytes) -> MaterialFile:
    file = read_file(data)
    assert isinstance(file, MaterialFile), file
    return file


def fault_of(data: bytes) -> MaterialFault | None:
    file = read_file(data)
    return file.reason if isinstance(file, MaterialUnfit) else None


FAULTS = {
    "PNG of 60 megapixels": F.TOO_MANY_PIXELS,
    "PNG of 4 gigapixels by its header": F.TOO_MANY_PIXELS,
    "PNG at the bound, four channels": None,
    "PNG one row too high": F.TOO_MANY_PIXELS,
    "PNG with packed texts": None,
    "PNG with a packed profile": None,
    "PNG of 700,000 chunks": F.UNREADABLE,
    "PNG with EXIF of 9 MB": None,
    "PNG with two headers": F.UNREADABLE,
    "PNG without its end": F.UNREADABLE,
    "JPEG of 51 megapixels in one scan": None,
    "JPEG of 52 megapixels": F.TOO_MANY_PIXELS,
    "JPEG of 25 megapixels in ten scans": None,
    "JPEG of 26 megapixels in ten scans": F.TOO_MANY_PIXELS,
    "JPEG of 900 scans": F.UNREADABLE,
    "JPEG of 25 megapixels in 31 scans": None,
    "JPEG of 150 parts of EXIF": None,
    "JPEG of a million parts of EXIF": F.UNREADABLE,
    "JPEG of a million profiles": F.UNREADABLE,
    "JPEG behind 9 MB of filling": F.UNREADABLE,
    "JPEG without its end": F.UNREADABLE,
    "JPEG cut in half": F.UNREADABLE,
    "GIF of many pictures": F.WRONG_TYPE,
    "WebP": F.WRONG_TYPE,
    "TIFF": F.WRONG_TYPE,
    "BMP": F.WRONG_TYPE,
}


def test_every_hostile_picture_has_its_answer() -> None:
    assert {name: fault_of(data) for name, data in hostile().items()} == FAULTS


def test_evidence_says_what_to_do_where_a_picture_has_too_many_pixels() -> None:
    large = service.read_evidence(hostile()["PNG of 60 megapixels"])
    assert large == EvidenceUnfit(EvidenceProblem.PIXELS)
    assert service.read_evidence(hostile()["GIF of many pictures"]) == EvidenceUnfit(
        EvidenceProblem.TYPE
    )


def test_hostile_pictures_take_bounded_memory() -> None:
    """A process that may have no more than its own size and ``MEMORY_MAX`` opens all of them."""
    script = f"""
        import resource
        from tests.hostile_pictures import hostile
        from backend.matters.materials import read_file
        files = list(hostile().values())
        with open("/proc/self/statm") as own:
            size = int(own.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + {MEMORY_MAX},) * 2)
        for data in files:
            read_file(data)
        print("whole")
    """
    answer = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120
    )
    assert (answer.stdout, answer.stderr) == ("whole\n", "")


def test_hostile_pictures_take_bounded_time() -> None:
    for name, data in hostile().items():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        read_file(data)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 5, name


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_hostile_picture_ends_the_measuring_of_faces(name: str) -> None:
    data = hostile()[name]
    if len(data) <= 1_000_000:  # what an upload of a face may have
        [frame] = measure([(1, data)])
        assert frame.problem in (FaceProblem.UNREADABLE, FaceProblem.TOO_DARK, FaceProblem.NO_FACE)
    assert measure([(1, hostile()["PNG at the bound, four channels"])]) == [
        Frame(1, FaceProblem.UNREADABLE)
    ]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_keeps_its_pixels_and_nothing_else(
    mode: str, progressive: bool, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x013B] = orientation, "ACME Phone", "Artist Name"
    exif.get_ifd(0x8825)[1] = "N"
    sent = saved(
        NOISE.convert(mode),
        "JPEG",
        exif=exif,
        progressive=progressive,
        comment=b"a comment",
        icc_profile=b"a profile" * 20_000,
    )
    bare = taken(sent).bare
    for words in (b"ACME", b"Artist", b"comment", b"profile"):
        assert words in sent
        assert words not in bare
    with Image.open(io.BytesIO(sent)) as before, Image.open(io.BytesIO(bare)) as after:
        upright = ImageOps.exif_transpose(before).tobytes()
        assert ImageOps.exif_transpose(after).tobytes() == upright
        assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    picture = parse_picture(sent)
    assert decode(picture, side=10_000).tobytes() == upright
    assert (picture.orientation, picture.by_lines) == (orientation, not progressive)


def test_a_second_picture_behind_the_first_is_left_out() -> None:
    """Telephones append one, with EXIF of its own; the library calls such a file by another name."""
    exif = Image.Exif()
    exif[0x010F] = "ACME Phone"
    both = saved(NOISE, "MPO", save_all=True, append_images=[NOISE], exif=exif)
    assert both.count(b"\xff\xd8\xff") == 2
    file = taken(both)
    assert (file.content_type, file.content) == ("image/jpeg", both)
    assert file.bare.count(b"\xff\xd8\xff") == 1
    assert b"ACME" not in file.bare


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "P", "I;16"])
def test_a_png_keeps_its_pixels_and_nothing_else(mode: str) -> None:
    picture = Image.new(mode, (900, 700)) if mode == "I;16" else NOISE.convert(mode)
    whole = saved(picture, "PNG")
    beside = chunk(b"tEXt", b"Author\0Artist Name") + chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0")
    sent = whole[:33] + beside + whole[33:]
    bare = taken(sent).bare
    assert b"Artist" not in bare
    assert b"eXIf" not in bare
    with Image.open(io.BytesIO(bare)) as after:
        assert (after.mode, after.tobytes()) == (picture.mode, picture.tobytes())


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + segment(0xC0, b"\x08\0\0\0\0\x01\x01\x11\0") + segment(0xDA, b"") + b"\xff\xd9",
        plain()[:2] + segment(0xC0, b"\x08\0\x01\0\x01\x01\x01\x11\0") + plain()[2:],  # two frames
        plain()[:2] + b"\xff\xd0" + plain()[2:],
        plain()[:2] + b"\xff\xe1\0\0" + plain()[2:],
        plain()[:2] + b"\xff\xe1\xff\xff",
        plain().replace(b"\xff\xc0", b"\xff\xc9"),  # of arithmetic codes
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"short") + chunk(b"IEND", b""),
        png(900, 700)[:-1],
        png(900, 700).replace(b"IDAT", b"iDAT"),
        png(900, 700)[:41] + b"?" + png(900, 700)[42:],  # packed by no known method
    ],
)  # fmt: skip
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(PictureBroken):
        decode(parse_picture(data), side=1)


def test_broken_directories_of_a_camera_do_not_matter() -> None:
    for tiff in (b"", b"II", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"):
        sent = plain()[:2] + segment(0xE1, b"Exif\0\0" + tiff) + plain()[2:]
        assert parse_picture(sent).orientation == 1
    nine = struct.pack(">HHIHH", 0x0112, 3, 1, 9, 0)
    sent = plain()[:2] + segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + nine) + plain()[2:]
    assert parse_picture(sent).orientation == 1


def test_the_bounds_are_those_of_a_telephone() -> None:
    assert (PIXELS.by_lines, PIXELS.at_once) == (51_000_000, 25_000_000)
    assert PIXELS.by_lines > 8192 * 6144  # a phone of 50 megapixels
    assert PIXELS.at_once > 5712 * 4284  # a phone of 24, whatever its file
    assert not parse_picture(many_scans(200, 20)).by_lines


def test_active_content_is_found_wherever_it_stands() -> None:
    for at in (0, 999_990, 999_995, 1_000_000, 1_000_010):
        data = b"%PDF-1.7" + b" " * at + b"/OpenAction " + b" " * 100_000 + b"%%EOF"
        assert fault_of(data) == F.ACTIVE_CONTENT, at
    assert fault_of(b"%PDF-1.7" + b"/" * 2_000_000 + b"%%EOF") is None
