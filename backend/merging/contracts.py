"""Merging as the rest of the system sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.kernel.errors import Locale, Refusal


class MergeProblem(StrEnum):
    """Why two records cannot be merged now."""

    SAME_CLERK = "SAME_CLERK"
    TWO_ID_NUMBERS = "TWO_ID_NUMBERS"
    KEPT_WITHOUT_NUMBER = "KEPT_WITHOUT_NUMBER"
    NOT_OF_THE_PAIR = "NOT_OF_THE_PAIR"
    NO_WORDS = "NO_WORDS"
    ALREADY_MERGED = "ALREADY_MERGED"
    BIRTH_OR_SEX_DIFFERS = "BIRTH_OR_SEX_DIFFERS"
    DEATH_DIFFERS = "DEATH_DIFFERS"
    FROZEN = "FROZEN"
    OPEN_BILL = "OPEN_BILL"
    BOTH_IN_HOSPITAL = "BOTH_IN_HOSPITAL"
    MONEY_ON_ITS_WAY = "MONEY_ON_ITS_WAY"
    BOTH_ENROLMENTS_USED = "BOTH_ENROLMENTS_USED"

    def text(self, locale: Locale) -> str:
        """Return it in plain words."""
        return _PROBLEMS[self.value][0 if locale is Locale.ZH else 1]


_PROBLEMS = {
    "SAME_CLERK": ("提出与复核须为不同的经办人员", "the clerk who confirms is another one"),
    "TWO_ID_NUMBERS": (
        "两份档案有不同的身份证号，不是同一人；请先向公安核实",
        "the records have two ID numbers, so they are two people; ask the police first",
    ),
    "KEPT_WITHOUT_NUMBER": (
        "保留的应是有身份证号的档案",
        "the record that has the ID number is the one to keep",
    ),
    "NOT_OF_THE_PAIR": ("保留的档案不在这两份之中", "the record to keep is not one of the two"),
    "NO_WORDS": ("没有写明核对了哪些材料", "it does not say which papers were compared"),
    "ALREADY_MERGED": ("其中一份档案已并入他档", "one of the records was merged already"),
    "BIRTH_OR_SEX_DIFFERS": (
        "两份档案的出生日期或性别不同",
        "birth date or sex of the two records differ",
    ),
    "DEATH_DIFFERS": ("两份档案的死亡登记不一致", "only one of the records says that they died"),
    "FROZEN": ("账户已冻结，先解除冻结", "an account is frozen; lift that first"),
    "OPEN_BILL": ("还有未完成的账单", "a bill is not finished yet"),
    "BOTH_IN_HOSPITAL": ("两份档案都有在院登记", "both records are in hospital now"),
    "MONEY_ON_ITS_WAY": (
        "钱包里还有在途转账，次日六时后再办",
        "a transfer is on its way; it ends by six tomorrow morning",
    ),
    "BOTH_ENROLMENTS_USED": (
        "两份档案在同一地同一险种都享受过待遇，须先由两地经办清理",
        "both records have used benefits of the same insurance; the agency clears that first",
    ),
}


@dataclass(frozen=True)
class DuplicateNotFound(Refusal):
    """There is no such pair of records, or it is not waiting for this."""

    zh = "没有找到这组疑似重复档案，或其当前状态不能办理此操作。"
    en = "There is no such pair of records, or it does not wait for this now."
    next_zh = "请刷新列表后再办理。"
    next_en = "Look at the list again."


@dataclass(frozen=True)
class MergeNotPossible(Refusal):
    """Two records cannot be merged now."""

    problem: MergeProblem
    zh = "暂不能合并：{problem}。"
    en = "They cannot be merged now: {problem}."
    next_zh = "处理上述事项后再合并。"
    next_en = "Deal with that, and merge them then."


@dataclass(frozen=True)
class Merged:
    """What a merge did: how many rows of which table moved."""

    case_id: str
    dropped_id: str
    kept_id: str
    moved: Mapping[str, int]
