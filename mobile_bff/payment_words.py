"""Words for everything that a payment, a charge and a rating can say, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.kernel.errors import Locale
from backend.orders.agreement_contracts import (
    AgreementEvent,
    AgreementProblem,
    AgreementState,
    RepaymentEvent,
    RepaymentState,
)
from backend.orders.contracts import (
    ChannelName,
    DebtPart,
    DifferenceKind,
    DifferenceState,
    OrderEvent,
    OrderState,
    Why,
)
from backend.orders.refund_contracts import RefundProblem, RefundRequestState
from backend.payments.charge_contracts import ChargeState
from backend.ratings.contracts import RatingEvent, RatingProblem, RatingReason, RatingState
from backend.statements.contracts import (
    MismatchEvent,
    MismatchKind,
    MismatchState,
    StatementProblem,
    StatementState,
)
from mobile_bff.words import Words

_W = Words

PAYMENT_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    ChannelName: (
        "Who collects the patient's cash.",
        {
            "WECHAT": _W("微信支付", "WeChat Pay."),
            "UNIONPAY": _W("云闪付、各银行App", "UnionPay: any bank's app."),
            "CREDIT": _W("银行信用就医", "A bank's credit for care."),
        },
    ),
    ChargeState: (
        "Where a charge stands.",
        {
            "OPEN": _W(
                "待缴费",
                "Waits to be taken.",
                "点开后可查看分担并支付。",
                "Open it to see the split.",
            ),
            "TAKEN": _W("已出账单", "It has become a bill."),
            "WITHDRAWN": _W("机构已撤回", "Taken away by the institution."),
        },
    ),
    OrderState: (
        "Where a payment stands.",
        {
            "INSURANCE_LOCKED": _W(
                "医保部分已锁定，正在联系支付渠道",
                "Insurance stands by; the channel is being asked.",
            ),
            "CASH_PENDING": _W(
                "等待支付个人部分",
                "Waits for the patient to pay their share.",
                "请在限时内完成支付；不想支付可以取消。",
                "Pay it in time, or cancel it.",
            ),
            "QUERYING": _W(
                "正在向支付渠道查询结果，请勿重复支付",
                "The channel is being asked what became of it; do not pay again.",
                "有结果会立即通知；没有扣款的自动释放，已扣款的继续结算或自动退回。",
                "It is told at once; what was taken is settled or goes back by itself.",
            ),
            "PAID": _W("个人部分已支付，正在医保结算", "Paid; the insurance is being booked."),
            "SETTLED": _W(
                "支付成功，已结算",
                "Paid and settled.",
                "如医院或药店显示未支付，请出示本页。",
                "Show this page if the institution does not see it.",
            ),
            "TOLD": _W("支付成功，机构已确认", "Paid and settled; the institution knows."),
            "RELEASED": _W("未支付，没有扣款", "Not paid; nothing was taken."),
            "RETURNING": _W(
                "正在退款",
                "The cash is on its way back.",
                "退款按原路退回，请留意承诺的到账日期。",
                "It goes back the way it came, by the promised day.",
            ),
            "RETURN_FAILED": _W(
                "退款遇到问题，工作人员正在处理",
                "Giving back failed; a person sees to it.",
                "不需要您操作；也可拨打12393查询。",
                "There is nothing to do; 12393 can tell how it stands.",
            ),
            "RETURNED": _W("已退款", "The cash is back."),
            "PART_RETURNED": _W(
                "已部分退款，其余部分已结算",
                "A part is back; the rest is settled.",
                "保留部分的结算单见“结算记录”。",
                "What stays is among the settlements.",
            ),
        },
    ),
    OrderEvent: (
        "What happened to a payment.",
        {
            "ASK": _W("已通知支付渠道收款", "The channel was asked to collect."),
            "LOSE_SIGHT": _W("支付结果不明，开始查询", "Its result became unknown."),
            "FIND_OPEN": _W("查询到尚未支付", "The channel still waits for the patient."),
            "PAY": _W("收到个人部分", "The cash was taken."),
            "GIVE_UP": _W("已关闭，医保部分已释放", "Closed; the insurance let go."),
            "SETTLE": _W("医保结算完成", "The insurance was booked."),
            "REFUSE": _W("医保不能按原金额结算", "The insurance could not be booked as promised."),
            "TELL": _W("机构已确认", "The institution took note."),
            "PAY_LATE": _W("关闭之后才收到款", "Cash came after it was closed."),
            "TAKE_BACK": _W("机构已退费", "The institution took it back."),
            "RETURN": _W("退款完成", "The cash is back."),
            "RETURN_PART": _W("部分退款完成", "The cash of a part is back."),
            "FAIL_RETURN": _W("退款失败", "Giving back failed."),
            "TRY_AGAIN": _W("再次退款", "Giving back is tried again."),
        },
    ),
    DifferenceKind: (
        "In what a channel's file and ours differ.",
        {
            "PAID_THERE": _W(
                "渠道已收款，我方未记", "The channel took cash that we do not know of."
            ),
            "PAID_HERE": _W(
                "我方已记收款，渠道没有", "We count cash that the channel has no line of."
            ),
            "AMOUNT": _W("金额不一致", "Both name other amounts."),
            "NO_ORDER": _W(
                "渠道账单中的订单我方没有", "The channel names an order that there is not."
            ),
            "RETURNED_THERE": _W(
                "渠道已退款，我方未记", "The channel gave back what we do not know of."
            ),
            "RETURNED_HERE": _W(
                "我方已记退款，渠道没有", "We count a return that it has no line of."
            ),
        },
    ),
    StatementState: (
        "How an institution's day stands against ours.",
        {
            "OPEN": _W(
                "尚未对账", "Not compared yet.", "请上传当日汇总对账。", "State the day's sums."
            ),
            "BALANCED": _W("账平", "Both agree."),
            "UNBALANCED": _W(
                "不平",
                "They differ.",
                "请上传明细定位差异，按提示更正后重新对账。",
                "State each settlement, put right what differs, and compare again.",
            ),
        },
    ),
    MismatchKind: (
        "In what a settlement differs.",
        {
            "ONLY_HERE": _W(
                "医保已结算，机构未记账；请补记，或撤销该结算",
                "It stands here alone: take it over, or take it back.",
            ),
            "ONLY_THERE": _W(
                "机构已记账，医保没有；请在本地冲销后重新结算",
                "They alone have it: strike it there and settle anew.",
            ),
            "AMOUNT": _W("金额不一致，以医保为准，请更正本地记录", "Amounts differ; ours count."),
        },
    ),
    MismatchState: (
        "What became of a mismatch.",
        {
            "OPEN": _W("待处理", "Waits to be put right."),
            "GONE": _W("重新对账后已消除", "A later statement no longer has it."),
            "CLOSED": _W("已人工处理", "A person has seen to it."),
        },
    ),
    MismatchEvent: (
        "What happened to a mismatch.",
        {
            "VANISH": _W("重新对账后消除", "A later statement no longer had it."),
            "CLOSE": _W("人工处理", "A person saw to it."),
            "APPEAR_AGAIN": _W("再次出现", "A later statement had it again."),
        },
    ),
    StatementProblem: (
        "Why a day cannot be compared like this.",
        {
            one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
            for one in StatementProblem
        },
    ),
    DifferenceState: (
        "What became of a difference.",
        {
            "OPEN": _W("待人工处理", "A person sees to it."),
            "REPAIRED": _W("已按规则修复", "A rule saw to it."),
            "CLOSED": _W("已人工处理", "A person has seen to it."),
        },
    ),
    RefundRequestState: (
        "Where a request for a refund stands.",
        {
            "ASKED": _W(
                "已申请，等待机构答复",
                "Asked for; the institution is to answer.",
                "机构在承诺日期前答复；不需要可以撤回。",
                "It answers by the promised day; the request can be withdrawn.",
            ),
            "GRANTED": _W(
                "已同意，正在退回",
                "Granted; both halves go back.",
                "医保部分已恢复；现金按原路退回，或到窗口领取。",
                "Insurance is made good; cash goes back the way it came, or is at the window.",
            ),
            "DECLINED": _W(
                "机构未同意",
                "Declined.",
                "可补充理由再次申请，或用“投诉与建议”反映。",
                "Ask again with more reasons, or complain.",
            ),
            "WITHDRAWN": _W("已撤回", "Withdrawn."),
        },
    ),
    RefundProblem: (
        "Why a refund cannot be asked for.",
        {
            one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
            for one in RefundProblem
        },
    ),
    RatingReason: (
        "What a bad rating is about.",
        {
            "WAITING": _W("等候时间长", "Waiting took long."),
            "ATTITUDE": _W("服务态度", "How one was treated."),
            "NOT_EXPLAINED": _W("没有讲清楚", "Things were not explained."),
            "CHARGED_WRONG": _W("收费有疑问", "The charge is in doubt."),
            "NOT_IN_STOCK": _W("缺药或缺项目", "What was needed was not there."),
            "CODE_REFUSED": _W("拒绝扫码或不能结算", "The code was refused, or nothing settled."),
            "PRIVACY": _W("隐私保护", "Privacy was not kept."),
            "OTHER": _W("其他", "Something else, in words."),
        },
    ),
    RatingState: (
        "Where a rating stands.",
        {
            "GIVEN": _W("已评价", "Given."),
            "WAITING": _W("等待机构答复", "The institution is to answer."),
            "APPEALED": _W(
                "机构已申诉，经办正在核实", "The institution appealed; the agency decides."
            ),
            "STRUCK": _W("经核实不属实，不计入得分", "Found false; it does not count."),
            "ANSWERED": _W(
                "机构已答复",
                "The institution has answered.",
                "满意请确认；不满意可再提一次。",
                "Accept it, or open it once more.",
            ),
            "REOPENED": _W("已再次提出，等待答复", "Opened once more; to be answered."),
            "ANSWERED_AGAIN": _W("机构已再次答复", "Answered once more."),
            "CLOSED": _W("已办结", "Closed."),
        },
    ),
    RatingEvent: (
        "What happened to a rating.",
        {
            "ANSWER": _W("机构答复", "The institution answered."),
            "APPEAL": _W("机构申诉", "The institution says that it is false."),
            "UPHOLD": _W("经办裁定评价有效", "The agency finds that it stands."),
            "STRIKE": _W("经办裁定评价不实", "The agency finds that it is false."),
            "REOPEN": _W("再次提出", "It was opened once more."),
            "ACCEPT": _W("确认答复", "The answer was accepted."),
            "EXPIRE": _W("逾期未再提出，自动办结", "Nobody said anything more; closed."),
        },
    ),
    RatingProblem: (
        "Why a settlement cannot be rated like this.",
        {
            one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
            for one in RatingProblem
        },
    ),
    AgreementState: (
        "Where an agreement to collect by code stands.",
        {
            "ASKED": _W(
                "待签约或审核",
                "To be signed, or looked at by the bank.",
                "请在支付应用中完成签约；银行授信请等待审核结果。",
                "Sign it in the channel's app; a bank tells its decision.",
            ),
            "SIGNED": _W("已生效，亮码即可付个人部分", "In force: the code pays the cash too."),
            "DECLINED": _W(
                "未通过", "Not agreed.", "可换一种支付方式。", "Choose another way to pay."
            ),
            "ENDING": _W("已停用，正在通知支付机构", "Off; the channel is being told."),
            "ENDED": _W("已终止", "Ended."),
        },
    ),
    AgreementEvent: (
        "What happened to an agreement.",
        {
            "SIGN": _W("协议生效", "It was signed."),
            "DECLINE": _W("未通过", "It was not agreed."),
            "LAPSE": _W("未在时限内签约", "Nobody signed it in time."),
            "END": _W("本人解约", "Its holder ended it."),
            "END_THERE": _W("在支付机构处解约", "It was ended with the channel."),
            "NOTE_END": _W("支付机构已解约", "The channel knows of its end."),
        },
    ),
    AgreementProblem: (
        "Why an agreement cannot be had or changed like this.",
        {
            one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
            for one in AgreementProblem
        },
    ),
    RepaymentState: (
        "Where a repayment of credit stands.",
        {
            "ASKED": _W("银行正在扣款", "The bank is taking it."),
            "DONE": _W("已还款", "Paid back."),
            "FAILED": _W(
                "未成功",
                "It failed.",
                "请检查还款卡余额后重试。",
                "Look at the card and try again.",
            ),
        },
    ),
    RepaymentEvent: (
        "What happened to a repayment.",
        {
            "FINISH": _W("还款完成", "It was paid back."),
            "FAIL": _W("扣款未成功", "The bank could not take it."),
        },
    ),
    DebtPart: (
        "How much of a debt is paid.",
        {
            "DUE": _W("逾期部分或下一期", "What is overdue, else the next instalment."),
            "ALL": _W("全部", "All of it."),
        },
    ),
    Why: (
        "Why a payment came to nothing, or did not stay.",
        {
            "CANCELLED": _W("您取消了这笔支付", "It was cancelled."),
            "OUT_OF_TIME": _W("超过支付时限", "Nobody paid in time."),
            "CHANNEL_REFUSED": _W("支付渠道没有受理", "The channel did not take it."),
            "PAID_TOO_LATE": _W(
                "款项在关闭之后到达，全额退回", "Paid after it was closed; all of it goes back."
            ),
            "AMOUNT_DIFFERS": _W(
                "支付金额与账单不符，全额退回", "Another amount was paid; all of it goes back."
            ),
            "INSURANCE_REFUSED": _W(
                "医保未能结算，个人部分全额退回",
                "The insurance was not booked; the cash goes back.",
            ),
            "TAKEN_BACK": _W("机构撤销了结算", "The institution took the settlement back."),
            "PART_TAKEN_BACK": _W("机构退了其中一部分", "The institution took a part of it back."),
        },
    ),
}
