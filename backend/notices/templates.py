"""Every notice there is: what it is about, whether it can wait, and its words in both languages.

The SMS gateway keeps the same templates by their names, as gateways must; inbox, push and voice take these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.kernel.money import Fen, yuan_text
from backend.notices.contracts import NoticeTopic

_S, _M = NoticeTopic.SECURITY, NoticeTopic.MONEY
_C, _A = NoticeTopic.CARE, NoticeTopic.AFFAIRS


@dataclass(frozen=True)
class Template:
    """A notice's words. ``urgent``: it leaves in the quiet hours too."""

    topic: NoticeTopic
    urgent: bool
    title_zh: str
    zh: str
    title_en: str
    en: str


@dataclass(frozen=True)
class Rendered:
    """A notice in words; pairs of Chinese and English."""

    title: tuple[str, str]
    text: tuple[str, str]


def render(kind: str, facts: Mapping[str, object]) -> Rendered:
    """Return a notice in words. Raises ``KeyError`` where a template or a fact of it is missing."""
    template = TEMPLATES[kind]
    shown = {name: _shown(name, value) for name, value in facts.items()}
    action = ACTIONS.get(str(facts.get("action")), ("", ""))
    zh = template.zh.format(**{**shown, "action": action[0]})
    en = template.en.format(**{**shown, "action": action[1]})
    return Rendered((template.title_zh, template.title_en), (zh, en))


def _shown(name: str, value: object) -> str:
    return yuan_text(Fen(int(str(value)))) if name.endswith("_fen") else str(value)


ACTIONS: Mapping[str, tuple[str, str]] = {
    "VIEW_RIGHTS": ("查看了您的医保权益", "looked at your insurance"),
    "SHOW_CODE": ("出示了您的医保码", "showed your code"),
    "DECIDE_BILL": ("为您确认或拒绝了一笔结算", "confirmed or refused a bill for you"),
    "SET_PAYMENT_RULES": ("修改了您的支付设置", "changed your payment settings"),
    "FILE": ("为您办理了一项业务", "filed something for you"),
    "BOOK": ("为您预约或取消了挂号", "booked or cancelled for you"),
}


def _safe(title_zh: str, zh: str, title_en: str, en: str) -> Template:
    return Template(_S, True, title_zh, zh, title_en, en)


def _money(title_zh: str, zh: str, title_en: str, en: str, urgent: bool = True) -> Template:
    return Template(_M, urgent, title_zh, zh, title_en, en)


def _care(title_zh: str, zh: str, title_en: str, en: str, urgent: bool = False) -> Template:
    return Template(_C, urgent, title_zh, zh, title_en, en)


def _affair(title_zh: str, zh: str, title_en: str, en: str) -> Template:
    return Template(_A, False, title_zh, zh, title_en, en)


_NOT_YOU_ZH = "如非本人操作，请立即冻结账户或拨打12393。"
_NOT_YOU_EN = "If this was not you, freeze the account or call 12393."
_APPOINTMENT_ZH = "{department}{doctor}，{at}，{number}号"
_APPOINTMENT_EN = "{department} {doctor}, {at}, number {number}"

