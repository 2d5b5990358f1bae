"""What is wrong with a connection to a utility, in words that name what to do.

A library says `[SSL: TLSV1_ALERT_UNKNOWN_CA]`; whoever has to call the utility needs
to know whose certificate it is about. Needs none of the packages that only one of the
protocols does.
"""

import ssl

import aiohttp

from .openadr_http import moment_of

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


def skew_of(date: str | None, now: float) -> float | None:
    """Return by how much the server's clock is ahead of ours (its HTTP Date)."""
    at = None if date is None else moment_of(date)
    return None if at is None else at - now


def of_skew(skew: float | None) -> str:
    """Return what to say of the server's clock; nothing if it agrees with ours."""
    if skew is None or abs(skew) <= CLOCKS_AGREE:
        return ""
    side = "ahead of" if skew > 0.0 else "behind"
    return (
        f"the server's clock is {abs(skew):.0f} s {side} ours; events begin and end"
        " by the clock here, so set both"
    )
