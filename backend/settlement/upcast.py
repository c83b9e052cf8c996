"""Reads what older versions of the program stored, in the form that this one works with.

Stored cases and outcomes are never rewritten, so each form that ever was stays readable. The first one
knew ordinary outpatient care, one fund, one account and cash.
"""

from __future__ import annotations

from typing import Any


def case(stored: Any) -> Any:
    """Return a stored case in the present form."""
    if "care" in stored:
        return stored
    employee = stored["insured"]["insurance_type"] == "EMPLOYEE"
    pool = "outpatient_worker" if employee else "outpatient_resident"
    return {
        **stored,
        "care": "OUTPATIENT",
        "year": int(stored["service_date"][:4]),
        "used": {
            f"{pool}.deductible": stored["used"]["deductible_fen"],
            f"{pool}.fund": stored["used"]["fund_fen"],
        },
    }


def outcome(stored: Any) -> Any:
    """Return a stored outcome in the present form. It has no steps: its parts were its working."""
    if "shares" in stored:
        return stored
    payers = {"by_fund_fen": "BASIC", "by_account_fen": "ACCOUNT", "by_cash_fen": "CASH"}
    parts = [
        {
            **{name: value for name, value in part.items() if name not in payers},
            "paid": [
                {"payer": payer, "topic": "", "amount_fen": part[name]}
                for name, payer in payers.items()
                if part[name]
            ],
        }
        for part in stored["parts"]
    ]
    paid = {
        "BASIC": stored["fund_fen"],
        "ACCOUNT": stored["account_fen"],
        "CASH": stored["cash_fen"],
    }
    resident = any(part["ref"]["rule"].startswith("CD-OP-R/") for part in stored["parts"])
    pool = "outpatient_resident" if resident else "outpatient_worker"
    counts = {
        f"{pool}.deductible": stored["counted_deductible_fen"],
        f"{pool}.fund": stored["counted_fund_fen"],
    }
    dropped = ("counted_fund_fen", "counted_deductible_fen")
    return {
        **{name: value for name, value in stored.items() if name not in dropped},
        "pool_fen": stored["fund_fen"],
        "hospital_fen": 0,
        "family_fen": 0,
        "family_balance_after_fen": 0,
        "hospital_due_fen": None,
        "counts": {name: amount for name, amount in counts.items() if amount},
        "parts": parts,
        "shares": [
            {"payer": payer, "topic": "", "amount_fen": amount}
            for payer, amount in paid.items()
            if amount
        ],
        "steps": [],
    }