TEMPLATES: Mapping[str, Template] = {
    "payment_password_set": _safe(
        "支付密码已设置", f"您的支付密码已设置。{_NOT_YOU_ZH}",
        "Payment password set", f"Your payment password was set. {_NOT_YOU_EN}",
    ),
    "payment_password_locked": _safe(
        "支付密码已锁定", f"支付密码多次输错，已暂时锁定。{_NOT_YOU_ZH}",
        "Payment password locked", f"It was entered wrongly too often. {_NOT_YOU_EN}",
    ),
    "account_frozen": _safe(
        "账户已冻结", "您的账户已冻结，不能用码支付。解冻请在手机上验证身份或到窗口办理。",
        "Account frozen", "Nothing can be paid by your code until you lift the freeze.",
    ),
    "account_unfrozen": _safe(
        "账户已解冻", f"您的账户已解冻。{_NOT_YOU_ZH}",
        "Account unfrozen", f"The freeze was lifted. {_NOT_YOU_EN}",
    ),
    "passkey_added": _safe(
        "新增通行密钥", f"您的账户新增了一把通行密钥。{_NOT_YOU_ZH}",
        "Passkey added", f"A passkey was added to your account. {_NOT_YOU_EN}",
    ),
    "passkey_removed": _safe(
        "通行密钥已移除", f"您账户的一把通行密钥已移除。{_NOT_YOU_ZH}",
        "Passkey removed", f"A passkey was removed from your account. {_NOT_YOU_EN}",
    ),
    "face_enrolled": _safe(
        "人脸已登记", f"您的人脸已登记，可用于验证。{_NOT_YOU_ZH}",
        "Face enrolled", f"Your face can be used to prove who you are. {_NOT_YOU_EN}",
    ),
    "face_removed": _safe(
        "人脸已删除", "您登记的人脸已删除。", "Face removed", "Your enrolled face was removed.",
    ),
    "phone_changed": _safe(
        "手机号已更换", f"这个号码现在用于登录您的账户。{_NOT_YOU_ZH}",
        "Phone changed", f"This number now signs you in. {_NOT_YOU_EN}",
    ),
    "printed_code_made": _safe(
        "纸质身份码已生成", f"为您生成了一张纸质身份码，只证明身份，不能付钱。{_NOT_YOU_ZH}",
        "Printed code made", f"A printed identity code was made; it pays nothing. {_NOT_YOU_EN}",
    ),
    "binding_requested": _safe(
        "亲情账户申请", "{who}申请为您代办医保业务，请在手机上同意或拒绝。",
        "A relative asks", "{who} asks to act for you. Agree or refuse on your phone.",
    ),
    "binding_bind": _safe(
        "亲情账户已绑定", f"亲情账户已绑定。{_NOT_YOU_ZH}",
        "Relative bound", f"A relative was bound. {_NOT_YOU_EN}",
    ),
    "binding_pay": _safe(
        "亲情账户可代付", f"亲情账户已开通代付。{_NOT_YOU_ZH}",
        "Relative may pay", f"A relative may now pay within the limit. {_NOT_YOU_EN}",
    ),
    "binding_renew": _safe(
        "亲情账户已续期", f"亲情账户已续期。{_NOT_YOU_ZH}",
        "Binding renewed", f"A relative's binding was renewed. {_NOT_YOU_EN}",
    ),
    "binding_ended": _safe(
        "亲情账户已解除", "亲情账户已解除。", "Binding ended", "A relative's binding has ended.",
    ),
    "relative_acted": _safe(
        "亲情账户操作", f"{{who}}{{action}}。{_NOT_YOU_ZH}",
        "A relative acted", f"{{who}} {{action}}. {_NOT_YOU_EN}",
    ),
    "card_lost": _safe(
        "社保卡已挂失", "您的社会保障卡已挂失，{until}前后有变化时会再通知。医保码仍可使用。",
        "Card reported lost", "Your card is reported lost ({until}). Your code still works.",
    ),
    "card_found": _safe(
        "社保卡已解挂", f"您的社会保障卡已恢复使用。{_NOT_YOU_ZH}",
        "Card works again", f"Your card works again. {_NOT_YOU_EN}",
    ),
    "card_reissued": _safe(
        "社保卡补办完成", "新的社会保障卡已可领取，旧卡作废。",
        "Card reissued", "A new card can be collected; the old one is void.",
    ),
    "paid": _money(
        "医保支付", f"您在{{where}}结算{{total_fen}}元，个人账户支付{{account_fen}}元。{_NOT_YOU_ZH}",
        "Paid", f"{{total_fen}} yuan at {{where}}, {{account_fen}} from your account. {_NOT_YOU_EN}",
    ),
    "family_paid": _money(
        "家庭共济支付", "您的个人账户为{who}在{where}的费用支付{amount_fen}元。如有疑问，请在手机上结束共济。",
        "Paid for a relative", "Your account paid {amount_fen} yuan for {who} at {where}. End the share if in doubt.",
    ),
    "payment_held": _money(
        "支付等待核查", "您在{where}的一笔支付触发监管规则，正在核查。如非本人购买，请在手机上拒绝。",
        "Payment held", "A payment at {where} is being looked at. Refuse it if it is not yours.",
    ),
    "payment_released": _money(
        "支付核查通过", "您在{where}的支付已核查无误，可以继续结算。",
        "Payment released", "Your payment at {where} was in order and can go on.",
    ),
    "payment_refused": _money(
        "支付已被拒绝", "您在{where}的一笔支付经核查不予结算，没有扣款。有异议请拨打12393。",
        "Payment refused", "A payment at {where} was refused; nothing was charged. Object at 12393.",
    ),
    "cash_returning": _money(
        "退款处理中", "支付{order}的{amount_fen}元正在退回，最迟{until}到账。",
        "Money is coming back", "{amount_fen} yuan of payment {order} is returned by {until}.",
    ),
    "cash_returned": _money(
        "退款到账", "支付{order}的{amount_fen}元已退回原支付方式。",
        "Money is back", "{amount_fen} yuan of payment {order} was returned.", urgent=False,
    ),
    "cash_return_failed": _money(
        "退款未成功", "支付{order}的{amount_fen}元退回未成功，已转人工处理，不会丢失。",
        "Return failed", "{amount_fen} yuan of payment {order} could not be returned; staff see to it.",
    ),
    "debt_paid": _money(
        "欠款已还", "您的先诊疗后付费欠款已还{amount_fen}元。",
        "Debt paid", "{amount_fen} yuan of your debt for care were paid.",
    ),
    "credit_repaid": _money(
        "信用就医已还款", "您的信用就医已还款{amount_fen}元。",
        "Credit paid back", "{amount_fen} yuan of your credit for care were paid back.",
    ),
    "credit_not_repaid": _money(
        "信用就医还款未成功", "信用就医还款{amount_fen}元未成功，请检查还款卡余额后重试。",
        "Not paid back", "Paying back {amount_fen} yuan failed; look at the card and try again.",
    ),
    "credit_overdue": _money(
        "信用就医已逾期", "您的信用就医有{amount_fen}元逾期未还，还清前不能再用；可在信用就医页面还款。",
        "Credit overdue", "{amount_fen} yuan of your credit are overdue; it pays nothing until they are paid back.",
    ),
    "credit_due": _money(
        "信用就医将到期", "您的信用就医有{amount_fen}元将于{due_on}到期。",
        "Credit due soon", "{amount_fen} yuan of your credit are due on {due_on}.", urgent=False,
    ),
    "refund_granted": _money(
        "退费申请已同意", "您的退费申请已同意，两部分款项的去向见退费页面。",
        "Refund granted", "Your refund was granted; follow both halves in the app.", urgent=False,
    ),
    "refund_declined": _money(
        "退费申请未同意", "您的退费申请未获同意，理由见退费页面。",
        "Refund declined", "Your refund was declined; the reason is in the app.", urgent=False,
    ),
    "transfer_sent": _money(
        "医保钱包转账", "一笔{amount_fen}元的转账等待您接收。",
        "Transfer waiting", "A transfer of {amount_fen} yuan waits for you.",
    ),
    "transfer_received": _money(
        "转账已接收", "{amount_fen}元的转账已接收。",
        "Transfer received", "A transfer of {amount_fen} yuan was received.",
    ),
    "transfer_returned": _money(
        "转账已退回", "{amount_fen}元的转账已退回。",
        "Transfer returned", "A transfer of {amount_fen} yuan went back.",
    ),
    "share_given": _money(
        "家庭共济已开通", f"家庭共济已开通。{_NOT_YOU_ZH}",
        "Family sharing began", f"Family sharing began. {_NOT_YOU_EN}",
    ),
    "agreement_signed": _money(
        "免密支付已开通", "免密支付协议已生效，结算时个人部分随码扣款，可随时调整限额或解约。",
        "Paying by code is on", "Your cash is collected with the code now; change limits or end it any time.",
    ),
    "agreement_declined": _money(
        "免密支付未开通", "免密支付或信用就医申请未通过，可换一种方式。",
        "Not agreed", "The channel or bank did not agree; choose another way.",
    ),
    "agreement_lapsed": _money(
        "免密支付未开通", "签约未在时限内完成，申请已失效，可重新申请。",
        "Not signed in time", "It was not signed in time; ask again if you want it.", urgent=False,
    ),
    "agreement_ended": _money(
        "免密支付已终止", "免密支付协议已终止，不再扣款。",
        "Paying by code is off", "The agreement has ended; nothing is collected by it any more.",
    ),
    "share_ended": _money(
        "家庭共济已结束", "家庭共济已结束。", "Family sharing ended", "Family sharing has ended.",
    ),
    "instalment_due": _money(
        "分期即将到期", "先诊疗后付费的{amount_fen}元将于{due_on}到期。",
        "Instalment due", "{amount_fen} yuan are due on {due_on}.", urgent=False,
    ),
    "instalment_missed": _money(
        "分期已逾期", "先诊疗后付费有{overdue_fen}元逾期，请尽快缴清或申请延期、提出异议。",
        "Instalment missed", "{overdue_fen} yuan are overdue. Pay, or object.", urgent=False,
    ),
    "instalment_paid": _money(
        "分期已收到", "已收到{amount_fen}元，还有{open_fen}元未还。",
        "Instalment paid", "{amount_fen} yuan were received; {open_fen} are open.", urgent=False,
    ),
    "debt_answered": _money(
        "异议已答复", "您对欠费的异议已答复，未还{open_fen}元。",
        "Objection answered", "Your objection was answered; {open_fen} yuan are open.", urgent=False,
    ),
    "debt_listed": _money(
        "已列入逾期名单", "您有{open_fen}元欠费未处理，已列入名单，缴清后即移出。急诊不受影响。",
        "On the default list", "{open_fen} yuan are open; paying takes you off. Emergencies are exempt.",
        urgent=False,
    ),
    "contribution_paid": _money(
        "缴费成功", "{year}年度的缴费已入账。{from}",
        "Contribution paid", "The contribution of {year} is booked. {from}", urgent=False,
    ),
    "contribution_repaid": _money(
        "补缴成功", "{year}年度的补缴已入账。{from}",
        "Paid back", "The missed year {year} is paid. {from}", urgent=False,
    ),
    "appointment_booked": _care(
        "预约成功", _APPOINTMENT_ZH + "。", "Booked", _APPOINTMENT_EN + ".",
    ),
    "appointment_cancelled": _care(
        "预约已取消", _APPOINTMENT_ZH + "已取消。", "Cancelled", _APPOINTMENT_EN + " is cancelled.",
    ),
    "appointment_lapsed": _care(
        "预约已释放", _APPOINTMENT_ZH + "未在时限内付费或取号，已释放。",
        "Lapsed", _APPOINTMENT_EN + " was not paid or taken up in time.",
    ),
    "appointment_missed": _care(
        "预约爽约", _APPOINTMENT_ZH + "未就诊。多次爽约会暂停预约。",
        "Missed", _APPOINTMENT_EN + " was missed. Missing too many pauses booking.",
    ),
    "appointment_soon": _care(
        "就诊提醒", _APPOINTMENT_ZH + "，请按时就诊。", "Soon", _APPOINTMENT_EN + " is soon.",
    ),
    "clinic_stopped": _care(
        "医生停诊", _APPOINTMENT_ZH + "停诊：{reason}。费用自动退回，请改约。",
        "Clinic stopped", _APPOINTMENT_EN + " is stopped: {reason}. The fee goes back.", urgent=True,
    ),
    "clinic_changed": _care(
        "就诊安排变更", _APPOINTMENT_ZH + "有变更，地点{place}。",
        "Clinic changed", _APPOINTMENT_EN + " has changed; place: {place}.",
    ),
    "seat_offered": _care(
        "候补成功", _APPOINTMENT_ZH + "有号，请在{until}前确认。",
        "A seat is free", _APPOINTMENT_EN + ": confirm by {until}.", urgent=True,
    ),
    "fee_returned": _care(
        "挂号费已退", _APPOINTMENT_ZH + "的挂号费已退回。",
        "Fee returned", "The fee of " + _APPOINTMENT_EN + " was returned.",
    ),
    "fee_at_counter": _care(
        "挂号费请到窗口退", _APPOINTMENT_ZH + "的现金部分请到窗口领取。",
        "Fee at the counter", "Collect the cash of " + _APPOINTMENT_EN + " at the counter.",
    ),
    "prescription_signed": _care(
        "处方已开具", "{where}为您开具了处方{number}，可选择药店取药或配送。",
        "Prescription", "{where} signed prescription {number}. Choose a pharmacy.",
    ),
    "prescription_voided": _care(
        "处方已作废", "处方{number}已作废，请勿再用。",
        "Prescription void", "Prescription {number} is void.", urgent=True,
    ),
    "prescription_expired": _care(
        "处方已过期", "处方{number}已过有效期。", "Prescription expired", "Prescription {number} expired.",
    ),
    "prescription_refused": _care(
        "处方审核未通过", "处方{number}未通过药师审核，请联系医生。",
        "Prescription refused", "The pharmacist refused prescription {number}. Ask the doctor.",
    ),
    "prescription_ready": _care(
        "药品已备好", "处方{number}的药品在{where}已备好或已发出。",
        "Ready", "Prescription {number} is ready at or on its way from {where}.",
    ),
    "referred": _care(
        "转诊已开具", "已为您转诊到{institution}，{until}前有效。",
        "Referred", "You are referred to {institution}, valid until {until}.",
    ),
    "matter_submit": _affair(
        "申请已提交", "申请{number}已提交。", "Handed in", "Application {number} was handed in.",
    ),
    "matter_approve_at_once": _affair(
        "申请已通过", "申请{number}已即时通过。", "Approved", "Application {number} was approved at once.",
    ),
    "matter_ask": _affair(
        "请补正材料", "申请{number}需要补正：{words}", "More is needed", "Application {number}: {words}",
    ),
    "matter_approve": _affair(
        "申请已通过", "申请{number}已通过。{words}", "Approved", "Application {number}: approved. {words}",
    ),
    "matter_reject": _affair(
        "申请未通过", "申请{number}未通过：{words} 可以申诉一次。",
        "Rejected", "Application {number}: {words} It can be appealed once.",
    ),
    "matter_take_effect": _affair(
        "申请已生效", "申请{number}已生效。", "In force", "Application {number} has taken effect.",
    ),
    "matter_lapse": _affair(
        "申请已失效", "申请{number}因长时间未继续已失效，可重新申请。",
        "Lapsed", "Application {number} was not gone on with. File it again.",
    ),
    "matter_pay": _affair(
        "报销款已支付", "申请{number}的报销款已支付。", "Paid out", "The claim {number} was paid out.",
    ),
    "matter_pay_fail": _affair(
        "报销款未付成", "申请{number}的收款账户有误：{words} 请更正账户。",
        "Payout failed", "Claim {number}: {words} Correct the account.",
    ),
    "ticket_open": _affair(
        "问题已登记", "问题{number}已登记，有进展会通知您。", "Ticket opened", "Ticket {number} was opened.",
    ),
    "ticket_answer": _affair(
        "问题已答复", "问题{number}：{words}", "Ticket answered", "Ticket {number}: {words}",
    ),
    "ticket_escalate": _affair(
        "问题已升级", "问题{number}已升到第{level}级处理。", "Ticket escalated", "Ticket {number} is at level {level}.",
    ),
    "ticket_pass": _affair(
        "问题已转对方", "问题{number}已转由对方地区处理。", "Ticket passed on", "The other side has ticket {number}.",
    ),
    "rating_answered": _affair(
        "评价已答复", "您的评价已得到答复，不满意可再次反映一次。",
        "Rating answered", "Your rating was answered; you can reopen it once.",
    ),
    "rating_answered_again": _affair(
        "评价已再次答复", "您的评价已再次答复。", "Rating answered again", "Your rating was answered again.",
    ),
    "rating_struck": _affair(
        "评价不予计入", "您的一条评价经核实不予计入。", "Rating struck", "A rating of yours does not count.",
    ),
    "certificate_issued": _affair(
        "凭证已开具", "凭证{number}已开具，可下载。", "Certificate", "Certificate {number} was issued.",
    ),
    "filing_ends": _affair(
        "备案即将到期", "您在{area}的异地就医备案将于{ends}到期。",
        "Filing ends", "Your filing for {area} ends on {ends}.",
    ),
    "filing_upload_failed": _affair(
        "备案上传未成功", "您的备案已通过，但上传国家平台未成功，正在重试，暂请先确认再就医。",
        "Upload failed", "Your filing is approved but not uploaded yet; check before you travel.",
    ),
    "outage_ahead": _affair(
        "停机公告", "{area}{from}至{until}暂停服务。{instead}",
        "Outage ahead", "{area}: {from} to {until}. {instead}",
    ),
}  # fmt: skip
"""By kind. Words in braces are facts; a fact that ends in ``_fen`` is shown in yuan."""
