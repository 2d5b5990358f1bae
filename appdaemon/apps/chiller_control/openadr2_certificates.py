"""Our certificates and the authorities we trust, or what is wrong with their files."""

from datetime import UTC, datetime
from pathlib import Path
import ssl

from cryptography import x509


class CertificateTrouble(Exception):
    """Files of ours with which no connection can be made; says which and why."""


def tls_context(
    authority: str | None,
    certificate: str | None,
    key: str | None,
    passphrase: str | None,
    *,
    check_hostname: bool,
    now: float,
) -> ssl.SSLContext:
    """Return how to speak to a server. Reads files.

    Raises CertificateTrouble naming the file that cannot be used and why.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    if authority is None:
        context.load_default_certs()
    else:
        _readable("authority's certificate", authority)
        try:
            context.load_verify_locations(authority)
        except ssl.SSLError as error:
            raise CertificateTrouble(
                f"the authority's certificate {authority} is no PEM certificate"
            ) from error
    if certificate is None:
        return context
    check_ours(certificate, now)
    if key is not None:
        _readable("key", key)
    try:
        # An empty one: OpenSSL would else ask at the terminal, and wait.
        context.load_cert_chain(certificate, key, passphrase or "")
    except (ssl.SSLError, OSError) as error:
        raise CertificateTrouble(
            f"certificate {certificate} and key {key} cannot be used together:"
            " the key is of another certificate, or its passphrase is wrong"
        ) from error
    return context


def check_ours(certificate: str, now: float) -> None:
    """Raise CertificateTrouble for a certificate of ours that is not valid now."""
    text = _readable("certificate", certificate)
    try:
        ours = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise CertificateTrouble(
            f"our certificate {certificate} is no PEM certificate"
        ) from error
    if (ends := ours.not_valid_after_utc.timestamp()) <= now:
        raise CertificateTrouble(
            f"our certificate {certificate} expired on {_day(ends)};"
            " ask the utility for a new one"
        )
    if (begins := ours.not_valid_before_utc.timestamp()) > now:
        raise CertificateTrouble(
            f"our certificate {certificate} is not valid before {_day(begins)};"
            " look at the clock here"
        )


def _readable(what: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateTrouble(
            f"our {what} {path} cannot be read: {error.strerror}"
        ) from error


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
