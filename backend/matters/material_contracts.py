"""Papers of applications: a file that opens, the command that adds one, and why one cannot be taken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.access.contracts import Actor
from backend.kernel.errors import Locale, Refusal
from backend.matters.contracts import Requirement


@dataclass(frozen=True, kw_only=True)
class MaterialFile:
    """A file that opens and is of a kind that is taken.

    ``bare`` is its content with nothing beside the pixels, where it is a picture.
    """

    content: bytes
    content_type: str
    bare: bytes


@dataclass(frozen=True, kw_only=True)
class AddMaterial:
    """Somebody uploads a paper for an application of theirs."""

    actor: Actor
    matter_id: str
    requirement: Requirement
    name: str
    file: MaterialFile


class MaterialFault(StrEnum):
    """Why a file cannot be taken."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    WRONG_TYPE = "WRONG_TYPE"
    UNREADABLE = "UNREADABLE"
    ACTIVE_CONTENT = "ACTIVE_CONTENT"
    TOO_SMALL_PICTURE = "TOO_SMALL_PICTURE"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    TODAY = "TODAY"
    """Too many were uploaded today."""
    TOO_MANY = "TOO_MANY"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _FAULTS[self.value][0 if locale is Locale.ZH else 1]


_FAULTS = {
    "EMPTY": ("文件是空的", "it is empty"),
    "TOO_LARGE": ("文件超过 10 MB", "it is larger than 10 MB"),
    "WRONG_TYPE": ("不是 JPG、PNG 或 PDF", "it is no JPG, PNG or PDF"),
    "UNREADABLE": ("文件打不开", "it cannot be opened"),
    "ACTIVE_CONTENT": ("PDF 中含有脚本或附件", "the PDF holds scripts or attachments"),
    "TOO_SMALL_PICTURE": ("照片太小，看不清文字", "the picture is too small to be read"),
    "TOO_MANY_PIXELS": (
        "照片的像素太高（JPG 最多 5100 万，PNG 和渐进式 JPG 最多 2500 万），请把相机调到 1200 万像素重拍",
        "the picture has too many pixels (at most 51 million as JPG, 25 million as PNG or progressive JPG); "
        "set the camera to 12 megapixels and take it again",
    ),
    "TODAY": ("今天上传的文件太多，请明天再传", "too many were uploaded today; come back tomorrow"),
    "TOO_MANY": ("这个办件的文件太多", "the application has too many files"),
}


@dataclass(frozen=True)
class MaterialUnfit(Refusal):
    """A file cannot be taken."""

    zh = "文件不能接收：{reason}。"
    en = "The file cannot be taken: {reason}."
    next_zh = "请上传清晰的 JPG、PNG 照片或 PDF 文件。"
    next_en = "Upload a clear JPG or PNG photograph, or a PDF."
    reason: MaterialFault
