"""Fictitious staff of the province, whose secrets anybody can derive: for demos and tests alone."""

from __future__ import annotations

import base64
import hashlib

from backend.access.contracts import Duty, Role
from backend.infra.database import Unit
from backend.staff.service import add

STAFF: dict[str, tuple[str, tuple[Duty, ...]]] = {
    "CD1001": ("经办样例甲", (Duty(Role.CLERK, "510100"),)),
    "CD1002": ("经办样例乙", (Duty(Role.CLERK, "510100"), Duty(Role.CHECKER, "510100"))),
    "CD1003": ("主管样例", (Duty(Role.CHECKER, "510100"), Duty(Role.SUPERVISOR, "510100"))),
    "HX2001": ("专家样例甲", (Duty(Role.EXPERT, "510100"),)),
    "HX2002": ("专家样例乙", (Duty(Role.EXPERT, "510100"),)),
    "HX2003": ("专家样例丙", (Duty(Role.EXPERT, "510100"),)),
    "JJ1001": ("区经办样例甲", (Duty(Role.CLERK, "510104"),)),
    "JJ1002": ("区经办样例乙", (Duty(Role.CLERK, "510104"), Duty(Role.CHECKER, "510104"))),
    "JG1001": ("稽核样例甲", (Duty(Role.INSPECTOR, "510100"),)),
    "JG1002": ("稽核样例乙", (Duty(Role.INSPECTOR, "510100"),)),
    "JG5101": ("省级稽核样例", (Duty(Role.INSPECTOR, "510000"), Duty(Role.CHECKER, "510000"))),
    "JG5102": ("省级主管样例", (Duty(Role.INSPECTOR, "510000"), Duty(Role.SUPERVISOR, "510000"))),
    "ZG1001": ("经办样例丙", (Duty(Role.CLERK, "510300"), Duty(Role.CHECKER, "510300"))),
    "SC1001": ("省级样例", (Duty(Role.CLERK, "510000"), Duty(Role.CHECKER, "510000"))),
}
"""By number: name and duties, of Chengdu, its district Jinjiang, Zigong and the province."""


def sample_password(number: str) -> str:
    """Return the password of a sample member of staff."""
    return f"sample password of {number}"


def sample_secret(number: str) -> str:
    """Return the secret of a sample member of staff's authenticator."""
    seed = hashlib.sha256(f"yibao sample staff {number}".encode()).digest()[:20]
    return base64.b32encode(seed).decode()


def load_staff(unit: Unit) -> None:
    """Add all sample staff."""
    for number, (name, duties) in STAFF.items():
        add(unit, "sample", number, name, duties, (sample_password(number), sample_secret(number)))
