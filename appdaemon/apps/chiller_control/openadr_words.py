"""What is wrong with a connection to a utility, in words that name what to do.

A library says `[SSL: TLSV1_ALERT_UNKNOWN_CA]`; whoever has to call the utility needs
to know whose certificate it is about.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
import ssl

import aiohttp
from cryptography import x509

CLOCKS_AGREE = 30.0
"""Seconds by which the clocks of two machines may differ without a word."""

_VERIFY = {
    9: "it is not valid yet: either the utility's certificate or the clock here is wrong",
    10: "it has expired; the utility has to renew it",
    18: "nobody but the server itself vouches for it; give the authority's certificate"
    " that the utility handed out",
    19: "the authority behind it is unknown here; give the authority's certificate"
    " that the utility handed out",
    20: "the authority behind it is unknown here; give the authority's certificate"
    " that the utility handed out",
    21: "the authority behind it is unknown here; give the authority's certificate"
    " that the utility handed out",
    62: "it is for another host than the address says",
    64: "it is for another host than the address says",
}
_ALERTS = {
    "CERTIFICATE_EXPIRED": "it has expired; ask the utility for a new one",
    "UNKNOWN_CA": "the server does not know the authority behind it",
    "CERTIFICATE_REQUIRED": "none was shown; the server demands one",
    "BAD_CERTIFICATE": "the server calls it bad",
    "CERTIFICATE_REVOKED": "it was revoked; ask the utility for a new one",
    "CERTIFICATE_UNKNOWN": "the server does not accept it",
    "UNSUPPORTED_CERTIFICATE": "the server does not take its kind",
    "DECRYPT_ERROR": "the server could not check it",
}


class CertificateTrouble(Exception):
    """Files of ours with which no connection can be made; says which and why."""


def of_connection(error: BaseException, certificate: bool = False) -> str:
    """Return what kept a request from being answered.

    `certificate`: we showed one. A server that refuses it may end the connection
    before its reason arrives.
    """
    if isinstance(error, TimeoutError):
        return "no answer in time"
    found: BaseException | None = error
    for _ in range(6):
        if found is None:
            break
        if isinstance(found, aiohttp.ClientConnectorCertificateError):
            # Of the same family as what it is about, which says more.
            found = found.certificate_error
        if isinstance(found, ssl.SSLCertVerificationError):
            return "the server's certificate is not accepted: " + _VERIFY.get(
                found.verify_code, found.verify_message
            )
        if isinstance(found, ssl.SSLError):
            return _of_alert(found)
        found = _behind(found)
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"the server cannot be reached: {error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "the server ended the connection without an answer" + (
            "; that is how a server ends it that does not accept our certificate"
            if certificate
            else ""
        )
    return f"the connection failed: {str(error) or repr(error)}"


def _behind(error: BaseException) -> BaseException | None:
    inner = getattr(error, "os_error", None)
    if isinstance(inner, BaseException) and inner is not error:
        return inner
    return error.__cause__ or error.__context__


def _of_alert(error: ssl.SSLError) -> str:
    reason = str(error.reason or error)
    for name, words in _ALERTS.items():
        if name in reason:
            return f"the server does not accept our certificate: {words}"
    if "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason:
        return (
            "the server does not speak TLS at this address; use http: or another port"
        )
    return f"no secure connection: {reason.replace('_', ' ').lower()}"


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


def skew_of(date: str | None, now: float) -> float | None:
    """Return by how much the server's clock is ahead of ours (its HTTP Date)."""
    if date is None:
        return None
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except ValueError:
        return None


def of_skew(skew: float | None) -> str:
    """Return what to say of the server's clock; nothing if it agrees with ours."""
    if skew is None or abs(skew) <= CLOCKS_AGREE:
        return ""
    side = "ahead of" if skew > 0.0 else "behind"
    return (
        f"the server's clock is {abs(skew):.0f} s {side} ours; events begin and end"
        " by the clock here, so set both"
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
