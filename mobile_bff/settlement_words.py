"""Words for everything that a settlement can say, in both languages."""

from __future__ import annotations

from enum import Enum

from backend.people.contracts import Identity
from backend.settlement.case import CapitatedCare, CareKind, FilingKind, Route
from backend.settlement.contracts import (
    LineReason,
    NoBenefitReason,
    PartKind,
    PayerKind,
    SettlementKind,
    StepKind,
)
from mobile_bff.words import Words

_W = Words

SETTLEMENT_WORDS: dict[type[Enum], tuple[str, dict[str, _W]]] = {
    LineReason: (
        "Why a line counts as it does.",
        {
            "IN_SCOPE": _W("甲类，全额纳入报销范围", "Class 甲: in scope whole."),
            "PREPAID_SHARE_FIRST": _W("乙类，先自付一部分", "Class 乙: a share is prepaid first."),
            "OUT_OF_SCOPE": _W("不在医保目录内，全部自费", "Outside the catalogue: self-paid."),
            "RESTRICTION_NOT_MET": _W(
                "超出限定支付范围，全部自费", "Outside the item's restricted indication: self-paid."
            ),
            "IN_PACKAGE": _W("包含在病种或床日付费内", "Part of a package or a per-diem."),
            "TAKEN_BACK": _W("已退费", "Taken back; nothing of it counts."),
        },
    ),
    PartKind: (
        "What a part of a bill is.",
        {
            "FULL_SELF_PAY": _W("目录外全自费", "Outside the catalogue (fulamt_ownpay_amt)."),
            "OVER_LIMIT": _W("超过医保限价", "Above the price limit (overlmt_selfpay)."),
            "PREPAID_SHARE": _W("乙类先行自付", "Prepaid share of class 乙 (preselfpay_amt)."),
            "AWAY_PREPAID": _W("异地就医先行自付", "Paid first for care away from home."),
            "NO_FUND_BENEFIT": _W("统筹基金不支付", "In scope, but the fund pays nothing here."),
            "DEDUCTIBLE": _W("起付标准以内", "Within the deductible (act_pay_dedc)."),
            "FUND_SHARE": _W("统筹基金按比例支付", "Paid by the pooling fund (hifp_pay)."),
            "OWN_SHARE": _W("按比例个人负担", "The patient's own share."),
            "ABOVE_FUND_LIMIT": _W("超过统筹限额", "Above a limit of the fund."),
            "ABOVE_PACKAGE": _W("超过病种或床日标准", "Above the package; borne by the hospital."),
        },
    ),
    NoBenefitReason: (
        "Why the fund pays nothing.",
        {
            "STATUS": _W("就医当日参保状态不享受统筹待遇", "The status on the day of service."),
            "BENEFITS_PAUSED": _W(
                "先诊疗后付费欠费未还清，统筹待遇暂停（急诊除外）",
                "Benefits are paused until a pay-later debt is paid; emergencies are exempt.",
            ),
            "NOT_POOLING_PLACE": _W(
                "本机构未开通门诊统筹", "The place is not in the pooling scheme."
            ),
            "PLACE_NOT_COVERED": _W("该人群在此类机构没有统筹待遇", "No benefit at such a place."),
            "NOT_PAID_AWAY": _W(
                "参保地不支付此类异地就医", "The insured area pays no such care away."
            ),
            "DISEASE_NOT_LISTED": _W("不在门诊慢特病病种范围内", "The disease is not on the list."),
            "SELF_REFERRED": _W(
                "按人头付费签约患者自行到其他医院就医",
                "Elsewhere of one's own accord while under a capitation agreement.",
            ),
        },
    ),
    PayerKind: (
        "Who pays.",
        {
            "BASIC": _W("基本医保统筹基金", "Pooling fund of basic insurance (hifp_pay)."),
            "CRITICAL_ILLNESS": _W("大病保险", "Critical-illness insurance (hifmi_pay)."),
            "LARGE_AMOUNT": _W("大病医疗互助（大额补助）", "Large-amount aid (hifob_pay)."),
            "CIVIL_SERVANT": _W("公务员医疗补助", "Civil servants' subsidy (cvlserv_pay)."),
            "ENTERPRISE": _W("企业补充医疗保险", "Enterprise supplement (hifes_pay)."),
            "MEDICAL_AID": _W("医疗救助", "Medical aid (maf_pay)."),
            "COMMERCIAL": _W("商业补充保险", "Commercial supplement (oth_pay)."),
            "OTHER_FUND": _W("其他基金", "Another fund (oth_pay)."),
            "HOSPITAL": _W("医院承担", "Borne by the hospital (hosp_part_amt)."),
            "ACCOUNT": _W("个人账户", "The patient's own account (acct_pay)."),
            "FAMILY_ACCOUNT": _W("家庭共济账户", "A relative's account (acct_mulaid_pay)."),
            "CASH": _W("现金", "Cash (psn_cash_pay)."),
        },
    ),
    StepKind: (
        "A step of the working.",
        {
            "IN_SCOPE": _W("政策范围内费用", "Cost in scope."),
            "PACKAGE_STANDARD": _W("病种或床日标准", "Standard of the package or the days."),
            "PACKAGE_OWN": _W("病种或床日付费的个人负担", "The patient's share of a package."),
            "AWAY_PREPAID": _W("异地就医先行自付", "Paid first for care away from home."),
            "DEDUCTIBLE_STANDARD": _W("起付标准", "The deductible that the law sets."),
            "DEDUCTIBLE_STEP_DOWN": _W("多次住院降低起付标准", "Less for repeat stays."),
            "DEDUCTIBLE_WAIVED": _W("免起付标准", "No deductible."),
            "DEDUCTIBLE_REFERRAL": _W("转院补差", "The difference on referral."),
            "DEDUCTIBLE": _W("本次起付", "Deductible of this bill."),
            "RATE": _W("支付比例", "Rate of the place."),
            "RATE_AGE": _W("年龄加成", "Points for age."),
            "RATE_AGE_YEARS": _W("按年龄增加", "Points for each year of age."),
            "RATE_FULL": _W("全额支付", "Paid whole for age."),
            "RATE_AWAY": _W("异地就医降低比例", "Points off for care away."),
            "COST_LIMIT": _W("费用限额", "Limit on the cost that counts."),
            "ENTITLED": _W("统筹基金支付", "What the pooling fund pays."),
            "FUND_LIMIT": _W("统筹限额", "Limit on what the fund pays."),
            "YEAR_CAP": _W("年度封顶线", "The year's cap."),
            "NO_BENEFIT": _W("统筹基金不支付", "The fund pays nothing."),
            "BASE": _W("计算基数", "What the payer reckons on."),
            "THRESHOLD": _W("该项起付标准", "Its threshold."),
            "TILT": _W("倾斜支付", "Better terms for an identity."),
            "BANDS": _W("分段计算", "Reckoned by bands."),
            "PAYER_LIMIT": _W("该项限额", "Its limit."),
            "GIVEN": _W("支付方告知", "Stated by the payer itself."),
            "PAYS": _W("该项支付", "What it pays."),
        },
    ),
    SettlementKind: (
        "A settlement or the entry that takes one back.",
        {
            "SETTLEMENT": _W("结算", "A settlement."),
            "REVERSAL": _W("撤销", "A reversal, with every amount negated."),
        },
    ),
    CareKind: (
        "What kind of care a bill is for.",
        {
            "OUTPATIENT": _W("普通门诊或药店", "Ordinary outpatient care, or a pharmacy."),
            "CHRONIC": _W("门诊慢特病", "Outpatient care of a listed disease."),
            "TWO_DISEASES": _W("两病门诊用药", "Blood pressure and diabetes below that grade."),
            "INJURY": _W("外伤门诊", "Outpatient care of an injury."),
            "INPATIENT": _W("住院", "A stay in hospital."),
        },
    ),
    Route: (
        "How a bill reaches the fund.",
        {
            "DIRECT": _W("直接结算", "Settled at the place of care."),
            "MANUAL": _W("手工（零星）报销", "A manual claim where the person is insured."),
        },
    ),
    FilingKind: (
        "What is on file about care away from home.",
        {
            "NONE": _W("未备案", "Nothing."),
            "LONG_TERM_RESIDENT": _W("长期居住备案", "Long-term residence elsewhere."),
            "REFERRAL": _W("转诊备案", "A referral."),
            "EMERGENCY": _W("急诊抢救（视同备案）", "An emergency, which counts as filed."),
            "TEMPORARY": _W("其他临时外出备案", "Another temporary stay elsewhere."),
        },
    ),
    CapitatedCare: (
        "How a bill stands to a capitation agreement.",
        {
            "PILOT": _W("在签约试点医院", "At the pilot hospital of the agreement."),
            "REFERRED_OUT": _W("由签约医院转出", "Elsewhere, sent by the pilot hospital."),
            "SELF_REFERRED": _W("自行到其他医院", "Elsewhere of one's own accord."),
        },
    ),
    Identity: (
        "An identity that medical aid looks at.",
        {
            "EXTREME_POVERTY": _W("特困人员", "In extreme poverty, supported by the state."),
            "ORPHAN": _W("孤儿或事实无人抚养儿童", "An orphan, or a child nobody can raise."),
            "MINIMUM_LIVING": _W("低保对象", "On the minimum living allowance."),
            "RETURNED_TO_POVERTY": _W("返贫致贫人口", "Fallen back into poverty."),
            "MINIMUM_LIVING_EDGE": _W("低保边缘家庭成员", "On the edge of the allowance."),
            "POVERTY_MONITORED": _W("防止返贫监测对象", "Watched for a return to poverty."),
            "ILLNESS_POVERTY": _W("因病致贫重病患者", "Impoverished by a grave illness."),
            "REGISTERED_POOR": _W("建档立卡贫困人口", "Registered as poor."),
        },
    ),
}
