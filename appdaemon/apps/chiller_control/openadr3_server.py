"""A server of OpenADR 3 as it is asked: with a token, page by page, within bounds.

Whatever it answers is contents or a `ServerRefused` that says what to do about it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import json
from math import isfinite
import ssl
from typing import Any, Literal, TypeAlias

import aiohttp

from .openadr_http import TooMuch, beginning, content_of, moved, retry_after
from .openadr_words import skew_of
from .ven import Health

Version: TypeAlias = Literal["3.0", "3.1"]

PAGE = 50
"""Objects a request; the most that the specification lets a server give."""
MOST_PAGES = 20
_TIMEOUT = aiohttp.ClientTimeout(total=30.0)
_EARLY = 60.0
"""Seconds before its end at which a token is fetched anew, half of its time at most."""
_TOKEN_LASTS = 3600.0
_DO: Mapping[int, str] = {
    401: "; look at the client id and its secret",
    403: "; the utility has to allow it to this client",
    404: "; look at the address",
    429: "; it is asked too often: have it asked more rarely",
}


@dataclass(frozen=True, slots=True)
class Ven3Settings:
    """How a utility's server is reached."""

    name: str
    ven_name: str
    url: str
    client_id: str
    client_secret: str
    version: Version = "3.1"
    token_url: str | None = None
    """None: the server is asked for it (3.1), or has it at /auth/token."""
    program: str | None = None
    """The name of the only program whose events count; None: all of them."""
    poll: float = 30.0
    authority: str | None = None
    """A PEM file of who vouches for the server's certificate; None: the system's."""
    callback_url: str | None = None
    """Where the server reaches `callback_listen` from outside; None: it only is
    polled, which is all that works behind most firewalls."""
    callback_listen: str = "127.0.0.1:8124"
    """Where notifications are taken; a proxy in front of it speaks TLS."""


class ServerRefused(Exception):
    """An answer that is none; says what the server said, with its HTTP status."""

    def __init__(
        self, message: str, status: int | None = None, after: float = 0.0
    ) -> None:
        """Say what was wrong, and for how many seconds not to ask again."""
        super().__init__(message)
        self.status = status
        self.after = after


@dataclass
class Server3:
    """One server, and the token that it gave us."""

    settings: Ven3Settings
    clock: Callable[[], float]
    health: Health
    _token: str | None = None
    _token_ends: float = 0.0

    async def session(self) -> aiohttp.ClientSession:
        """Return a session in which this server can be spoken to.

        Raises ServerRefused where the authority's file cannot be used.
        """
        trusted: ssl.SSLContext | bool = True
        if self.settings.authority is not None:
            try:
                trusted = await asyncio.to_thread(
                    ssl.create_default_context, cafile=self.settings.authority
                )
            except (OSError, ValueError) as error:
                raise ServerRefused(
                    f"the authority's certificate {self.settings.authority} cannot be"
                    f" used: {error}"
                ) from error
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted),
            timeout=_TIMEOUT,
            auto_decompress=False,
        )

    async def listed(
        self, session: aiohttp.ClientSession, what: str, query: Mapping[str, str]
    ) -> list[Any]:
        """Return all that a server lists of something.

        Raises ServerRefused, also for a list that does not end: what is left out of
        it would look as if it were not there.
        """
        found: list[Any] = []
        for page in range(MOST_PAGES):
            asked = {**query, "skip": str(page * PAGE), "limit": str(PAGE)}
            part = await self.call(session, "GET", what, params=asked)
            if not isinstance(part, list):
                raise ServerRefused(f"the server's list of {what} is no list")
            found += part
            if len(part) < PAGE:
                return found
        raise ServerRefused(
            f"the server lists {MOST_PAGES * PAGE} {what} and more; give the name of"
            " the program that counts"
        )

    async def call(
        self, session: aiohttp.ClientSession, method: str, what: str, **request: Any
    ) -> Any:
        """Do a request, with a fresh token if the one we have is not taken."""
        for attempt in (1, 2):
            # A server of public information gives no credentials, and wants none.
            headers = (
                {"Authorization": f"Bearer {await self._bearer(session)}"}
                if self.settings.client_id
                else {}
            )
            async with session.request(
                method,
                f"{self.settings.url.rstrip('/')}/{what}",
                headers=headers,
                allow_redirects=False,
                **request,
            ) as answer:
                self.health.skew = skew_of(answer.headers.get("Date"), self.clock())
                if answer.status in (401, 403) and attempt == 1:
                    self._token = None
                    continue
                return await self._content(answer, f"{method} {what}")
        raise AssertionError("unreachable")

    async def _bearer(self, session: aiohttp.ClientSession) -> str:
        if self._token is not None and self.clock() < self._token_ends:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
        }
        async with session.post(
            await self._token_url(session), data=form, allow_redirects=False
        ) as answer:
            given = await self._content(answer, "token")
        token = given.get("access_token") if isinstance(given, Mapping) else None
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            raise ServerRefused("the server gave no token")
        lasts = _lasting(given.get("expires_in"))
        self._token = token
        self._token_ends = self.clock() + lasts - min(_EARLY, lasts / 2.0)
        return token

    async def _token_url(self, session: aiohttp.ClientSession) -> str:
        url = self.settings.url.rstrip("/")
        if self.settings.token_url is not None:
            return self.settings.token_url
        if self.settings.version == "3.0":
            return f"{url}/auth/token"
        async with session.get(f"{url}/auth/server", allow_redirects=False) as answer:
            if answer.status == 404:
                return f"{url}/auth/token"
            given = await self._content(answer, "auth/server")
        if not isinstance(given, Mapping) or not given.get("tokenURL"):
            raise ServerRefused("the server does not say where tokens are given")
        found = str(given["tokenURL"])
        if url.lower().startswith("https:") and not found.lower().startswith("https:"):
            raise ServerRefused(
                "the server wants the secret at an address without https; give the"
                " address for tokens"
            )
        return found

    async def _content(self, answer: aiohttp.ClientResponse, what: str) -> Any:
        """Return what was answered. Raises ServerRefused naming what was asked."""
        try:
            content = await content_of(answer)
        except TooMuch as error:
            raise ServerRefused(f"{what}: the answer is {error}") from error
        if elsewhere := moved(answer.status, answer.headers):
            raise ServerRefused(f"{what}: {elsewhere}", answer.status)
        if not 200 <= answer.status < 300:
            asked = what.startswith("GET") or answer.status != 404
            raise ServerRefused(
                f"{what}: the server answered {answer.status} {beginning(content)}"
                + (_DO.get(answer.status, "") if asked else ""),
                answer.status,
                retry_after(answer.headers, self.clock()),
            )
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ServerRefused(f"{what}: the answer is not JSON ({error})") from error


def _lasting(said: object) -> float:
    """Return for how many seconds a token is taken."""
    try:
        lasts = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _TOKEN_LASTS
    return lasts if isfinite(lasts) and lasts > 0.0 else _TOKEN_LASTS
