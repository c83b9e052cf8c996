"""What merging two records does to every table that names a person or an enrolment.

A test fails for a table that names one and has no row here.
"""

from __future__ import annotations

from enum import StrEnum


class Does(StrEnum):
    """What merging does to the rows that name the record which is dropped."""

    MOVES = "MOVES"
    """They name the kept record from now on. Where it has its own row of that key, its own counts."""
    ENDS = "ENDS"
    """Their package ends, moves or removes them by its own rules."""
    STAYS = "STAYS"
    """They are history and are read by all records of a person."""
    PASSES = "PASSES"
    """They live for minutes, and nothing can be done with them once sessions and codes are ended."""


PERSONS: dict[str, Does] = {
    "account_freeze.person_id": Does.STAYS,
    "aid_identity.person_id": Does.MOVES,
    "appointment.person_id": Does.MOVES,
    "clinic_waiting.person_id": Does.MOVES,
    "bill.person_id": Does.MOVES,
    "certificate.person_id": Does.MOVES,
    "card_loss.person_id": Does.STAYS,
    "charge.person_id": Does.MOVES,
    "binding.delegate_id": Does.ENDS,
    "binding.owner_id": Does.ENDS,
    "desk_proposal.person_id": Does.MOVES,
    "device_session.person_id": Does.ENDS,
    "duplicate_case.first_id": Does.STAYS,
    "duplicate_case.kept_id": Does.STAYS,
    "duplicate_case.second_id": Does.STAYS,
    "cash_agreement.person_id": Does.MOVES,
    "enrolment.person_id": Does.MOVES,
    "face_check.person_id": Does.ENDS,
    "face_template.person_id": Does.ENDS,
    "family_share.giver_id": Does.ENDS,
    "family_share.user_id": Does.ENDS,
    "hospital_stay.person_id": Does.MOVES,
    "manual_claim.person_id": Does.STAYS,
    "notice.person_id": Does.STAYS,
    "notice_choice.person_id": Does.MOVES,
    "push_device.person_id": Does.ENDS,
    "outage_notice.person_id": Does.STAYS,
    "matter.applicant_id": Does.STAYS,
    "matter.person_id": Does.MOVES,
    "misuse_report.person_id": Does.STAYS,
    "passkey.person_id": Does.ENDS,
    "pay_later.person_id": Does.MOVES,
    "payment_order.paid_by_id": Does.STAYS,
    "payment_order.person_id": Does.MOVES,
    "payment_password.person_id": Does.ENDS,
    "payment_rule.person_id": Does.MOVES,
    "person.merged_into": Does.MOVES,
    "person_document.person_id": Does.MOVES,
    "person_preference.person_id": Does.MOVES,
    "printed_code.person_id": Does.ENDS,
    "prescription.person_id": Does.MOVES,
    "proxy_act.delegate_id": Does.STAYS,
    "proxy_act.owner_id": Does.STAYS,
    "rating.person_id": Does.MOVES,
    "refund_request.person_id": Does.MOVES,
    "registration.person_id": Does.MOVES,
    "scan_grant.person_id": Does.ENDS,
    "settlement.person_id": Does.STAYS,
    "sign_in_challenge.person_id": Does.PASSES,
    "signed_code.person_id": Does.ENDS,
    "supplement.person_id": Does.MOVES,
    "supervision_alert.person_id": Does.STAYS,
    "ticket.person_id": Does.STAYS,
    "unified_code.person_id": Does.ENDS,
    "unified_code.shown_by_id": Does.STAYS,
    "scan_grant.shown_by_id": Does.STAYS,
    "printed_code.shown_by_id": Does.STAYS,
    "signed_code.shown_by_id": Does.STAYS,
    "bill.shown_by_id": Does.STAYS,
    "wallet.person_id": Does.ENDS,
    "wallet_transfer.receiver_id": Does.STAYS,
    "wallet_transfer.sender_id": Does.STAYS,
}
"""By table and column that names a person."""

KEYS: dict[str, tuple[str, ...]] = {
    "aid_identity": ("identity", "starts"),
    "contribution": ("starts",),
    "notice_choice": (),
    "payment_rule": (),
    "person_document": ("number_index",),
    "person_preference": (),
    "supplement": ("product", "starts"),
}
"""What, beside the person, makes a row of these tables unique."""


class OfUnused(StrEnum):
    """What happens to rows of an enrolment that was never used, beside one of the same insurance."""

    MOVES = "MOVES"
    """They name the enrolment that goes on."""
    IS_USE = "IS_USE"
    """There are none: one such row means that the enrolment was used."""
    FILLS = "FILLS"
    """Days that the enrolment which goes on does not have are added to it; the rest is dropped."""


ENROLMENTS: dict[str, OfUnused] = {
    "bill.enrolment_id": OfUnused.MOVES,
    "capitation.enrolment_id": OfUnused.MOVES,
    "chosen_institution.enrolment_id": OfUnused.MOVES,
    "chronic_disease.enrolment_id": OfUnused.MOVES,
    "contribution.enrolment_id": OfUnused.MOVES,
    "counter.enrolment_id": OfUnused.IS_USE,
    "counter_entry.enrolment_id": OfUnused.IS_USE,
    "enrolment_period.enrolment_id": OfUnused.FILLS,
    "filing.enrolment_id": OfUnused.MOVES,
    "hospital_stay.enrolment_id": OfUnused.IS_USE,
    "matter.enrolment_id": OfUnused.MOVES,
    "pay_later.enrolment_id": OfUnused.IS_USE,
    "referral.enrolment_id": OfUnused.MOVES,
    "settlement.enrolment_id": OfUnused.IS_USE,
    "team_contract.enrolment_id": OfUnused.MOVES,
    "transfer.from_enrolment_id": OfUnused.IS_USE,
    "transfer.to_enrolment_id": OfUnused.IS_USE,
    "wallet_transfer.enrolment_id": OfUnused.IS_USE,
}
"""By table and column that names an enrolment."""
