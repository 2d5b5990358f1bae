"""Certificates of an authority of our own, made for one test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from openleadr.utils import certificate_fingerprint


@dataclass(frozen=True)
class Paper:
    """A certificate and its key, as files."""

    certificate: str
    key: str
    fingerprint: str

    def served(self) -> ssl.SSLContext:
        """Return what a server speaks TLS with that has this certificate."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.certificate, self.key)
        return tls


class Authority:
    """Who vouches for servers and plants."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        own = (
            _draft(self._subject, self._subject, self._key.public_key(), 0, 3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .add_extension(_usage(signs=True), True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = str(folder / f"{name}.pem")
        Path(self.certificate).write_bytes(_pem(own))

    def paper(
        self,
        name: str,
        *,
        since: float = -1,
        days: float = 30,
        host: str = "127.0.0.1",
        passphrase: str | None = None,
    ) -> Paper:
        """Make a certificate that begins and ends so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _draft(_named(name), self._subject, key.public_key(), since, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(host))]), False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._key.public_key()
                ),
                False,
            )
            .sign(self._key, hashes.SHA256())
        )
        start = self._folder / f"{self._name}_{name}"
        certificate, secret = start.with_suffix(".crt"), start.with_suffix(".key")
        certificate.write_bytes(_pem(made))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()
                if passphrase is None
                else serialization.BestAvailableEncryption(passphrase.encode()),
            )
        )
        return Paper(
            str(certificate),
            str(secret),
            certificate_fingerprint(certificate.read_text()),
        )


def _draft(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    since: float,
    days: float,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=since) - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
