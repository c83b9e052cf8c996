"""``yibao states``: every state diagram, drawn from the code."""

from __future__ import annotations

import argparse

from backend.appointments.contracts import APPOINTMENT_STATES, WAITING_STATES
from backend.cards.contracts import CARD_STATES
from backend.certificates.contracts import CERTIFICATE_STATES
from backend.codes.contracts import CODE_STATES
from backend.coordination.contracts import TICKET_STATES
from backend.credit.contracts import PAY_LATER_STATES
from backend.desk.contracts import PROPOSAL_STATES
from backend.enrolment.contracts import CONTRIBUTION_STATES
from backend.filings.contracts import FILING_STATES
from backend.identity.face_contracts import FACE_STATES
from backend.matters.contracts import (
    CANCEL_MATTER_STATES,
    CAPITATION_MATTER_STATES,
    CHOICE_MATTER_STATES,
    CHRONIC_MATTER_STATES,
    CLAIM_MATTER_STATES,
    COMPLAINT_MATTER_STATES,
    ENROLMENT_MATTER_STATES,
    FILING_MATTER_STATES,
    TEAM_MATTER_STATES,
    TRANSFER_MATTER_STATES,
)
from backend.orders.agreement_contracts import AGREEMENT_STATES, REPAYMENT_STATES
from backend.orders.contracts import DIFFERENCE_STATES, ORDER_STATES
from backend.orders.refund_contracts import REFUND_STATES
from backend.payments.charge_contracts import CHARGE_STATES
from backend.payments.contracts import BILL_STATES
from backend.payments.stay_contracts import STAY_STATES
from backend.people.document_contracts import DUPLICATE_STATES
from backend.policies.document_contracts import DOCUMENT_STATES
from backend.prescriptions.contracts import PRESCRIPTION_STATES
from backend.proxies.contracts import BINDING_STATES
from backend.ratings.contracts import RATING_STATES
from backend.reports.contracts import REPORT_STATES, REWARD_STATES
from backend.reports.handling_contracts import UNMASK_STATES
from backend.sharing.contracts import TRANSFER_STATES
from backend.statements.contracts import MISMATCH_STATES
from backend.supervision.contracts import ALERT_STATES

_STATE_TABLES = (
    *(CODE_STATES, CHARGE_STATES, BILL_STATES, ALERT_STATES, ORDER_STATES),
    *(STAY_STATES, PAY_LATER_STATES),
    *(BINDING_STATES, FACE_STATES, TRANSFER_STATES, DUPLICATE_STATES),
    *(PROPOSAL_STATES, FILING_STATES, FILING_MATTER_STATES, CANCEL_MATTER_STATES),
    *(CHRONIC_MATTER_STATES, CLAIM_MATTER_STATES, CHOICE_MATTER_STATES, TEAM_MATTER_STATES),
    *(CAPITATION_MATTER_STATES, COMPLAINT_MATTER_STATES),
    *(ENROLMENT_MATTER_STATES, TRANSFER_MATTER_STATES, CONTRIBUTION_STATES),
    *(DIFFERENCE_STATES, RATING_STATES, APPOINTMENT_STATES, WAITING_STATES),
    *(REPORT_STATES, REWARD_STATES, UNMASK_STATES, PRESCRIPTION_STATES, REFUND_STATES),
    *(AGREEMENT_STATES, REPAYMENT_STATES, MISMATCH_STATES),
    *(DOCUMENT_STATES, CARD_STATES, CERTIFICATE_STATES, TICKET_STATES),
)


def states_command(parser: argparse.ArgumentParser) -> None:
    """Let ``yibao states`` be run."""
    parser.set_defaults(run=_states)


def _states(_options: argparse.Namespace) -> int:
    for table in _STATE_TABLES:
        print(f"### {table.title}\n\n```mermaid\n{table.diagram()}\n```\n")
    return 0
