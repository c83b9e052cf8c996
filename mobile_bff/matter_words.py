"""Words for applications and filings, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.desk.contracts import MatterDecision
from backend.entitlements.contracts import ChronicProblem, EntitlementState
from backend.filings.contracts import AwayKind, FilingProblem, FilingRoute, FilingState
from backend.kernel.errors import Locale
from backend.matters.contracts import (
    ApplyProblem,
    MaterialFault,
    MaterialVerdict,
    MatterEvent,
    MatterKind,
    MatterState,
    Party,
    Requirement,
)
from backend.payments.direct import DirectReason
from mobile_bff.words import Words

_W = Words


def _named(
    kind: type[Requirement | MaterialFault | FilingProblem | ApplyProblem | ChronicProblem],
) -> dict[str, _W]:
    return {
        one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.") for one in kind
    }


MATTER_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    MatterKind: (
        "What is applied for.",
        {
            "FILING": _W("异地就医备案", "A filing for care elsewhere."),
            "CHRONIC": _W("门诊慢特病认定", "A chronic disease, or its renewal."),
            "FILING_CANCEL": _W(
                "提前取消备案", "Cancelling a filing before its promise allows it."
            ),
        },
    ),
    MatterState: (
        "Where an application stands.",
        {
            "DRAFT": _W("草稿", "A draft.", "填好后提交。", "Complete it and submit."),
            "SUBMITTED": _W(
                "审核中",
                "Waits for the desk.",
                "在承诺的日期前办结，无需再跑窗口。",
                "It is decided by the promised day; there is no need to come.",
            ),
            "SUPPLEMENT": _W(
                "待补充材料",
                "Papers are missing.",
                "请按列出的内容一次补齐后提交。",
                "Upload everything that is named, and submit.",
            ),
            "APPROVED": _W(
                "参保地已通过，等待上传国家平台",
                "Approved at home, not uploaded yet.",
                "生效后会通知您，之后再去就医。",
                "You will be told once it is in force; go then.",
            ),
            "RECHECK": _W(
                "专家已通过，经办机构复核中",
                "Experts agree; the agency checks.",
                "在承诺的日期前办结，无需再跑窗口。",
                "It is decided by the promised day; there is no need to come.",
            ),
            "EFFECTIVE": _W("已生效", "In force."),
            "REJECTED": _W(
                "未通过",
                "Refused.",
                "可以申诉，由其他人员重新审核。",
                "Appeal; another clerk decides.",
            ),
            "WITHDRAWN": _W("已撤回", "Taken back."),
            "LAPSED": _W(
                "超时未提交", "Nobody went on with it in time.", "请重新填写。", "Begin anew."
            ),
        },
    ),
    MatterEvent: (
        "What happened to an application.",
        {
            "SUBMIT": _W("已提交", "Submitted."),
            "APPROVE_AT_ONCE": _W("即时办结", "Approved at once."),
            "ASK": _W("要求补充材料", "Papers were asked for."),
            "SUPPLEMENT": _W("已补充材料", "Papers were added."),
            "APPROVE": _W("审核通过", "Approved."),
            "REJECT": _W("审核未通过", "Refused."),
            "APPEAL": _W("已申诉", "Appealed."),
            "WITHDRAW": _W("已撤回", "Taken back."),
            "TAKE_EFFECT": _W("生效", "Took effect."),
            "LAPSE": _W("超时失效", "Lapsed."),
            "AGREE": _W("专家认定通过", "Experts agree."),
        },
    ),
    Party: (
        "Whose act it was.",
        {
            "APPLICANT": _W("申请人", "The applicant."),
            "AGENCY": _W("经办机构", "The agency."),
            "SYSTEM": _W("系统", "The system."),
        },
    ),
    Requirement: ("A paper that an application may need.", _named(Requirement)),
    ApplyProblem: ("Why nothing can be applied for like this.", _named(ApplyProblem)),
    MaterialFault: ("Why a file cannot be taken.", _named(MaterialFault)),
    MaterialVerdict: (
        "What the desk says of a paper.",
        {
            "ACCEPTED": _W("材料合格", "It will do."),
            "REFUSED": _W("材料不合格", "It will not do.", "请重新上传。", "Upload another."),
        },
    ),
    MatterDecision: (
        "What a clerk decides about an application.",
        {
            "APPROVE": _W("通过", "Approve."),
            "ASK": _W("要求补充", "Ask for everything that is missing."),
            "REJECT": _W("不通过", "Refuse."),
        },
    ),
    AwayKind: (
        "Kind of a filing (医保发〔2022〕22号, article 7).",
        {
            "RETIRED": _W("异地安置退休人员", "Settled elsewhere in retirement."),
            "LONG_TERM": _W("异地长期居住人员", "Living elsewhere for long."),
            "STATIONED": _W("常驻异地工作人员", "Working elsewhere."),
            "REFERRAL": _W("异地转诊人员", "Referred elsewhere."),
            "EMERGENCY": _W("异地急诊抢救人员", "An emergency elsewhere; counts as filed."),
            "OTHER": _W("其他临时外出就医人员", "Elsewhere for a while."),
        },
    ),
    FilingRoute: (
        "How a filing is shown to be true.",
        {
            "PROMISE": _W(
                "个人承诺，即时办结",
                "By promise, at once.",
                "承诺后一段时间内不能变更或取消，除非补交证明。",
                "For some months it is changed only with proof.",
            ),
            "MATERIALS": _W("提交证明材料", "With papers, which the desk reviews."),
            "NOTHING": _W("无需材料", "Nothing has to be shown."),
        },
    ),
    FilingState: (
        "Where a filing stands.",
        {
            "APPROVED": _W(
                "参保地已通过，正在上传国家平台",
                "Approved at home, being uploaded.",
                "生效后会通知您。",
                "You will be told once it is in force.",
            ),
            "UPLOAD_FAILED": _W(
                "上传国家平台未成功，正在自动重试",
                "The upload failed and is tried again.",
                "现在还不能在外地直接结算；急需住院请先告诉医院备案正在上传。",
                "Not yet for direct settlement; tell the hospital that it is under way.",
            ),
            "EFFECTIVE": _W("已生效，可在就医地直接结算", "In force: settle directly there."),
            "REPLACED": _W("已被新的备案替代", "Replaced by a newer filing."),
            "CANCELLED": _W("已取消", "Cancelled."),
            "EXPIRED": _W("已到期", "Run out.", "需要时重新备案。", "File again if it is needed."),
        },
    ),
    FilingProblem: ("Why a filing cannot be made like this.", _named(FilingProblem)),
    ChronicProblem: ("Why a disease cannot be applied for like this.", _named(ChronicProblem)),
    EntitlementState: (
        "Where an entitlement stands.",
        {
            "ACTIVE": _W("待遇有效", "In force."),
            "REVIEW_DUE": _W(
                "即将到期，请办理复审",
                "It runs out soon.",
                "提交近6个月的检验报告办理复审，待遇不中断。",
                "Apply for its renewal in time, and nothing is interrupted.",
            ),
            "TO_COME": _W("尚未开始", "Not begun yet."),
            "ENDED": _W(
                "已到期", "Run out.", "需要时重新申请认定。", "Apply anew if it is needed."
            ),
        },
    ),
    DirectReason: (
        "What decides whether somebody settles directly at a place.",
        {one.name: _W(one.text(Locale.ZH), one.text(Locale.EN)) for one in DirectReason},
    ),
}
