"""Words for applications and filings, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.cards.contracts import CardProblem, CardState
from backend.certificates.contracts import (
    CertificateKind,
    CertificateProblem,
    CertificateState,
)
from backend.choices.contracts import ChoiceProblem, ReferralProblem
from backend.claims.contracts import ClaimProblem, ClaimReason
from backend.complaints.contracts import ComplaintAbout, ComplaintProblem, ComplaintTopic
from backend.coordination.contracts import (
    Side,
    TicketEvent,
    TicketProblem,
    TicketReason,
    TicketState,
)
from backend.desk.contracts import Holding, MatterDecision
from backend.enrolment.contracts import ContributionState, EnrolProblem
from backend.entitlements.contracts import (
    CapitationAct,
    CapitationProblem,
    ChronicProblem,
    EntitlementState,
)
from backend.filings.contracts import AwayKind, FilingProblem, FilingRoute, FilingState
from backend.kernel.errors import Locale
from backend.matters.contracts import (
    ApplyProblem,
    MaterialVerdict,
    MatterEvent,
    MatterKind,
    MatterState,
    Party,
    Requirement,
)
from backend.matters.material_contracts import MaterialFault
from backend.payments.direct import DirectReason
from backend.policies.document_contracts import DocumentKind, DocumentState, MeansForMe
from mobile_bff.words import Words

_W = Words


def _named(
    kind: type[
        Requirement
        | MaterialFault
        | FilingProblem
        | ApplyProblem
        | ChronicProblem
        | CapitationProblem
        | ClaimProblem
        | ChoiceProblem
        | ReferralProblem
        | EnrolProblem
        | CardProblem
        | CertificateProblem
        | ComplaintProblem
        | TicketProblem
    ],
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
            "CLAIM": _W("手工报销", "A claim for a bill that was paid in full."),
            "CHOICE": _W("定点选定", "A choice of primary institutions."),
            "CAPITATION": _W("腹膜透析按人头付费签约", "A capitation agreement for dialysis."),
            "DOCTOR_TEAM": _W("家庭医生签约", "Signing with a doctor team."),
            "ENROLMENT": _W("城乡居民参保登记", "Being insured as a resident."),
            "COMPLAINT": _W("投诉与建议", "A complaint or a suggestion."),
            "TRANSFER": _W("医保关系转移接续", "Insurance that is taken along to another area."),
            "FILING_CANCEL": _W(
                "提前取消备案", "Cancelling a filing before its promise allows it."
            ),
        },
    ),
    ComplaintAbout: (
        "What kind of thing is said.",
        {"COMPLAINT": _W("投诉", "A complaint."), "SUGGESTION": _W("建议", "A suggestion.")},
    ),
    ComplaintTopic: (
        "What a complaint or suggestion is about.",
        {
            "CHARGE": _W("收费", "What was charged."),
            "SETTLEMENT": _W("报销结算", "How it was settled."),
            "REFUSED_CARE": _W("推诿、拒绝就医", "Care was refused."),
            "SERVICE": _W("医药机构服务", "An institution's service."),
            "AGENCY": _W("经办窗口", "An agency's counter."),
            "APP": _W("本应用", "The app."),
            "POLICY": _W("医保政策", "A policy."),
            "OTHER": _W("其他", "Something else."),
        },
    ),
    ComplaintProblem: ("Why it cannot be sent like this.", _named(ComplaintProblem)),
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
                "初审已通过，复核中",
                "The first look is done; it is checked.",
                "在承诺的日期前办结，无需再跑窗口。",
                "It is decided by the promised day; there is no need to come.",
            ),
            "EFFECTIVE": _W("已生效", "In force."),
            "PAID": _W("已支付到您的账户", "Paid out to your account."),
            "PAY_FAILED": _W(
                "银行退回，未支付",
                "The bank has sent the money back.",
                "请核对并填写新的收款账户，随后重新支付。",
                "Name another account, and it is paid again.",
            ),
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
            "RECKON": _W("已核算，等待复核", "Reckoned; a second person checks."),
            "RETURN": _W("复核退回，重新核算", "Returned, to be reckoned anew."),
            "PAY": _W("已支付", "Paid out."),
            "PAY_FAIL": _W("支付未成功", "The payment failed."),
            "NEW_ACCOUNT": _W("已更换收款账户", "Another account was named."),
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
    Holding: (
        "Whose applications to list.",
        {
            "ANY": _W("全部", "Everybody's."),
            "MINE": _W("我的", "One's own."),
            "FREE": _W("无人办理", "Nobody's."),
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
    DocumentKind: (
        "What a document is.",
        {
            "RULE": _W("政策规定", "What the rules are, with where each number stands."),
            "NOTICE": _W("政策文件", "An official text, and what was taken from it."),
            "GUIDE": _W("办事指南", "How something is done in an area."),
            "NEWS": _W("热点动态", "News."),
        },
    ),
    DocumentState: (
        "Where a document stands.",
        {
            "DRAFT": _W("草稿", "A draft."),
            "PUBLISHED": _W("已发布", "Published."),
            "SUPERSEDED": _W("已被新文件替代", "Superseded by a newer one."),
            "WITHDRAWN": _W("已撤回", "Withdrawn."),
        },
    ),
    MeansForMe: (
        "Whether a document concerns the person who asks.",
        {
            "APPLIES": _W("适用于您", "It applies to you."),
            "OTHER_AREA": _W("不是您参保地的规定", "It is of another area than yours."),
            "OTHER_INSURANCE": _W("不适用于您的险种", "It is of another insurance than yours."),
            "NOT_YET": _W("还没有施行", "It is not in force yet."),
            "NO_LONGER": _W("已不再施行", "It is not in force any more."),
            "NOT_INSURED": _W(
                "没有查到您的参保记录",
                "You are not insured anywhere here.",
                "先在“参保登记”中查看。",
                "See to your enrolment first.",
            ),
        },
    ),
    ClaimReason: (
        "Why a bill was not settled directly.",
        {
            "NOT_NETWORKED": _W("医院未联网", "The place is not connected."),
            "OUTAGE": _W("系统停机", "The system was away."),
            "NOT_FILED": _W("没有备案", "It was not filed."),
            "NO_CARD": _W("还没有领到卡码", "There was no card or code yet."),
            "PRESCRIPTION": _W("电子处方下载失败", "A prescription could not be fetched."),
            "OTHER": _W("其他", "Another reason."),
        },
    ),
    CardState: (
        "Where the report of a lost card stands.",
        {
            "TEMPORARY": _W(
                "临时挂失中",
                "Reported lost for a while.",
                "找到卡可以随时解挂；到期自动解除；确定丢失请办理正式挂失。",
                "Lift it once the card is found; report it for good if it is not.",
            ),
            "FORMAL": _W(
                "正式挂失，旧卡作废",
                "Reported lost for good.",
                "新卡做好后到窗口领取；医保码可以照常使用。",
                "Fetch the new card at a counter; the electronic code works on.",
            ),
            "LIFTED": _W("挂失已解除，卡可正常使用", "Lifted; the card works."),
            "REISSUED": _W("已补发新卡", "A new card was handed out."),
        },
    ),
    TicketReason: (
        "What went wrong at an institution.",
        {
            "CANNOT_SETTLE": _W("不能直接结算", "It could not be settled."),
            "WRONG_AMOUNT": _W("结算金额有疑问", "The amount seems wrong."),
            "FILING_NOT_SEEN": _W("医院查不到备案", "The hospital does not see the filing."),
            "OTHER": _W("其他问题", "Something else."),
        },
    ),
    Side: (
        "Whose turn it is.",
        {"PLACE": _W("就医地", "The place of care."), "HOME": _W("参保地", "The insured area.")},
    ),
    TicketState: (
        "Where a ticket stands.",
        {
            "OPENED": _W(
                "等待受理",
                "Waits for a desk.",
                "逾期未答复会自动升级，无需重复提交。",
                "It goes up by itself where nobody answers in time.",
            ),
            "ASSIGNED": _W("处理中", "Being worked on."),
            "ANSWERED": _W(
                "已答复，等您确认",
                "Answered.",
                "请确认是否解决；没有解决会升到上一级。",
                "Say whether it is solved; if not it goes one level up.",
            ),
            "CLOSED": _W("已办结", "Closed."),
        },
    ),
    TicketEvent: (
        "What happened to a ticket.",
        {
            "OPEN": _W("已提交", "Opened."),
            "TAKE": _W("已受理", "Taken."),
            "PASS": _W("转给另一方", "Passed to the other side."),
            "ESCALATE": _W("升到上一级", "Handed up."),
            "ANSWER": _W("已答复", "Answered."),
            "CONFIRM": _W("确认已解决", "Confirmed as solved."),
            "REOPEN": _W("没有解决，继续处理", "Not solved; it goes on."),
            "EXPIRE": _W("到期无异议，办结", "Nobody objected; closed."),
        },
    ),
    TicketProblem: ("Why a ticket cannot be opened like this.", _named(TicketProblem)),
    EnrolProblem: ("Why nobody can be insured, pay or transfer like this.", _named(EnrolProblem)),
    CertificateKind: (
        "What a certificate says.",
        {
            "ENROLMENT": _W("参保凭证", "Every insurance, with its months and balance."),
            "CONTRIBUTIONS": _W("参保缴费证明", "The contributions of a year."),
            "SETTLEMENTS": _W("医疗费用结算清单", "The settlements of a year."),
            "RECEIPT": _W("医保结算单", "One settlement in full, and how its cash was paid."),
        },
    ),
    CertificateState: (
        "Where a certificate stands.",
        {
            "VALID": _W("有效", "Valid."),
            "REVOKED": _W("已作废", "Taken back.", "请勿采信。", "Do not rely on it."),
            "EXPIRED": _W(
                "已过核验有效期",
                "Past the time in which it can be verified.",
                "请重新开具。",
                "Have another one issued.",
            ),
        },
    ),
    ContributionState: (
        "Where a contribution stands.",
        {
            "DUE": _W("待缴费", "To be paid.", "请在截止日前缴费。", "Pay it by its last day."),
            "PAID": _W("已缴费", "Paid."),
            "LAPSED": _W(
                "缴费单已过期",
                "The bill has lapsed.",
                "请重新开具缴费单。",
                "Ask for another bill.",
            ),
        },
    ),
    CardProblem: ("Why a card cannot be reported like this.", _named(CardProblem)),
    CertificateProblem: (
        "Why a certificate cannot be issued.",
        _named(CertificateProblem),
    ),
    CapitationAct: (
        "What is asked of a capitation agreement.",
        {
            "SIGN": _W("签约", "Sign with a pilot hospital."),
            "CHANGE": _W("变更医院", "Change to another pilot hospital."),
            "REST": _W("暂停", "Let months rest."),
            "RESUME": _W("恢复", "Let months count again."),
        },
    ),
    CapitationProblem: (
        "Why this cannot be asked of a capitation agreement.",
        _named(CapitationProblem),
    ),
    ReferralProblem: ("Why somebody cannot be referred like this.", _named(ReferralProblem)),
    ChoiceProblem: ("Why something cannot be chosen like this.", _named(ChoiceProblem)),
    ClaimProblem: ("What is wrong with a claim.", _named(ClaimProblem)),
    DirectReason: (
        "What decides whether somebody settles directly at a place.",
        {one.name: _W(one.text(Locale.ZH), one.text(Locale.EN)) for one in DirectReason},
    ),
}

OF_KIND: dict[tuple[MatterKind, MatterState], _W] = {
    (MatterKind.CLAIM, MatterState.APPROVED): _W(
        "已核定，等待支付",
        "Booked, to be paid out.",
        "款项由银行转到您填写的账户，到账或退回都会通知您。",
        "The bank pays it to your account; you are told when it has, or has not.",
    ),
    (MatterKind.ENROLMENT, MatterState.APPROVED): _W(
        "已登记，等待缴费",
        "Registered, to be paid.",
        "请在缴费单的截止日前缴费，缴费后参保生效。",
        "Pay the bill by its last day; the insurance follows from it.",
    ),
    (MatterKind.ENROLMENT, MatterState.EFFECTIVE): _W("已参保缴费", "Insured and paid."),
    (MatterKind.COMPLAINT, MatterState.SUBMITTED): _W(
        "处理中",
        "It is being looked into.",
        "在承诺的日期前答复，无需再跑窗口。",
        "It is answered by the promised day; there is no need to come.",
    ),
    (MatterKind.COMPLAINT, MatterState.EFFECTIVE): _W(
        "已答复",
        "Answered.",
        "对答复不满意可以再次提出，由其他人员办理。",
        "If it will not do, say so; somebody else looks into it.",
    ),
    (MatterKind.COMPLAINT, MatterState.REJECTED): _W(
        "经核实不成立，已说明理由",
        "Found without ground; the answer says why.",
        "可以再次提出，由其他人员办理。",
        "Say so if you disagree; somebody else looks into it.",
    ),
    (MatterKind.TRANSFER, MatterState.SUBMITTED): _W(
        "转出地办理中",
        "The area that it comes from works on it.",
        "转出地核对参保信息后交转入地，无需再跑窗口。",
        "It goes on to the area that takes it over; there is no need to come.",
    ),
    (MatterKind.TRANSFER, MatterState.RECHECK): _W(
        "转入地办理中",
        "The area that takes it over works on it.",
        "在承诺的日期前办结，无需再跑窗口。",
        "It is decided by the promised day; there is no need to come.",
    ),
    (MatterKind.TRANSFER, MatterState.EFFECTIVE): _W("已转入", "Taken over."),
    (MatterKind.FILING_CANCEL, MatterState.EFFECTIVE): _W("备案已取消", "The filing is cancelled."),
}
"""Words of a state where a kind of application says more than the others."""
