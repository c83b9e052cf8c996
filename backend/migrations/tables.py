"""Every table of the system, gathered for Alembic and for the tests that compare."""

from __future__ import annotations

from sqlmodel import SQLModel

from backend.appointments import model as _appointments
from backend.cards import model as _cards
from backend.catalogue import model as _catalogue
from backend.certificates import model as _certificates
from backend.choices import model as _choices
from backend.claims import model as _claims
from backend.codes import model as _codes
from backend.coordination import model as _coordination
from backend.credit import model as _credit
from backend.desk import model as _desk
from backend.enrolment import model as _enrolment
from backend.entitlements import model as _entitlements
from backend.filings import model as _filings
from backend.identity import model as _identity
from backend.infra import model as _infra
from backend.institutions import model as _institutions
from backend.ledger import model as _ledger
from backend.matters import model as _matters
from backend.notices import model as _notices
from backend.orders import model as _orders
from backend.payments import model as _payments
from backend.people import model as _people
from backend.policies import model as _policies
from backend.prescriptions import model as _prescriptions
from backend.proxies import model as _proxies
from backend.ratings import model as _ratings
from backend.reports import model as _reports
from backend.settlement import model as _settlement
from backend.sharing import model as _sharing
from backend.staff import model as _staff
from backend.statements import model as _statements
from backend.supervision import model as _supervision

METADATA = SQLModel.metadata
APPEND_ONLY = (
    _infra.AuditLine.__tablename__,
    _ledger.LedgerEntry.__tablename__,
    _ledger.LedgerPosting.__tablename__,
    _settlement.Settlement.__tablename__,
    _settlement.CounterEntry.__tablename__,
    _settlement.RulebookText.__tablename__,
    _settlement.TraceEvent.__tablename__,
    _entitlements.CapitationMonth.__tablename__,
    _entitlements.CapitationYear.__tablename__,
    _catalogue.MatchDecision.__tablename__,
    _claims.ManualClaim.__tablename__,
    _proxies.ProxyAct.__tablename__,
    _orders.OrderStepRow.__tablename__,
    _ratings.RatingStepRow.__tablename__,
    _prescriptions.PrescriptionStepRow.__tablename__,
    _reports.ReportStepRow.__tablename__,
    _reports.ReportMessageRow.__tablename__,
    _reports.ReportEvidence.__tablename__,
    _reports.PublishedReport.__tablename__,
    _reports.Reporter.__tablename__,
    _appointments.AppointmentStepRow.__tablename__,
    _appointments.BookingRuleRow.__tablename__,
    _payments.MisuseReport.__tablename__,
    _matters.MatterStepRow.__tablename__,
    _matters.MatterOpinion.__tablename__,
    _matters.MatterHandOver.__tablename__,
    _coordination.TicketStepRow.__tablename__,
    _supervision.Sighting.__tablename__,
    _supervision.Examined.__tablename__,
    _enrolment.Transfer.__tablename__,
)
__all__ = [
    "APPEND_ONLY",
    "METADATA",
    "_appointments",
    "_cards",
    "_catalogue",
    "_certificates",
    "_choices",
    "_claims",
    "_codes",
    "_coordination",
    "_credit",
    "_desk",
    "_enrolment",
    "_entitlements",
    "_filings",
    "_identity",
    "_institutions",
    "_matters",
    "_notices",
    "_orders",
    "_payments",
    "_people",
    "_policies",
    "_prescriptions",
    "_proxies",
    "_ratings",
    "_reports",
    "_sharing",
    "_staff",
    "_statements",
    "_supervision",
]
