"""Words for everything that a report of misuse can say, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.kernel.errors import Locale
from backend.reports.contracts import (
    EvidenceProblem,
    MessageBy,
    ReportEvent,
    ReportKind,
    ReportProblem,
    ReportState,
    RewardState,
)
from backend.reports.handling_contracts import UnmaskState
from mobile_bff.words import Words

_W = Words

REPORT_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    ReportKind: (
        "What is reported.",
        {
            "CASH_OUT": _W("套取医保资金、套现", "Cash drawn from accounts or funds."),
            "NON_MEDICAL": _W("刷卡购买非医疗用品", "Other goods sold as medicine."),
            "SWAPPED": _W("串换药品或项目", "Billed as something else."),
            "BILLED_FOR_OTHERS": _W(
                "为非定点或停保机构结算", "Billed for a place without agreement."
            ),
            "FALSE_INVOICE": _W("虚开发票、伪造票据", "Invoices made up."),
            "FALSE_STAY": _W("虚假住院、挂床住院", "A stay that was none."),
            "OVERCHARGED": _W("重复、超标准收费", "Charged twice, or too much."),
            "CARD_LENT": _W("出借、冒用他人医保凭证", "A card lent, or another's used."),
            "AGENCY": _W("经办机构或工作人员的问题", "What somebody at an agency did."),
            "OTHER": _W("其他骗取医保基金的行为", "Another fraud."),
        },
    ),
    ReportState: (
        "Where a report stands.",
        {
            "LODGED": _W("已提交", "It is in.", "可继续补充证据。", "Evidence can be added."),
            "RECEIVED": _W(
                "已接收，正在核对是否受理",
                "Taken in; whether it is taken up is being decided.",
                "可继续补充线索和证据。",
                "More can be added.",
            ),
            "NOT_ACCEPTED": _W(
                "不予受理",
                "Not taken up.",
                "可以申诉一次，由上级另行复查。",
                "It can be appealed once; others look again.",
            ),
            "OPENED": _W("已立案，正在调查", "A case is open."),
            "FOUND": _W("调查结束，正在复核", "Found; another inspector is to confirm it."),
            "TRUE": _W(
                "查证属实",
                "Found true.",
                "符合条件的，请在期限内领取奖励。",
                "Claim the reward in time, if one is offered.",
            ),
            "NOT_TRUE": _W(
                "查无实据",
                "Not proven.",
                "可以申诉一次，由上级另行复查。",
                "It can be appealed once; others look again.",
            ),
            "APPEALED": _W("申诉复查中", "Others look at it again."),
            "UPHELD": _W("复查维持原结论，已办结", "Looked at again and upheld; closed."),
            "WITHDRAWN": _W("已撤回", "Withdrawn."),
        },
    ),
    ReportEvent: (
        "What happened to a report.",
        {
            "TAKE_IN": _W("接收", "Taken in."),
            "TRANSFER": _W("转交属地办理", "Handed to another region."),
            "DECLINE": _W("不予受理", "Not taken up."),
            "OPEN": _W("立案", "A case was opened."),
            "EXTEND": _W("延长办理期限", "Handling was extended."),
            "FIND": _W("提出调查结论", "An inspector has a finding."),
            "SEND_BACK": _W("退回补充调查", "Sent back to look further."),
            "CONFIRM_TRUE": _W("复核：属实", "Confirmed to be true."),
            "CONFIRM_NOT_TRUE": _W("复核：查无实据", "Confirmed not to be proven."),
            "APPEAL": _W("申诉", "Appealed."),
            "UPHOLD": _W("复查维持", "Upheld."),
            "OVERTURN": _W("复查撤销，重新立案", "Overturned; opened again."),
            "WITHDRAW": _W("撤回", "Withdrawn."),
        },
    ),
    RewardState: (
        "Where a reward stands.",
        {
            "NOT_WANTED": _W("不要求奖励", "None is wanted."),
            "WANTED": _W("待查证结果", "It depends on what is found."),
            "NONE": _W("没有奖励", "None is due."),
            "OFFERED": _W(
                "可以领取",
                "Offered.",
                "请在期限内填写收款账户；逾期视为放弃。",
                "Name an account in time; else it lapses.",
            ),
            "CLAIMED": _W("已申请，等待发放", "Claimed; to be paid."),
            "WAIVED": _W("已放弃", "Waived."),
            "EXPIRED": _W("逾期未领", "Not claimed in time."),
            "PAID": _W("已发放", "Paid."),
            "CLAWED_BACK": _W("已追回", "Taken back."),
        },
    ),
    MessageBy: (
        "Who wrote a message.",
        {
            "REPORTER": _W("举报人", "Whoever reported."),
            "HANDLER": _W("办案人员", "Whoever handles it."),
        },
    ),
    UnmaskState: (
        "Where a request to learn who reported stands.",
        {
            "ASKED": _W(
                "等待审批", "To be decided.", "须由另一人审批。", "Another person decides."
            ),
            "GRANTED": _W(
                "已批准", "Granted.", "24小时内由申请人查看。", "For a day, by who asked."
            ),
            "REFUSED": _W("未批准", "Refused."),
        },
    ),
    **{
        kind: (
            about,
            {one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN)}.") for one in kind},
        )
        for kind, about in (
            (ReportProblem, "Why something cannot be reported like this."),
            (EvidenceProblem, "Why a file cannot be kept."),
        )
    },
}
