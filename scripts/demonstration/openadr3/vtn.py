"""A VTN of OpenADR 3: objects and tokens in memory, and what it may say.

Each request and each answer is held against what the published interface description
demands of its version (`schema`); what is wrong is kept in `violations`, and
whoever ran it fails.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
import ssl
from typing import Any

from aiohttp import ClientError, ClientSession, web

from .schema import (
    AUTH_SERVER,
    PROBLEM,
    TOKEN,
    TOKEN_ERROR,
    TOKEN_REQUEST,
    Check,
    schemas,
)

PROGRAM = "shed"
CLIENT, SECRET = "c1", "s3"
_KINDS = {
    "programs": "program",
    "events": "event",
    "vens": "ven",
    "reports": "report",
    "subscriptions": "subscription",
}


@dataclass
class Vtn3:
    """What the server has, and what it was asked."""

    version: str = "3.1"
    url: str = ""
    programs: list[dict[str, Any]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    vens: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: int = 0
    valid_token: str = ""
    broken: int | None = None
    """A status that everything is answered with."""
    public: bool = False
    """Gives everything to everybody."""
    lies: bool = False
    """Gives events that no server may give."""
    violations: list[str] = field(default_factory=list)
    proxy: tuple[str, str] = ("", "")
    """The plant's address outside, and what stands behind it."""
    told: Callable[[str, dict[str, Any]], None] = lambda _kind, _object: None
    """Is called with each object that a VEN made, and each that it was given."""

    def __post_init__(self) -> None:
        """Begin with one program."""
        self._checks = schemas(self.version)
        self.programs.append(self.made("program", "p1", {"programName": PROGRAM}))

    def made(self, kind: str, identity: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as the server keeps it, of what was sent."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        owned = (
            {"clientID": CLIENT}
            if self.version == "3.1" and kind in ("ven", "report", "subscription")
            else {}
        )
        return {
            **sent,
            **owned,
            "id": identity,
            "objectType": kind.upper(),
            "createdDateTime": now,
            "modificationDateTime": now,
        }

    def application(self) -> web.Application:
        """Return what answers requests."""
        app = web.Application()
        app.router.add_get("/auth/server", self._auth_server)
        app.router.add_post("/auth/token", self._token)
        app.router.add_get("/{what}", self._read)
        app.router.add_post("/{what}", self._write)
        app.router.add_delete("/{what}/{id}", self._delete)
        return app

    def _hold(self, check: Check, value: object, where: str) -> list[str]:
        wrong = check(value, where)
        self.violations += wrong
        return wrong

    def _say(
        self, check: Check, contents: Any, where: str, status: int
    ) -> web.Response:
        self._hold(check, contents, f"answer to {where}")
        return web.json_response(contents, status=status)

    def _problem(self, status: int, title: str, **more: str) -> web.Response:
        contents = {"title": title, "status": status, **more}
        return self._say(PROBLEM, contents, title, status)

    async def _auth_server(self, request: web.Request) -> web.Response:
        if self.version == "3.0":
            return self._problem(404, "Not Found")
        return self._say(
            AUTH_SERVER, {"tokenURL": f"{self.url}/auth/token"}, "auth/server", 200
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self._hold(TOKEN_REQUEST, form, "token request")
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return self._say(TOKEN_ERROR, {"error": "invalid_client"}, "token", 400)
        self.tokens += 1
        self.valid_token = f"token-{self.tokens}"
        contents = {
            "access_token": self.valid_token,
            "expires_in": 3600,
            "token_type": "Bearer",
        }
        return self._say(TOKEN, contents, "token", 200)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.asked.append(f"{request.method} {request.path}")
        if self.broken is not None:
            return self._problem(self.broken, "broken")
        if (
            not self.public
            and request.headers.get("Authorization") != f"Bearer {self.valid_token}"
        ):
            return self._problem(403, "Forbidden")
        return None

    async def _read(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        what = request.match_info["what"]
        found: list[Any] = getattr(self, what)
        query = request.query
        for name in ("programID", "venName", "clientName"):
            if name in query:
                found = [
                    item
                    for item in found
                    if not isinstance(item, dict) or item.get(name) == query[name]
                ]
        skip, limit = int(query.get("skip", 0)), int(query.get("limit", 50))
        if not 0 <= limit <= 50:
            self.violations.append(f"limit {limit}")
            return self._problem(400, "Bad Request")
        page = found[skip : skip + limit]
        for number, item in enumerate(page):
            if not (self.lies and what == "events"):
                self._hold(self._checks[_KINDS[what]], item, f"{what}[{number}]")
                self.told(f"given {_KINDS[what]}", item)
        return web.json_response(page)

    async def _write(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        what = request.match_info["what"]
        kind, sent = _KINDS[what], await request.json()
        if wrong := self._hold(self._checks[f"{kind}_request"], sent, f"new {kind}"):
            return self._problem(400, "Bad Request", detail="; ".join(wrong))
        if what == "subscriptions":
            for row in sent["objectOperations"]:
                if not await self._belongs(row["callbackUrl"]):
                    return self._problem(400, "Bad Request", detail="no echo")
        kept: list[dict[str, Any]] = getattr(self, what)
        sent.pop("objectType", None)
        made = self.made(kind, f"{what}-{len(self.asked)}", sent)
        kept.append(made)
        self.told(f"new {kind}", made)
        return self._say(self._checks[kind], made, f"new {kind}", 201)

    async def _delete(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        kept = getattr(self, request.match_info["what"])
        for item in kept:
            if item["id"] == request.match_info["id"]:
                kept.remove(item)
                return web.json_response(item)
        return self._problem(404, "Not Found")

    async def _belongs(self, url: str) -> bool:
        """Whether who subscribes answers there (Definition, Webhooks)."""
        if not url.startswith("https://"):
            self.violations.append(f"{url} is not safe")
            return False
        try:
            async with (
                ClientSession() as session,
                session.get(self._behind(url), params={"echo": "a1b2"}) as answer,
            ):
                return (answer.status, await answer.text()) == (200, "a1b2")
        except ClientError:
            return False

    def _behind(self, url: str) -> str:
        return url.replace(*self.proxy) if self.proxy[0] else url

    async def notify(
        self, event: dict[str, Any], token: str | None = None
    ) -> list[int]:
        """Tell who subscribed that an event is new; return how each answered."""
        contents = {
            "objectType": "EVENT",
            "operation": "CREATE" if self.version == "3.1" else "POST",
            "object": event,
        }
        self._hold(self._checks["notification"], contents, "notification")
        answers = []
        async with ClientSession() as session:
            for subscription in self.subscriptions:
                for row in subscription["objectOperations"]:
                    bearer = row["bearerToken"] if token is None else token
                    async with session.post(
                        self._behind(row["callbackUrl"]),
                        json=contents,
                        headers={"Authorization": f"Bearer {bearer}"},
                    ) as answer:
                        answers.append(answer.status)
        return answers


@asynccontextmanager
async def vtn3(
    version: str = "3.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Vtn3]:
    """Serve while the block lasts. Raises AssertionError for what was not as published."""
    server = Vtn3(version)
    runner = web.AppRunner(server.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
    if server.violations:
        raise AssertionError("; ".join(server.violations))
