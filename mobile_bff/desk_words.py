"""Words for what staff see at the desk, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.access.contracts import Role
from backend.desk.contracts import ActKind, BindingDecision, ProposalState
from backend.kernel.errors import Locale
from backend.merging.contracts import MergeProblem
from backend.people.document_contracts import DuplicateReason, DuplicateState
from mobile_bff.words import Words

_W = Words

DESK_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    Role: (
        "What a member of staff may do for the people of a region.",
        {
            role.name: _W(role.text(Locale.ZH), f"{role.text(Locale.EN).capitalize()}.")
            for role in Role
        },
    ),
    ActKind: (
        "What takes two persons at the desk.",
        {
            "REGISTRATION": _W("启用登记手机号", "Give a person the phone they registered with."),
            "BINDING_PAYMENT": _W("代付授权", "Let a relative pay, as a signed paper says."),
            "ID_NUMBER": _W("补登身份证号", "Give who had none an ID number."),
            "CLAIM": _W("手工报销入账", "Book a manual claim as it was reckoned."),
            "TRANSFER": _W("转移接续转入", "Take over insurance that comes from another area."),
            "PHONE": _W("更换登录手机号", "Move an account to another phone."),
        },
    ),
    BindingDecision: (
        "What one clerk decides about a binding.",
        {
            "APPROVE": _W("审核通过", "The papers are right."),
            "REJECT": _W("审核不通过", "The papers are not right."),
            "RENEW": _W("续期一年", "Another year, as a signed paper says."),
            "END": _W("解除", "End it for the person."),
        },
    ),
    ProposalState: (
        "State of what takes two persons.",
        {
            "PROPOSED": _W(
                "待复核", "Waits for a second person.", "由另一位人员复核。", "Another confirms it."
            ),
            "CONFIRMED": _W("已复核办结", "Done."),
            "WITHDRAWN": _W("已撤回", "Taken back."),
        },
    ),
    DuplicateState: (
        "Whether two records are one person's.",
        {
            "OPEN": _W("待核对", "Not compared yet.", "核对双方证件。", "Compare the papers."),
            "PROPOSED": _W(
                "待复核合并",
                "Waits for a second person.",
                "由另一位人员复核。",
                "Another confirms.",
            ),
            "MERGED": _W("已合并", "Merged."),
            "DIFFERENT": _W("确认为不同人", "Two people."),
        },
    ),
    DuplicateReason: (
        "Why two records may be one person's.",
        {
            "SAME_DOCUMENT": _W("证件相同", "The same document."),
            "SAME_NAME_AND_BIRTH": _W(
                "姓名、出生日期、性别相同，且有一方无身份证号",
                "The same name, birth date and sex, and one has no ID number.",
            ),
        },
    ),
    MergeProblem: (
        "Why two records cannot be merged now.",
        {
            problem.name: _W(problem.text(Locale.ZH), f"{problem.text(Locale.EN).capitalize()}.")
            for problem in MergeProblem
        },
    ),
}
