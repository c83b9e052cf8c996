"""The seal of the agency (电子印章): a key with its certificate, by which PDF files are signed.

A file holds the private key and the certificate, and the chain that leads to it, as PEM. In production it
comes from the authority that certifies seals; elsewhere one that vouches for itself is made. The signature
is PAdES (ETSI EN 319 142-1), so that any reader of PDF files can check it.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:  # the library that signs PDF files is loaded with the first of them
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.signers import SimpleSigner

_KEY_BITS = 3072
_YEARS = 5
_FIELD = "Seal"


class StampError(Exception):
    """The seal's file cannot be read, or does not sign."""


@dataclass(frozen=True)
class Stamp:
    """A seal that signs."""

    signer: SimpleSigner
    certificate: x509.Certificate

    @property
    def owner(self) -> str:
        """Return whose seal it is, as its certificate says."""
        names = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.certificate.subject.rfc4514_string()

    def sign(self, file: bytes, reason: str, now: datetime) -> bytes:
        """Return a PDF file with the seal's signature.

        Raises ``StampError``, also where its certificate is not valid now: no reader would accept it.
        """
        if not self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc:
            raise StampError(f"the seal is not valid at {now}")
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.pdf_utils.misc import PdfError
        from pyhanko.sign import signers
        from pyhanko.sign.fields import SigSeedSubFilter
        from pyhanko.sign.general import SigningError

        meta = signers.PdfSignatureMetadata(
            field_name=_FIELD,
            md_algorithm="sha256",
            reason=reason,
            subfilter=SigSeedSubFilter.PADES,
        )
        try:
            writer = IncrementalPdfFileWriter(io.BytesIO(file))
            signed = signers.sign_pdf(writer, meta, signer=self.signer)
        except (SigningError, PdfError, ValueError) as error:
            raise StampError(str(error)) from error
        return bytes(signed.getvalue())


def make_stamp(path: Path, name: str, now: datetime) -> None:
    """Write a seal that vouches for itself, for its owner alone to read. Refuses to overwrite one."""
    key = rsa.generate_private_key(65537, _KEY_BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(_signs_only(), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.write(certificate.public_bytes(Encoding.PEM))


def load_stamp(path: Path) -> Stamp:
    """Return the seal of a file, read again once the file has changed. Raises ``StampError``."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, TypeError) as error:
        raise StampError(f"the seal at {path} cannot be read: {error}") from error


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Stamp:
    from asn1crypto import keys as asn1_keys
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    content = path.read_bytes()
    key = load_pem_private_key(content, None)
    chain = x509.load_pem_x509_certificates(content)
    if chain[0].public_key() != key.public_key():
        raise ValueError("its first certificate is not of its key")
    registry = SimpleCertificateStore()
    registry.register_multiple(_asn1(one) for one in chain)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=_asn1(chain[0]),
        signing_key=asn1_keys.PrivateKeyInfo.load(plain),
        cert_registry=registry,
    )
    return Stamp(signer, chain[0])


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    from asn1crypto import x509 as asn1_x509

    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
