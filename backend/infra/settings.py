"""Every setting, with its default and unit, read once from ``YIBAO_*`` environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from backend.kernel.errors import OperatorError

PREFIX = "YIBAO_"
SANDBOX_SECRET = "sandbox-secret"  # noqa: S105 - known to everybody, refused in production


class Mode(StrEnum):
    """How strict the server is."""

    DEVELOPMENT = "development"
    """Any GraphQL document, introspection open, keys made where there are none."""

    PRODUCTION = "production"
    """Only the app's own documents, introspection for signed-in callers, keys must be given."""


class SettingsError(OperatorError):
    """A setting is unknown or cannot be read; the message names it."""


@dataclass(frozen=True)
class Settings:
    """The settings in force. Times are in seconds unless the name says otherwise."""

    mode: Mode = Mode.DEVELOPMENT
    data_dir: Path = Path(".yibao")
    database_url: str = ""
    """Empty: an SQLite file in ``data_dir``. PostgreSQL: ``postgresql+psycopg://user@host/name``."""
    keys_file: str = ""
    """Empty: ``keys.json`` in ``data_dir``."""
    reporters_keys_file: str = ""
    """Of whoever reports misuse, apart from the others. Empty: ``reporters.json`` beside the key ring."""
    issuer: str = "https://yibao.example"
    public_url: str = "http://127.0.0.1:8080"
    """Where anybody reaches this installation: on certificates, and for callbacks of cash channels."""
    seal_file: str = ""
    """Key and certificate that sign certificates, PEM. Empty: ``seal.pem`` beside the key ring."""
    matter_hold_hours: int = 24
    """How long an application is a clerk's alone once they have taken it."""
    materials_per_person_per_day: int = 300
    certificate_days: int = 90
    """How long a certificate can be verified. Our own choice; no rule was found."""
    certificates_per_person_per_day: int = 20
    wrong_check_codes_per_address_per_hour: int = 30
    region: str = "510000"
    """The province that runs this installation."""

    access_token_seconds: int = 600
    terminal_session_seconds: int = 1800
    staff_session_seconds: int = 28_800
    """A working day; a desk's session is not renewed but opened anew."""
    drafts_max: int = 10
    filing_end_notice_days: int = 14
    draft_days: int = 15
    elder_draft_days: int = 60
    """Nobody who is in elder mode loses a draft because they needed a month."""
    supplement_days: int = 30
    staff_failures_to_lock: int = 5
    """Wrong attempts for one number from one address within ``staff_lock_seconds``; more have to wait."""
    staff_lock_seconds: int = 900
    staff_failures_elsewhere_per_day: int = 50
    """Wrong attempts for one number from all addresses that it has not signed in at lately."""
    staff_failures_per_address_per_hour: int = 60
    """Wrong attempts from one address for numbers that have not signed in there lately."""
    staff_known_address_days: int = 30
    refresh_token_days: int = 30
    refresh_grace_seconds: int = 30
    """How long a rotated refresh token may be shown again if its successor was never used."""

    sms_gateway_url: str = "http://127.0.0.1:8091"
    sms_gateway_secret: str = SANDBOX_SECRET
    push_gateway_url: str = "http://127.0.0.1:8095"
    push_gateway_secret: str = SANDBOX_SECRET
    quiet_from: str = "22:00"
    quiet_until: str = "07:00"
    """Hours in which nothing leaves but what cannot wait; everybody may choose others."""
    notice_days: int = 730
    """How long notices stand in the inbox."""
    civil_register_url: str = "http://127.0.0.1:8092"
    civil_register_secret: str = SANDBOX_SECRET
    national_platform_url: str = "http://127.0.0.1:8093"
    national_platform_secret: str = SANDBOX_SECRET
    channel_keys: str = ""
    """The folder with the keys of cash channels, one folder each; by default beside the key ring."""
    unionpay_url: str = "http://127.0.0.1:8096"
    unionpay_merid: str = "777290058110097"
    unionpay_trid: str = "62000000001"
    """Who asks for tokens of cards (trId), as UnionPay has numbered the merchant."""
    wechat_url: str = "http://127.0.0.1:8094"
    wechat_plan_id: str = "12535"
    """The template of agreements to collect (委托代扣模板) that WeChat Pay has given the merchant."""
    bank_url: str = "http://127.0.0.1:8097"
    wechat_mchid: str = "1900000109"
    wechat_appid: str = "wxyibao000000sandbox"
    registrations_per_phone_per_day: int = 5
    registrations_per_number_per_day: int = 10
    registrations_per_phone_and_number_per_day: int = 3
    """So that it takes four phones, and not one or two, to use a number's tries up."""
    sms_code_seconds: int = 300
    sms_resend_seconds: int = 60
    sms_per_phone_per_hour: int = 5
    """Codes that one address or session has sent to one phone; so the next one, in a day."""
    sms_per_phone_per_day: int = 10
    sms_per_phone_from_all_per_hour: int = 15
    """Codes that all strangers together have sent to one phone; its owner has as many besides."""
    sms_per_phone_from_all_per_day: int = 50
    sms_per_address_per_hour: int = 60
    sign_in_attempts_per_code: int = 5
    sign_in_attempts_elsewhere_per_code: int = 3
    """Tries at a code from addresses that have not asked for one: a phone may change its network."""
    sign_in_failures_to_lock: int = 10
    """Wrong codes for one phone from one address within ``sign_in_lock_seconds``; more have to wait."""
    sign_in_lock_seconds: int = 1800
    wrong_codes_per_address_per_hour: int = 60
    """Wrong codes from an address that has asked for none, whatever the phones."""

    step_up_seconds: int = 300
    """How long a proof counts on the session that showed it."""
    password_failures_to_lock: int = 5
    password_lock_seconds: int = 1800
    password_failures_to_block: int = 10
    """Wrong payment passwords since the last right one after which only a new one helps."""
    argon2_passes: int = 2
    argon2_kibibytes: int = 19_456
    face_alone_max_fen: int = 50_000
    """A face alone confirms no bill above this."""

    face_check_seconds: int = 120
    """How long a person has before the camera."""
    face_attempts_per_day: int = 10
    """Of a person on their own devices; as many before each relative's, and at each institution's tills."""
    face_age_min: int = 16
    """No face is taken of anybody younger."""
    face_replay_days: int = 30
    face_replays_looked_for: int = 20
    face_processes: int = 1
    """Processes of each worker that measure faces; they start with the first picture."""
    face_queue_max: int = 8
    """Checks that may wait for a process; one more is told to use another way."""
    face_seconds_max: int = 30
    face_upload_bytes_max: int = 6_000_000

    passkey_domain: str = "localhost"
    """The domain that passkeys belong to; once people hold some it can never change."""
    passkey_name: str = "Yibao"
    passkey_origins: str = "http://localhost:8080"
    """Where the app may ask for passkeys from, separated by commas."""
    passkey_asks_per_address_per_hour: int = 300

    elder_mode_offered_from_age: int = 60
    delegate_age_min: int = 18
    """Nobody younger acts for a relative. Our own choice; no rule was found."""
    binding_request_days: int = 7
    """How long a request to act for a relative waits for consent or review."""
    relative_guesses_per_hour: int = 10
    """Wrong names or numbers of relatives that one person may try."""
    consent_code_seconds: int = 600
    consent_code_attempts: int = 5
    consent_codes_per_relative_per_hour: int = 5
    consent_codes_per_binding_per_hour: int = 3
    """So that one request does not use up what other relatives need."""
    binding_requests_per_relative_per_day: int = 10
    """So that nobody can flood a stranger's phone with requests."""
    binding_requests_per_pair_per_day: int = 3
    proxy_view_notice_seconds: int = 3600
    """A delegate who only looks is noted, and the owner told, once in this time."""
    proxy_code_notice_seconds: int = 600
    """So is one who shows a code, which the app renews each minute."""

    code_prefix: str = "751"
    """The first three digits of the unified code; never the national 424."""
    printed_code_prefix: str = "752"
    identity_code_hours: int = 24
    """How long a signed identity code can be shown without a network."""
    trust_list_hours: int = 24
    """How long a trust list may be believed; after it a verifier says that it cannot verify."""
    health_card_seconds: int = 300
    code_seconds: int = 60
    decode_grant_seconds: int = 600
    other_place_seconds: int = 1_800
    """A code scanned in another area within this time makes the next purchase wait for the phone."""
    series_seconds: int = 3_600
    series_times_limit: int = 3
    """Purchases within ``series_seconds`` that nobody confirmed, up to this many times the limit."""
    valuable_line_fen: int = 50_000
    """A line of a pharmacy's bill from this amount on is costly. Our own choice; no rule was found."""
    valuables_seconds: int = 86_400
    valuables_wait_seconds: int = 600
    """A second costly item within ``valuables_seconds`` can be confirmed only after this time."""
    tax_pay_url: str = "https://tax.example/pay?bill="
    """Where the tax authority takes contributions; the number of the bill is put behind it."""
    bill_seconds: int = 300
    elder_bill_seconds: int = 1_800
    """Of a bill that waits for somebody in elder mode to read it."""
    complaint_answer_workdays: int = 15
    """By when a complaint or suggestion is answered. Our own promise; no rule was found."""
    refund_days: int = 90
    """How long after a settlement the phone can ask for a refund. Our own choice; no rule was found."""
    refund_answer_workdays: int = 5
    prescription_hours: int = 72
    """How long a prescription can be filled after it was signed (seen in practice; no rule was found)."""
    prescription_lock_seconds: int = 1800
    """How long a pharmacy keeps a prescription that it has locked."""
    anonymous_reports_per_address_per_day: int = 20
    rating_days: int = 30
    """How long after a settlement it can be rated. Our own choice, as the next two; no rule was found."""
    rating_reply_workdays: int = 15
    rating_silence_days: int = 15
    """An answer of which nobody says anything for this long closes the rating."""
    charge_seconds: int = 1_800
    """How long a charge can be taken by whoever scans its code."""
    charge_known_seconds: int = 259_200
    """How long one that was put to a patient can be: three days. Our own choice; no rule was found."""
    pay_seconds: int = 300
    """How long insurance stands by for the cash of a payment order."""
    agreement_pay_seconds: int = 60
    """How long a till waits for cash that is collected by agreement."""
    agreement_sign_seconds: int = 900
    """How long a patient has to agree in the channel's own app."""
    credit_review_seconds: int = 259_200
    """How long a bank may look at an application: three days. Our own choice; no rule was found."""
    agreement_day_max_yuan: int = 5000
    """The most that anybody can let be collected in a day. Our own choice; no rule was found."""
    agreement_look_seconds: int = 3600
    """How often a channel is asked whether an agreement still stands, and how a credit does."""
    lock_grace_seconds: int = 600
    """How much longer it does where nobody knows whether cash was taken; then it goes back if it was."""
    cash_return_workdays: int = 3
    """By when cash that is not due is promised back. Our own promise; channels publish 1 to 3 days."""
    confirm_above_fen: int = 20_000
    """Bills above this total wait for the phone unless the patient has set another limit."""
    quantity_per_line_max: int = 200
    unit_price_max_yuan: int = 1_000_000
    lines_per_bill_max: int = 100

    body_bytes_max: int = 65_536
    requests_per_minute_per_address: int = 6_000
    worker_answer_seconds: int = 60
    """A worker that has not answered its supervisor for so long is killed and started again."""
    feed_poll_milliseconds: int = 100

    request_seconds: int = 12
    """How long a request waits in all before its caller is asked to repeat it. Clients wait longer: the app
    at least 15 seconds, terminals at least 30."""
    lock_milliseconds: int = 2_500
    """How long a request waits for a row, or for the turn to write an SQLite file."""
    statement_seconds: int = 6
    transaction_seconds: int = 8
    connect_seconds: int = 2
    """How long a request waits for a connection. The library takes at least 2."""
    reading_threads: int = 6
    """Of each worker, apart from those that write, so that no read waits behind a writer."""
    writing_threads: int = 8
    writing_threads_per_session: int = 2
    """So that one phone or terminal that repeats itself before a locked row leaves threads to all others."""
    outside_threads: int = 4
    """Of requests that wait for a channel of cash."""
    trusted_proxies: str = ""
    """Addresses and networks of the proxies whose ``X-Forwarded-For`` is believed, separated by commas.
    Empty: no header is believed, and a caller's address is that of the connection."""
    sockets_per_address_max: int = 500
    """Open sockets of one address in one worker; behind one address of a mobile network are many phones."""
    sockets_per_worker_max: int = 2_000
    connections_per_worker_max: int = 4_000
    """All connections of a worker, sockets among them; it needs as many file descriptors."""
    request_head_seconds: int = 10
    """How long a connection may take over the head of a request."""
    request_body_seconds: int = 20
    """How long a body may take, and one second more for each ``bytes_per_second_min`` that came."""
    bytes_per_second_min: int = 8_192
    """A caller who sends or takes less than this is ended after the times above and below."""
    keep_alive_seconds: int = 5
    """How long a connection may stand idle after an answer."""
    write_seconds: int = 10
    """How long an answer may wait for a caller who does not read."""
    socket_init_seconds: int = 10
    """How long a socket may wait with ``connection_init``."""
    socket_ping_seconds: int = 20
    """How often a socket is pinged, and how long it may take to answer."""
    socket_buffer_bytes_max: int = 4_194_304
    """What may wait for a socket's caller to read it; a socket with more is ended at once."""
    socket_check_milliseconds: int = 1_000
    """How often a worker asks which of its sockets' sessions have ended: one question for all of them."""

    @property
    def resolved_database_url(self) -> str:
        """Return the database to use, the embedded one by default."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'yibao.sqlite3').absolute()}"

    @property
    def passkey_origin_list(self) -> list[str]:
        """Return where the app may ask for passkeys from."""
        return [origin.strip() for origin in self.passkey_origins.split(",")]

    @property
    def trusted_proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks of trusted proxies. Raises ``ValueError`` for what is no network."""
        named = [name.strip() for name in self.trusted_proxies.split(",")]
        return tuple(ip_network(name) for name in named if name)

    @property
    def resolved_reporters_keys_file(self) -> Path:
        """Return where the reporters' key ring lies."""
        beside = self.resolved_keys_file.with_name("reporters.json")
        return Path(self.reporters_keys_file) if self.reporters_keys_file else beside

    @property
    def resolved_keys_file(self) -> Path:
        """Return where the key ring lies."""
        return Path(self.keys_file) if self.keys_file else self.data_dir / "keys.json"

    @property
    def resolved_channel_keys(self) -> Path:
        """Return where the keys of cash channels lie."""
        beside = self.resolved_keys_file.parent / "channels"
        return Path(self.channel_keys) if self.channel_keys else beside

    @property
    def resolved_seal_file(self) -> Path:
        """Return where the seal lies."""
        return (
            Path(self.seal_file) if self.seal_file else self.resolved_keys_file.parent / "seal.pem"
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read settings. Raises ``SettingsError`` for a name that is no setting or a bad value."""
        known = {f"{PREFIX}{item.name.upper()}": item for item in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environment.items():
            if not name.startswith(PREFIX):
                continue
            if name not in known:
                raise SettingsError(f"{name} is no setting of Yibao")
            values[known[name].name] = _read(name, known[name].type, text)
        settings = cls(**values)
        prefixes = {settings.code_prefix, settings.printed_code_prefix}
        if "424" in prefixes or len(prefixes) != 2 or {len(prefix) for prefix in prefixes} != {3}:
            raise SettingsError(
                "YIBAO_CODE_PREFIX and YIBAO_PRINTED_CODE_PREFIX take three digits each, "
                "different from each other and from the national 424"
            )
        _check_network(settings)
        outside = (
            *("sms_gateway_secret", "push_gateway_secret"),
            *("civil_register_secret", "national_platform_secret"),
        )
        for name in outside:
            if settings.mode is Mode.PRODUCTION and getattr(settings, name) == SANDBOX_SECRET:
                raise SettingsError(f"{PREFIX}{name.upper()} must be set in production")
        return settings


def _check_network(settings: Settings) -> None:
    """Check what a server needs to tell callers apart and to bound them. Raises ``SettingsError``."""
    try:
        networks = settings.trusted_proxy_networks
    except ValueError as error:
        raise SettingsError(f"YIBAO_TRUSTED_PROXIES cannot be read: {error}") from error
    if any(network.prefixlen == 0 for network in networks):
        raise SettingsError("YIBAO_TRUSTED_PROXIES names proxies; a network of everybody is none")
    for name in _BOUNDS:
        if getattr(settings, name) < 1:
            raise SettingsError(f"{PREFIX}{name.upper()} is at least 1")
    if settings.connections_per_worker_max <= settings.sockets_per_worker_max:
        raise SettingsError(
            "YIBAO_CONNECTIONS_PER_WORKER_MAX leaves room beside YIBAO_SOCKETS_PER_WORKER_MAX"
        )


_BOUNDS = (
    *("sockets_per_address_max", "sockets_per_worker_max", "request_head_seconds"),
    *("request_body_seconds", "bytes_per_second_min", "keep_alive_seconds", "write_seconds"),
    *("socket_init_seconds", "socket_ping_seconds", "socket_buffer_bytes_max"),
    *("socket_check_milliseconds", "requests_per_minute_per_address", "body_bytes_max"),
)


def _read(name: str, kind: object, text: str) -> Any:
    try:
        if kind == "int":
            return int(text)
        if kind == "Path":
            return Path(text)
        if kind == "Mode":
            return Mode(text)
    except ValueError as error:
        raise SettingsError(f"{name} cannot be read: {error}") from error
    return text
