"""Words for everything that appointments, prescriptions and debts can say, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.appointments.clinic_contracts import (
    ClinicKind,
    ClinicProblem,
    OnePer,
    RulesProblem,
)
from backend.appointments.contracts import (
    AppointmentEvent,
    AppointmentState,
    BarReason,
    RefundState,
    WaitingState,
)
from backend.credit.contracts import PayLaterState
from backend.kernel.errors import Locale
from backend.prescriptions.contracts import (
    PrescriptionEvent,
    PrescriptionProblem,
    PrescriptionState,
)
from mobile_bff.words import Words

_W = Words

BENEFIT_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    ClinicKind: (
        "What kind of clinic it is.",
        {
            "ORDINARY": _W("普通门诊", "An ordinary clinic."),
            "EXPERT": _W("专家门诊", "An expert's clinic."),
        },
    ),
    OnePer: (
        "What somebody may have one appointment a day for.",
        {
            "DEPARTMENT": _W("每科室一个", "A department."),
            "DOCTOR": _W("每医生一个", "A doctor."),
        },
    ),
    AppointmentState: (
        "Where an appointment stands.",
        {
            "HELD": _W(
                "已为您占号，等待支付或确认",
                "A seat is kept, to be paid or confirmed.",
                "请在限时内支付或确认，逾期自动释放；不需要请取消，让给别人。",
                "Pay or confirm in time, or cancel it for somebody else.",
            ),
            "BOOKED": _W(
                "预约成功",
                "Booked.",
                "请按时到院报到；不能去请在时限内取消。",
                "Be there in time, or cancel it in time.",
            ),
            "CHECKED_IN": _W(
                "已报到，等待就诊",
                "Checked in.",
                "请留意叫号。",
                "Listen for your number.",
            ),
            "SEEN": _W("已就诊", "Seen."),
            "CANCELLED": _W("已取消", "Cancelled."),
            "LAPSED": _W(
                "未在限时内支付或确认，已释放",
                "Neither paid nor confirmed in time.",
                "仍需要请重新预约。",
                "Book again if you still want one.",
            ),
            "STOPPED": _W(
                "医生停诊",
                "The clinic does not take place.",
                "已支付的费用自动退回，请另选时间。",
                "What was paid goes back by itself; choose another time.",
            ),
            "MISSED": _W(
                "未按时就诊",
                "Missed.",
                "如有特殊原因或记录有误，请向该院窗口说明。",
                "Tell the hospital's window of a reason, or of a mistake.",
            ),
        },
    ),
    AppointmentEvent: (
        "What happened to an appointment.",
        {
            "CONFIRM": _W("预约成功", "It was paid or confirmed."),
            "LAPSE": _W("占号到期释放", "Its time ran out."),
            "CANCEL": _W("取消", "It was cancelled."),
            "STOP": _W("停诊", "The clinic was stopped."),
            "ARRIVE": _W("报到", "The patient arrived."),
            "SEE": _W("就诊完成", "The patient was seen."),
            "MISS": _W("未按时就诊", "Nobody came."),
            "EXCUSE": _W("医院认可原因，不计爽约", "The hospital excused it."),
            "CORRECT": _W("医院更正为已就诊", "The patient was there after all."),
        },
    ),
    RefundState: (
        "What becomes of a fee that was paid.",
        {
            "NONE": _W("没有需要退回的费用", "Nothing goes back."),
            "DUE": _W(
                "挂号费正在退回",
                "The fee is on its way back.",
                "自动按原路退回；暂时退不了的写明原因并自动重试。",
                "It goes back the way it came; what stops it is said, and it is tried again.",
            ),
            "DONE": _W("挂号费已退", "The fee went back."),
            "AT_COUNTER": _W(
                "医保部分已退，现金请到医院窗口领取",
                "Insurance is made good; the window has the cash.",
                "请携带缴费凭条到医院收费窗口。",
                "Bring the receipt to the hospital's window.",
            ),
        },
    ),
    WaitingState: (
        "Where a place on a waiting list stands.",
        {
            "WAITING": _W("候补中", "Waiting."),
            "OFFERED": _W(
                "有号了，已为您占号",
                "A seat is kept for you.",
                "请在限时内支付或确认，逾期给下一位。",
                "Pay or confirm it in time; else it goes to the next.",
            ),
            "TAKEN": _W("候补成功", "Taken."),
            "PASSED": _W("未在限时内应答", "The offer passed."),
            "LEFT": _W("已退出候补", "Left."),
            "CLOSED": _W("候补已结束，没有等到号", "Closed without a seat."),
        },
    ),
    PayLaterState: (
        "Where an agreement to pay later stands.",
        {
            "SIGNED": _W("已签约，住院免押金", "Signed; in hospital without a deposit."),
            "OWING": _W(
                "已出院，按期还款",
                "Discharged; instalments are due.",
                "请按还款计划到医院窗口还款；有困难或有异议可在此提出。",
                "Pay at the hospital by the plan, or say here why not.",
            ),
            "OVERDUE": _W(
                "有逾期未还，已告知",
                "An instalment was missed.",
                "请尽快还款，或提出异议；答复前不会列入失信名单。",
                "Pay soon, or object; nothing is listed before an answer.",
            ),
            "DEFAULTED": _W(
                "已列入失信名单，待遇暂停（急诊除外）",
                "On the default list; benefits pause, emergencies excepted.",
                "还清欠款后立即恢复。",
                "Paying all of it ends that at once.",
            ),
            "PAID": _W("已还清", "Paid."),
            "CANCELLED": _W("已取消", "Cancelled."),
        },
    ),
    PrescriptionState: (
        "Where a prescription stands.",
        {
            "SIGNED": _W(
                "医生已开方，等您同意流转",
                "Signed; it waits for the patient's consent.",
                "同意后可选择药店；不同意的在医院取药。",
                "Consent and choose a pharmacy, or have it filled at the hospital.",
            ),
            "VALID": _W(
                "可以取药",
                "It can be filled.",
                "请在有效期内到所选药店，或出示医保码请药店承接。",
                "Go to the pharmacy that was chosen, or show the code at any other, in time.",
            ),
            "LOCKED": _W(
                "药店已承接，药师审方中", "A pharmacy has it; its pharmacist looks at it."
            ),
            "AUDITED": _W(
                "审方通过，等待支付",
                "Passed; it can be paid.",
                "请在限时内支付，逾期药店释放。",
                "Pay in time, or the pharmacy lets it go.",
            ),
            "SETTLED": _W("已支付，等待取药或配送", "Paid; to be picked up or brought."),
            "PICKED_UP": _W("已取药", "Picked up."),
            "DELIVERED": _W("已配送", "Brought."),
            "REFUSED": _W(
                "药师审方不通过",
                "The pharmacist refused it.",
                "请联系医生调整处方。",
                "Ask the doctor to change it.",
            ),
            "DECLINED": _W("您未同意流转", "It did not leave the hospital."),
            "VOIDED": _W(
                "医院已作废", "Voided by the hospital.", "需要用药请咨询医生。", "Ask the doctor."
            ),
            "EXPIRED": _W("已过期", "It ran out.", "需要用药请重新就诊。", "See the doctor again."),
        },
    ),
    PrescriptionEvent: (
        "What happened to a prescription.",
        {
            "CONSENT": _W("同意流转", "The patient let it leave the hospital."),
            "DECLINE": _W("不同意流转", "The patient kept it at the hospital."),
            "LOCK": _W("药店承接", "A pharmacy locked it."),
            "RELEASE": _W("药店释放", "The pharmacy let it go."),
            "CLEAR": _W("审方通过", "The pharmacist passed it."),
            "OBJECT": _W("审方不通过", "The pharmacist refused it."),
            "SETTLE": _W("支付完成", "It was paid."),
            "TAKE_BACK": _W("结算撤销", "Its settlement was taken back."),
            "PICK_UP": _W("取药", "The drugs were picked up."),
            "DELIVER": _W("配送", "The drugs were brought."),
            "NEXT_FILL": _W("本次已取，等待下次", "A part was handed over; the next is to come."),
            "VOID": _W("作废", "The hospital voided it."),
            "EXPIRE": _W("过期", "It ran out."),
        },
    ),
    **{
        kind: (
            about,
            {
                one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
                for one in kind
            },
        )
        for kind, about in (
            (BarReason, "Why somebody cannot book for a while."),
            (RulesProblem, "What is wrong with rules of booking."),
            (ClinicProblem, "What is wrong with a clinic as it was published."),
            (PrescriptionProblem, "Why a prescription cannot be taken like this."),
        )
    },
}
