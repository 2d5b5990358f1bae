"""What can come of a request instead of an answer, in words for people."""

from typing import Any

from bacpypes3.apdu import (
    AbortPDU,
    AbortReason,
    ErrorPDU,
    ErrorRejectAbortNack,
    RejectReason,
)


class RequestFailed(Exception):
    """A request did not bring what it was sent for; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class NoAnswer(RequestFailed):
    """Nothing came back within the time."""


class NotSent(NoAnswer):
    """Nothing went out: there is no way to the device, or no room for it."""


class TooMuch(RequestFailed):
    """The answer would be too long for the device, or for the way to us."""


class NotUnderstood(RequestFailed):
    """The device does not know this kind of request."""


class Busy(RequestFailed):
    """The device gave up for now."""


class Refused(RequestFailed):
    """The device answered with an error of BACnet; `code` is its name."""

    def __init__(self, reason: str, code: str) -> None:
        """Keep the code too."""
        super().__init__(reason)
        self.code = code


class Garbled(RequestFailed):
    """The answer makes no sense."""


_TOO_MUCH = frozenset(
    {
        AbortReason.other,
        AbortReason.bufferOverflow,
        AbortReason.segmentationNotSupported,
        AbortReason.windowSizeOutOfRange,
        AbortReason.applicationExceededReplyTime,
        AbortReason.outOfResources,
        AbortReason.apduTooLong,
    }
)


def failure(error: ErrorRejectAbortNack) -> RequestFailed:
    """Say an error, reject or abort of BACnet in words."""
    if isinstance(error, ErrorPDU):
        return Refused(describe_error(error), str(error.errorCode))
    reason, text = error.reason, f"the device gave up ({error.reason})"
    if isinstance(error, AbortPDU):
        if reason == AbortReason.noResponse:
            return NoAnswer("no answer")
        return TooMuch(text) if reason in _TOO_MUCH else Busy(text)
    if reason == RejectReason.bufferOverflow:
        return TooMuch(text)
    text = f"the device does not understand the request ({reason})"
    if reason == RejectReason.unrecognizedService:
        return NotUnderstood(text)
    return Refused(text, str(reason))


_IN_WORDS = {
    "unknown-object": "the device has no such object",
    "unknown-property": "the object has no such property",
    "write-access-denied": "the device does not let it be written",
    "read-access-denied": "the device does not let it be read",
    "value-out-of-range": "the value is outside the object's range",
}


def describe_error(error: Any) -> str:
    """Say a BACnet error in words, with its class and code for who looks it up."""
    code = f"{error.errorClass}, {error.errorCode}"
    words = _IN_WORDS.get(str(error.errorCode), "the device reports an error")
    return f"{words} ({code})"
