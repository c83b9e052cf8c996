"""Every word that the app shows for a state, a reason or a kind, in both languages.

The English text is also the description of the enum value in the schema.
"""

from __future__ import annotations

from enum import Enum

import strawberry

from backend.access.assurance import Proof
from backend.access.contracts import Action
from backend.catalogue.contracts import ItemClass, ItemKind, MatchState
from backend.codes.contracts import Authority, CodeKind, Purpose
from backend.identity.face_contracts import (
    FaceAction,
    FaceAdvice,
    FaceProblem,
    FacePurpose,
    PassiveCheck,
)
from backend.identity.safety_contracts import PasswordState
from backend.institutions.contracts import Ability, Agreement, InstitutionKind
from backend.kernel.errors import Locale, Retry
from backend.ledger.contracts import EntryKind
from backend.payments.contracts import BillState, ConfirmReason, Payer, PayerReason
from backend.payments.stay_contracts import StayState
from backend.people.contracts import (
    AccountKind,
    BenefitStatus,
    InsuranceType,
    NoticeBy,
    PersonKind,
)
from backend.people.document_contracts import DocumentKind
from backend.policies.contracts import Service
from backend.proxies.contracts import (
    BindingProblem,
    BindingState,
    ConsentKind,
    ConsentWay,
    Relation,
    Scope,
    Standing,
)
from backend.sharing.contracts import ShareStanding, SharingProblem, TransferState
from mobile_bff.alert_words import ALERT_WORDS
from mobile_bff.benefit_words import BENEFIT_WORDS
from mobile_bff.desk_words import DESK_WORDS
from mobile_bff.matter_words import MATTER_WORDS
from mobile_bff.notice_words import NOTICE_WORDS
from mobile_bff.payment_words import PAYMENT_WORDS
from mobile_bff.report_words import REPORT_WORDS
from mobile_bff.settlement_words import SETTLEMENT_WORDS
from mobile_bff.words import Words

