"""A settlement in plain sentences, for the screen and for reading aloud, each with its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from backend.kernel.errors import Locale
from backend.kernel.money import ZERO, Fen, yuan_text
from backend.people.contracts import BenefitStatus, Identity
from backend.rulebook.contracts import RuleRef
from backend.settlement.case import FilingKind
from backend.settlement.contracts import Outcome, PayerKind, StepKind, WorkingStep
from mobile_bff.wording import words


@dataclass(frozen=True)
class Sentence:
    """A sentence of the explanation, how it is read aloud, and the rule that it stands on."""

    step: StepKind | None
    payer: PayerKind | None
    text: str
    ref: RuleRef | None
    locale: Locale
    spoken: str = ""

    @property
    def speech(self) -> str:
        """Return the sentence without figures and signs that a voice stumbles over."""
        return self.spoken or _speakable(self.text, self.locale)


_ZH = {
    StepKind.IN_SCOPE: "医保可以计算的费用（政策范围内）是{amount}：{formula}。",
    StepKind.PACKAGE_STANDARD: "这次按病种或床日付费（{fact}），标准是{amount}：{formula}。",
    StepKind.PACKAGE_OWN: "按这个办法您负担{amount}：{formula}。",
    StepKind.AWAY_PREPAID: "{fact}异地就医，先由您负担{amount}：{formula}。",
    StepKind.DEDUCTIBLE_STANDARD: "起付标准：{formula}。",
    StepKind.DEDUCTIBLE_STEP_DOWN: "这是本年第{fact}次住院，起付标准降低：{formula}。",
    StepKind.DEDUCTIBLE_WAIVED: "符合免起付条件（{fact}），不收起付标准。",
    StepKind.DEDUCTIBLE_REFERRAL: "从{fact}转来，起付标准只补差额：{formula}。",
    StepKind.DEDUCTIBLE: "起付标准以内的{amount}由您负担。",
    StepKind.RATE: "超过起付标准的部分，按{formula}支付。",
    StepKind.RATE_AGE: "您{fact}岁，支付比例{formula}。",
    StepKind.RATE_AGE_YEARS: "按年龄增加支付比例：{formula}。",
    StepKind.RATE_FULL: "您{fact}岁，政策范围内全额支付。",
    StepKind.RATE_AWAY: "{fact}异地就医，支付比例{formula}。",
    StepKind.COST_LIMIT: "限额内还可以计算的费用是{amount}：{formula}。",
    StepKind.ENTITLED: "统筹基金支付{amount}：{formula}。",
    StepKind.FUND_LIMIT: "限额内统筹基金还可以支付{amount}：{formula}。",
    StepKind.YEAR_CAP: "年度封顶线以内还剩{amount}：{formula}。",
    StepKind.NO_BENEFIT: "统筹基金这次不支付{fact}。",
    StepKind.BASE: "{payer}按您剩下的负担{amount}计算：{formula}。",
    StepKind.THRESHOLD: "{payer}起付标准是{formula}元。",
    StepKind.TILT: "您是{fact}，享受倾斜支付：{formula}。",
    StepKind.BANDS: "超过的部分分段计算：{formula}。",
    StepKind.PAYER_LIMIT: "{payer}限额：{formula}。",
    StepKind.GIVEN: "{payer}告知支付{amount}。",
    StepKind.PAYS: "{payer}支付{amount}。",
}
_EN = {
    StepKind.IN_SCOPE: "Insurance counts {amount} (in scope): {formula}.",
    StepKind.PACKAGE_STANDARD: "A package or per-diem pays ({fact}); its standard is {amount}: {formula}.",
    StepKind.PACKAGE_OWN: "Your share of it is {amount}: {formula}.",
    StepKind.AWAY_PREPAID: "Care away ({fact}): you pay {amount} first: {formula}.",
    StepKind.DEDUCTIBLE_STANDARD: "The deductible: {formula}.",
    StepKind.DEDUCTIBLE_STEP_DOWN: "Stay number {fact} of the year lowers it: {formula}.",
    StepKind.DEDUCTIBLE_WAIVED: "No deductible is due ({fact}).",
    StepKind.DEDUCTIBLE_REFERRAL: "Referred from {fact}: only the difference is due: {formula}.",
    StepKind.DEDUCTIBLE: "You bear {amount} within the deductible.",
    StepKind.RATE: "Above the deductible the rate is {formula}.",
    StepKind.RATE_AGE: "At age {fact} the rate changes by {formula}.",
    StepKind.RATE_AGE_YEARS: "The rate rises with age: {formula}.",
    StepKind.RATE_FULL: "At age {fact} all that is in scope is paid.",
    StepKind.RATE_AWAY: "Care away ({fact}) changes the rate by {formula}.",
    StepKind.COST_LIMIT: "Within the limit {amount} can still count: {formula}.",
    StepKind.ENTITLED: "The pooling fund pays {amount}: {formula}.",
    StepKind.FUND_LIMIT: "Within its limit the fund can still pay {amount}: {formula}.",
    StepKind.YEAR_CAP: "Below the year's cap {amount} is left: {formula}.",
    StepKind.NO_BENEFIT: "The pooling fund pays nothing this time{fact}.",
    StepKind.BASE: "{payer}: reckoned on the {amount} that is left to you: {formula}.",
    StepKind.THRESHOLD: "{payer}: the threshold is CNY {formula}.",
    StepKind.TILT: "Better terms for {fact}: {formula}.",
    StepKind.BANDS: "What lies above it, by bands: {formula}.",
    StepKind.PAYER_LIMIT: "{payer}: the limit is {formula}.",
    StepKind.GIVEN: "{payer}: states that it pays {amount}.",
    StepKind.PAYS: "{payer}: pays {amount}.",
}
_UNKNOWN_CAP = {
    Locale.ZH: "封顶线的官方数额尚未录入，暂不封顶。",
    Locale.EN: "The official amount of the cap is not loaded yet; none is applied.",
}
_NOTHING = {
    StepKind.BANDS: {
        Locale.ZH: "剩下的负担没有超过起付标准。",
        Locale.EN: "What is left does not exceed the threshold.",
    },
    StepKind.THRESHOLD: {
        Locale.ZH: "{payer}不设起付标准。",
        Locale.EN: "{payer}: there is no threshold.",
    },
}
_LIFTED = {Locale.ZH: "取消封顶线", Locale.EN: "no limit"}
_PLACES = {
    "LEVEL_3": ("三级医院", "a level-3 hospital"),
    "LEVEL_2": ("二级医院", "a level-2 hospital"),
    "LEVEL_1": ("一级医院", "a level-1 hospital"),
    "LEVEL_0": ("社区或乡镇机构", "a community or township clinic"),
}
DISEASES = {
    "HYPERTENSION": ("高血压", "high blood pressure"),
    "DIABETES": ("糖尿病", "diabetes"),
    "HYPERTENSION_AND_DIABETES": ("高血压和糖尿病", "high blood pressure and diabetes"),
    "CANCER_TREATMENT": ("恶性肿瘤治疗", "treatment of cancer"),
    "RENAL_DIALYSIS": ("肾透析", "renal dialysis"),
    "TRANSPLANT": ("器官移植", "transplantation"),
    "ANTI_REJECTION": ("移植抗排异", "anti-rejection treatment"),
    "LEUKAEMIA": ("白血病", "leukaemia"),
    "APLASTIC_ANAEMIA": ("再生障碍性贫血", "aplastic anaemia"),
    "PSYCHOSIS": ("精神病", "psychosis"),
    "AIDS": ("艾滋病", "AIDS"),
    "HAEMOPHILIA": ("血友病", "haemophilia"),
    "HEPATITIS_B_CIRRHOSIS": ("乙肝肝硬化", "cirrhosis from hepatitis B"),
    "COPD": ("慢阻肺", "COPD"),
    "RHEUMATOID_ARTHRITIS": ("类风湿关节炎", "rheumatoid arthritis"),
    "CORONARY_DISEASE": ("冠心病", "coronary disease"),
    "VIRAL_HEPATITIS": ("病毒性肝炎", "viral hepatitis"),
    "ANKYLOSING_SPONDYLITIS": ("强直性脊柱炎", "ankylosing spondylitis"),
}


def disease_name(code: str, locale: Locale) -> str:
    """Return the name of a listed disease, its code where it has none."""
    zh, en = DISEASES.get(code, (code, code))
    return zh if locale is Locale.ZH else en


def explain(outcome: Outcome, locale: Locale) -> list[Sentence]:
    """Return the working in sentences: what counts, who pays what and why, and what is left."""
    sentences = [_sentence(step, outcome, locale) for step in outcome.steps]
    return [*sentences, *_own_costs(outcome, locale), _left_to_pay(outcome, locale)]


def summary(outcome: Outcome, locale: Locale) -> str:
    """Return the result in one sentence: every payer with its amount."""
    zh = locale is Locale.ZH
    paid = [
        f"{payer_name(share.payer, locale)}{'支付' if zh else ' '}{_money(share.amount_fen, locale)}"
        for share in outcome.shares
    ]
    total = _money(outcome.total_fen, locale)
    if zh:
        return f"总费用{total}，{'，'.join(paid)}。"
    return f"Of {total}: {', '.join(paid)}."


def payer_name(payer: PayerKind, locale: Locale) -> str:
    """Return what a payer is called."""
    text = words(payer).text(locale)
    return text if locale is Locale.ZH else re.sub(r" \([^()]*\)\.$", "", text)


def _sentence(step: WorkingStep, outcome: Outcome, locale: Locale) -> Sentence:
    zh = locale is Locale.ZH
    if step.kind in (StepKind.YEAR_CAP, StepKind.FUND_LIMIT) and step.amount_fen is None:
        text = _UNKNOWN_CAP[locale]
        return Sentence(step.kind, step.payer, text, step.ref, locale)
    if step.formula == "0.00" and step.kind in _NOTHING:
        text = _NOTHING[step.kind][locale].format(payer=payer_name(step.payer, locale))
        return Sentence(step.kind, step.payer, text, step.ref, locale)
    payer = payer_name(step.payer, locale)
    if step.payer is PayerKind.COMMERCIAL and zh:
        payer = f"{payer}（{step.ref.document}）"
    fact = _fact(step, outcome, locale)
    template = (_ZH if zh else _EN)[step.kind]
    formula = step.formula or _LIFTED[locale]
    amount = _money(step.amount_fen or ZERO, locale)
    text = template.format(payer=payer, fact=fact, formula=formula, amount=amount)
    spoken = template.split("：{formula}" if zh else ": {formula}")[0].rstrip("。.")
    if spoken == template.rstrip("。.") or "{amount}" not in spoken:
        return Sentence(step.kind, step.payer, text, step.ref, locale)
    spoken = spoken.format(payer=payer, fact=fact, amount=amount) + ("。" if zh else ".")
    return Sentence(step.kind, step.payer, text, step.ref, locale, spoken)


def _fact(step: WorkingStep, outcome: Outcome, locale: Locale) -> str:
    zh = locale is Locale.ZH
    if step.kind is StepKind.NO_BENEFIT:
        reason = next((p.no_benefit_reason for p in outcome.parts if p.no_benefit_reason), None)
        said = words(reason).text(locale).rstrip(".") if reason else ""
        return f"：{said}" if zh and said else f": {said}" if said else ""
    for kind in (FilingKind, Identity, BenefitStatus):
        if step.fact in kind.__members__ and _speaks_of(step.kind, kind):
            return words(kind(step.fact)).text(locale).rstrip(".")
    for table in (_PLACES, DISEASES):
        if step.fact in table:
            return table[step.fact][0 if zh else 1]
    return step.fact


def _speaks_of(step: StepKind, kind: type[Enum]) -> bool:
    away = step in (StepKind.RATE_AWAY, StepKind.AWAY_PREPAID)
    return away if kind is FilingKind else not away


def _own_costs(outcome: Outcome, locale: Locale) -> list[Sentence]:
    """Return what no payer counts, so that nobody wonders where the rest of the bill went."""
    zh = locale is Locale.ZH
    found = []
    for amount, said in (
        (outcome.prepaid_share_fen, ("乙类项目先自付", "prepaid share of class 乙")),
        (outcome.over_limit_fen, ("超过限价的部分", "above price limits")),
        (outcome.full_self_pay_fen, ("目录外或超出限定范围的自费", "outside the catalogue")),
    ):
        if amount:
            what = said[0 if zh else 1]
            text = (
                f"另有{what}{_money(amount, locale)}。"
                if zh
                else (f"Besides: {what}, {_money(amount, locale)}.")
            )
            found.append(Sentence(None, PayerKind.CASH, text, None, locale))
    return found


def _left_to_pay(outcome: Outcome, locale: Locale) -> Sentence:
    account = Fen(outcome.account_fen + outcome.family_fen)
    cash, total = _money(outcome.cash_fen, locale), Fen(account + outcome.cash_fen)
    if locale is Locale.ZH:
        text = f"您一共负担{_money(total, locale)}：个人账户{_money(account, locale)}，现金{cash}。"
    else:
        text = (
            f"Your part is {_money(total, locale)}: "
            f"{_money(account, locale)} from accounts and {cash} in cash."
        )
    return Sentence(None, PayerKind.CASH, text, outcome.account_ref, locale)


def _money(amount: Fen, locale: Locale) -> str:
    yuan = yuan_text(amount)
    return f"{yuan}元" if locale is Locale.ZH else f"CNY {yuan}"


def _speakable(text: str, locale: Locale) -> str:
    """Return a sentence without signs that a voice stumbles over."""
    zh = locale is Locale.ZH
    for sign, said in (
        (" × ", ("乘", " times ")),
        (" - ", ("减", " minus ")),
        (" + ", ("加", " plus ")),
        (" = ", ("等于", " is ")),
        (" / ", ("、", ", ")),
        ("+", ("增加", "plus ")),
    ):
        text = text.replace(sign, said[0 if zh else 1])
    return re.sub(r"(?<!\d)-(?=\d)", "减少" if zh else "minus ", text)