_W = Words
WORDS: dict[type[Enum], tuple[str, dict[str, Words]]] = {
    Retry: (
        "What a program should do after a refusal.",
        {
            "SAME_REQUEST": _W("稍后用同一编号重试", "Repeat the same request with its key later."),
            "NEW_REQUEST": _W("处理后用新编号重试", "Act first, then send a new request."),
            "NEVER": _W("不必重试", "Do not try again; the answer will not change."),
        },
    ),
    Proof: (
        "A way to prove that one is who the session says.",
        {
            proof.name: _W(proof.text(Locale.ZH), f"{proof.text(Locale.EN).capitalize()}.")
            for proof in Proof
        },
    ),
    Relation: (
        "What a relative is to the person who acts for them.",
        {
            "SPOUSE": _W("配偶", "Spouse."),
            "PARENT": _W("父母", "Parent."),
            "CHILD": _W("子女", "Child."),
            "SIBLING": _W("兄弟姐妹", "Brother or sister."),
            "GRANDPARENT": _W("祖父母、外祖父母", "Grandparent."),
            "GRANDCHILD": _W("孙子女、外孙子女", "Grandchild."),
        },
    ),
    DocumentKind: (
        "Kind of a document that says who somebody is.",
        {
            "RESIDENT_ID": _W("居民身份证", "Resident identity card."),
            "HK_MACAO_TAIWAN_RESIDENCE": _W(
                "港澳台居民居住证", "Residence permit of Hong Kong, Macao and Taiwan residents."
            ),
            "PERMANENT_RESIDENCE": _W(
                "外国人永久居留身份证", "Permanent residence card of a foreigner."
            ),
            "HK_MACAO_PERMIT": _W(
                "港澳居民来往内地通行证", "Travel permit of Hong Kong and Macao residents."
            ),
            "TAIWAN_PERMIT": _W("台湾居民来往大陆通行证", "Travel permit of Taiwan residents."),
            "PASSPORT": _W("护照", "Passport."),
            "BIRTH_CERTIFICATE": _W(
                "出生医学证明",
                "Birth certificate.",
                "孩子落户后，请携户口本到经办窗口补登身份证号。",
                "Once the child has an ID number, bring the household register to a counter.",
            ),
        },
    ),
    Scope: (
        "What a relative may do.",
        {
            "VIEW_INFO": _W("查看参保和结算信息", "See enrolments, account and settlements."),
            "SHOW_CODE": _W("出示医保码", "Show the code."),
            "FILE": _W("代办备案", "File applications."),
            "CLAIM": _W("代办报销", "Hand in claims."),
            "BOOK": _W("代为预约", "Book appointments."),
            "PAY": _W("在额度内代付", "Pay up to a limit; consented to by itself."),
        },
    ),
    BindingState: (
        "State of a binding between relatives.",
        {
            "PENDING_CONSENT": _W(
                "等待本人同意",
                "Waits for consent.",
                "请本人在自己的手机上同意，或读出短信授权码，或携签字授权书到经办窗口。",
                "They consent on their phone, read out the code, or sign a paper at a counter.",
            ),
            "PENDING_REVIEW": _W(
                "等待窗口审核",
                "Waits for the desk.",
                "请携户口本和承诺书到经办窗口审核。",
                "Bring the household register and the promise to a counter.",
            ),
            "ACTIVE": _W("已生效", "In force, unless it ran out."),
            "REJECTED": _W("未同意", "Refused."),
            "REVOKED_BY_OWNER": _W("本人已解除", "Ended by the person."),
            "REVOKED_BY_DELEGATE": _W("代办人已解除", "Ended by the relative."),
            "ENDED_BY_AGENCY": _W("经办机构已解除", "Ended by the agency."),
        },
    ),
    Standing: (
        "Whether a binding can be used now, and why not.",
        {
            "IN_FORCE": _W("可以使用", "It can be used."),
            "NOT_ACTIVE": _W("尚未生效或已解除", "Not in force."),
            "RAN_OUT": _W(
                "已满一年，需要重新确认",
                "It ran out.",
                "请重新申请，并由本人同意。",
                "Ask again and let them consent.",
            ),
            "OWNER_CAME_OF_AGE": _W(
                "孩子已满16周岁，须本人同意",
                "The child is sixteen and consents for themselves.",
                "请重新申请，并由本人同意。",
                "Ask again and let them consent.",
            ),
            "OWNER_DIED": _W("本人已去世", "The person has died."),
            "OWNER_NOT_INSURED": _W("本人目前没有参保", "The person is not insured now."),
        },
    ),
    ConsentKind: (
        "What somebody consents to.",
        {
            "BIND": _W("同意绑定", "That a relative acts for them."),
            "PAY": _W("同意代付", "That a relative pays from their account, up to a limit."),
            "RENEW": _W("续期一年", "That it goes on for another year."),
        },
    ),
    ConsentWay: (
        "How consent was given; all are of equal rank.",
        {
            "OWN_SESSION": _W("本人在手机上同意", "On their own device."),
            "CODE_READ_OUT": _W("本人读出短信授权码", "By a code that they read out."),
            "PAPER": _W("窗口签字授权书", "By a signed paper at a counter."),
            "FACE": _W(
                "本人在亲属手机上刷脸同意", "By their own face, before the relative's device."
            ),
            "GUARDIAN": _W("监护人承诺和户籍材料", "A guardian's promise and household papers."),
        },
    ),
    BindingProblem: (
        "What is wrong with a request or a consent.",
        {
            problem.name: _W(problem.text(Locale.ZH), f"{problem.text(Locale.EN).capitalize()}.")
            for problem in BindingProblem
        },
    ),
    NoticeBy: (
        "How somebody wants to be told.",
        {
            "MESSAGE": _W("短信", "By text message."),
            "CALL": _W("电话播报", "By a call that reads it out."),
        },
    ),
    Action: (
        "What was done.",
        {
            "VIEW_RIGHTS": _W("查看了参保和结算信息", "Looked at enrolments, account or bills."),
            "SHOW_CODE": _W("出示了医保码", "Showed the code."),
            "DECIDE_BILL": _W("确认或支付了一笔结算", "Confirmed or paid a bill."),
            "SET_PAYMENT_RULES": _W("修改了支付安全设置", "Changed payment safety."),
            "FILE": _W("代办了一项申请", "Filed an application."),
            "BOOK": _W("代办了预约挂号", "Booked or cancelled an appointment."),
            "DECODE_CODE": _W("扫描了医保码", "Scanned a code."),
            "PRESENT_BILL": _W("提交了结算单", "Presented a bill."),
            "UPLOAD_ITEMS": _W("上传了目录", "Uploaded items."),
            "ANNOUNCE_OUTAGE": _W("发布了停机公告", "Announced an outage."),
            "PUBLISH_POLICY": _W("发布了政策文件", "Published policy documents."),
        },
    ),
    PasswordState: (
        "State of a payment password.",
        {
            "UNSET": _W(
                "未设置支付密码",
                "No payment password is set.",
                "请设置6位数字的支付密码。",
                "Set one of six digits.",
            ),
            "SET": _W("已设置支付密码", "A payment password is set."),
            "LOCKED": _W(
                "支付密码已锁定",
                "Locked for a while.",
                "请稍后再试，或用刷脸、通行密钥重置。",
                "Try again later, or reset it by face or passkey.",
            ),
            "BLOCKED": _W(
                "支付密码已停用",
                "Blocked.",
                "请用刷脸或通行密钥重置，或到经办窗口办理。",
                "Reset it by face or passkey, or at a counter.",
            ),
        },
    ),
    Purpose: (
        "What a code may be used for.",
        {
            "PHARMACY_PURCHASE": _W("药店购药", "Buying at a pharmacy (02121)."),
            "OUTPATIENT_SETTLEMENT": _W("门诊结算", "Settling outpatient care (01301)."),
            "HOSPITAL_ADMISSION": _W("入院登记", "Being admitted to hospital (01103)."),
        },
    ),
    ShareStanding: (
        "Whether a share of an account pays today.",
        {
            "IN_FORCE": _W("生效中", "Pays today."),
            "RESTS": _W("暂停（参保中断）", "Rests while an insurance is not in force."),
            "ENDED": _W("已结束", "Is over."),
        },
    ),
    SharingProblem: (
        "Which condition of sharing or transferring is not met.",
        {
            p.name: _W(p.text(Locale.ZH), f"{p.text(Locale.EN).capitalize()}.")
            for p in SharingProblem
        },
    ),
    TransferState: (
        "Where a transfer between wallets stands.",
        {
            "SENT": _W("待对方收取", "Waits to be taken."),
            "RECEIVED": _W("已收取", "Was taken."),
            "RETURNED": _W("已退回", "Went back."),
        },
    ),
    FaceAction: (
        "What to do before the camera. Left and right are the person's own.",
        {a.name: _W(a.text(Locale.ZH), f"{a.text(Locale.EN).capitalize()}.") for a in FaceAction},
    ),
    FaceProblem: (
        "Why a face check did not pass.",
        {p.name: _W(p.text(Locale.ZH), f"{p.text(Locale.EN).capitalize()}.") for p in FaceProblem},
    ),
    FaceAdvice: (
        "What to do before trying again.",
        {a.name: _W(a.text(Locale.ZH), f"{a.text(Locale.EN).capitalize()}.") for a in FaceAdvice},
    ),
    FacePurpose: (
        "What a face is shown for. A check for one purpose serves no other.",
        {
            "ENROL": _W("录入人脸", "Keep the template, so that the face counts."),
            "STEP_UP": _W("确认是本人", "Prove oneself on one's own device."),
            "CONSENT": _W("同意亲属代办", "Agree that a relative may act."),
            "TILL": _W("在窗口确认身份", "Be recognised at a terminal."),
        },
    ),
    PassiveCheck: (
        "What a model says that looks for prints and screens in a single picture.",
        {"NOT_AVAILABLE": _W("暂无", "There is no model worth having; nothing is claimed.")},
    ),
    CodeKind: (
        "Which of the world's codes a scanned text is.",
        {
            kind.name: _W(kind.text(Locale.ZH), f"{kind.text(Locale.EN).capitalize()}.")
            for kind in CodeKind
        },
    ),
    Authority: (
        "Who can say whose code it is.",
        {
            one.name: _W(one.text(Locale.ZH), f"{one.text(Locale.EN).capitalize()}.")
            for one in Authority
        },
    ),
    InstitutionKind: (
        "Kind of a designated institution.",
        {
            "HOSPITAL": _W("定点医疗机构", "A designated hospital or clinic."),
            "PHARMACY": _W("定点零售药店", "A designated retail pharmacy."),
        },
    ),
    Ability: (
        "What an institution is equipped and contracted for.",
        {
            "OUTPATIENT": _W("门诊", "Outpatient care."),
            "INPATIENT": _W("住院", "Inpatient care."),
            "CHRONIC_DISEASE": _W("门诊慢特病", "Outpatient care of chronic diseases."),
            "OUTPATIENT_POOLING": _W("门诊统筹", "The pooling fund pays here."),
            "DUAL_CHANNEL": _W("双通道", "Dual channel for negotiated drugs."),
            "EXTERNAL_PRESCRIPTION": _W("外配处方", "Fills prescriptions from outside."),
            "MOBILE_PAYMENT": _W("移动支付", "Takes mobile payment."),
            "FACE_CHECK": _W("刷脸", "Checks faces at the till."),
            "CAMPUS": _W("校医院", "First contact for students of its university."),
        },
    ),
    Agreement: (
        "State of the designation agreement.",
        {
            "OPEN": _W("正常", "In force."),
            "SUSPENDED": _W("暂停", "Suspended; it cannot settle."),
            "TERMINATED": _W("终止", "Ended; it cannot settle."),
        },
    ),
    ItemKind: (
        "Which catalogue an item stands in.",
        {
            "DRUG": _W("药品", "Drugs."),
            "TREATMENT": _W("诊疗项目", "Treatments."),
            "FACILITY": _W("服务设施", "Service facilities."),
            "MATERIAL": _W("医用耗材", "Medical consumables."),
        },
    ),
    ItemClass: (
        "Class of a catalogue item.",
        {
            "A": _W("甲类", "Class 甲: in scope whole."),
            "B": _W("乙类", "Class 乙: a share is prepaid by the patient, the rest in scope."),
            "C": _W("丙类（目录外）", "Outside the catalogue: paid by the patient."),
        },
    ),
    MatchState: (
        "Where an institution's own item stands in the matching.",
        {
            "MATCHED": _W("已对应", "Matched; bills may use the local code."),
            "QUEUED": _W("待人工核对", "A person decides."),
            "REFUSED": _W("无对应项目", "No national item is meant."),
        },
    ),
    InsuranceType: (
        "Type of insurance.",
        {
            "EMPLOYEE": _W("职工基本医疗保险", "Employees' basic insurance (310)."),
            "RESIDENT": _W("城乡居民基本医疗保险", "Residents' basic insurance (390)."),
        },
    ),
    PersonKind: (
        "Kind of an insured person.",
        {
            "ACTIVE": _W("在职", "An employee at work."),
            "RETIRED": _W("退休", "A retired employee."),
            "RESIDENT_ADULT": _W("成年居民", "An adult resident."),
            "STUDENT_OR_CHILD": _W("学生儿童", "A child or a pupil."),
            "UNIVERSITY_STUDENT": _W("大学生", "A university student."),
        },
    ),
    AccountKind: (
        "Whether an enrolment has a personal account.",
        {
            "COMBINED": _W("统账结合", "Pool and personal account."),
            "POOL_ONLY": _W("单建统筹", "Pool without a personal account."),
            "NONE": _W("无个人账户", "No personal account."),
        },
    ),
    BenefitStatus: (
        "Status of an enrolment on a day.",
        {
            "ACTIVE": _W("正常享受待遇", "Benefits are paid."),
            "SUSPENDED": _W(
                "暂停参保",
                "Suspended: the fund pays nothing.",
                "请通过单位或参保地经办机构补缴后恢复。",
                "Pay the arrears through the employer or the agency.",
            ),
            "WAITING": _W(
                "待遇等待期",
                "In the waiting period: the fund pays nothing yet.",
                "等待期满后自动恢复待遇。",
                "Benefits begin by themselves when the period ends.",
            ),
            "ENDED": _W(
                "终止参保",
                "Ended.",
                "请到参保地经办机构重新登记。",
                "Register anew with the agency.",
            ),
        },
    ),
    BillState: (
        "State of a bill.",
        {
            "PRESETTLED": _W("已预结算，可以结算", "Priced; it can be settled."),
            "AWAITING_CONFIRMATION": _W(
                "等待患者在手机上确认",
                "Waits for the patient's phone.",
                "请核对金额后点“确认”或“拒绝”。",
                "Check the amount, then confirm or refuse.",
            ),
            "CONFIRMED": _W("患者已确认，可以结算", "Confirmed by the patient; can be settled."),
            "LOCKED": _W(
                "医保已锁定，正在支付个人部分",
                "Insurance stands by while the patient's share is paid.",
                "请在手机上完成支付，或取消这笔支付。",
                "Finish the payment on the phone, or cancel it.",
            ),
            "REFUSED": _W("患者已拒绝", "Refused by the patient; nothing was charged."),
            "SUPERSEDED": _W("已被新的结算单替换", "Replaced by a newer bill."),
            "SETTLED": _W("已结算", "Settled."),
            "REVERSED": _W("已撤销", "Settled and taken back."),
        },
    ),
    ConfirmReason: (
        "Why a bill waits for the phone.",
        {
            reason.name: _W(reason.text(Locale.ZH), f"{reason.text(Locale.EN).capitalize()}.")
            for reason in ConfirmReason
        },
    ),
    Payer: (
        "Who can pay.",
        {
            "FUND": _W("统筹基金", "The pooling fund."),
            "ACCOUNT": _W("个人账户", "The patient's personal account."),
            "CASH": _W("现金", "Cash, or another way of paying at the till."),
        },
    ),
    StayState: (
        "States of a stay in hospital.",
        {
            "ADMITTED": _W(
                "在院",
                "In hospital.",
                "出院时由医院办理结算。",
                "The hospital settles at discharge.",
            ),
            "DISCHARGED": _W("已出院结算", "Discharged and settled."),
            "CANCELLED": _W("已撤销入院登记", "The admission was taken back."),
        },
    ),
    PayerReason: (
        "Why a payer can or cannot pay here.",
        {
            "USABLE": _W("可以支付", "It can pay here."),
            "STATUS": _W(
                "参保状态不享受统筹待遇", "The enrolment's status gives no benefit today."
            ),
            "BENEFITS_PAUSED": _W("先诊疗后付费欠费，待遇暂停", "Benefits are paused over a debt."),
            "NOT_PAID_AWAY": _W("参保地不支付此类异地就医", "Not paid away from home."),
            "NOT_POOLING_PLACE": _W("本机构未开通门诊统筹", "The pooling fund does not pay here."),
            "PLACE_NOT_COVERED": _W("该人群在此类机构没有统筹待遇", "No benefit at such a place."),
            "LIMIT_USED_UP": _W("本年度统筹限额已用完", "The year's limit is used up."),
            "NOT_INSURED": _W("没有可用的参保记录", "There is no enrolment."),
            "RULE_NOT_LOADED": _W("参保地规则尚未录入", "No rule of the insured area is loaded."),
            "NO_ACCOUNT": _W("没有个人账户", "The enrolment has no account."),
            "ACCOUNT_EMPTY": _W("个人账户余额为零", "The account is empty."),
        },
    ),
    EntryKind: (
        "Why a personal account moved.",
        {
            "CONTRIBUTION": _W("划入", "Credited."),
            "SETTLEMENT": _W("结算支付", "Paid for a bill."),
            "REVERSAL": _W("撤销退回", "Given back by a reversal."),
            "DEPOSIT": _W("住院预交金", "A deposit for a stay in hospital."),
            "INSTALMENT": _W("分期还款", "An instalment of a pay-later agreement."),
            "CLEARING": _W("清算", "Clearing between fund and institution."),
            "TRANSFER": _W("医保钱包转账", "A transfer between wallets."),
            "RELOCATION": _W("转移接续划转", "Moved along with the insurance."),
            "PAYOUT": _W("手工报销支付", "A claim paid out."),
            "CASH_PAID": _W("支付渠道收款", "Collected by a cash channel."),
            "CASH_RETURNED": _W("支付渠道退款", "Given back by a cash channel."),
            "MERGE": _W("档案合并转入", "From another record of the same person."),
        },
    ),
    Service: (
        "What an outage may take away.",
        {
            "PHARMACY_SETTLEMENT": _W("药店结算", "Settling at pharmacies."),
            "OUTPATIENT_SETTLEMENT": _W("门诊结算", "Settling outpatient care."),
            "INPATIENT_SETTLEMENT": _W("住院登记和结算", "Admission and settling stays."),
            "CODE": _W("亮码", "Showing codes."),
            "MATTERS": _W("经办业务办理", "Working on applications."),
        },
    ),
    **SETTLEMENT_WORDS,
    **PAYMENT_WORDS,
    **BENEFIT_WORDS,
    **REPORT_WORDS,
    **NOTICE_WORDS,
    **ALERT_WORDS,
    **DESK_WORDS,
    **MATTER_WORDS,
}


def words(value: Enum) -> Words:
    """Return the words for a value."""
    return WORDS[type(value)][1][value.name]


def _describe() -> None:
    """Register every enum with the schema, each value with its description."""
    for kind, (description, values) in WORDS.items():
        strawberry.enum(kind, description=description)
        definition = kind.__strawberry_definition__  # type: ignore[attr-defined]
        for value in definition.values:
            value.description = values[value.name].en


_describe()


@strawberry.type(description="A state in words, for the screen and for reading aloud.")
class Status:
    """What a state is called and what to do next."""

    code: str = strawberry.field(description="The state's code.")
    text: str = strawberry.field(description="A short text for the screen.")
    speech_text: str = strawberry.field(description="A full sentence for reading aloud.")
    next_action: str = strawberry.field(description="What to do next; empty if nothing.")


def status(value: Enum, locale: Locale) -> Status:
    """Return a state in words."""
    return said(value, words(value), locale)


def said(value: Enum, own: Words, locale: Locale) -> Status:
    """Return a state in words of its own."""
    text, following = own.text(locale), own.next_action(locale)
    stop = "。" if locale is Locale.ZH else " "
    speech = f"{text.rstrip('。.')}{stop}{following}".strip()
    return Status(code=value.name, text=text, speech_text=speech, next_action=following)
