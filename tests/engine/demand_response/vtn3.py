"""A VTN of OpenADR 3 for tests: programs, events, vens, reports, tokens, in memory.

It answers as the specification's interface description says: names, required
properties and status codes; what a client sends is held against the properties
that 3.0.1 and 3.1 require of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_REQUIRED = {
    "3.0": {
        "vens": {"venName"},
        "reports": {"programID", "eventID", "clientName", "resources"},
    },
    "3.1": {
        "vens": {"objectType", "venName"},
        "reports": {"eventID", "clientName", "resources"},
    },
}
_NOW = "2026-06-24T12:00:00Z"


@dataclass
class Vtn3:
    """What the server has, and what it was asked."""

    version: str = "3.1"
    url: str = ""
    programs: list[dict[str, Any]] = field(
        default_factory=lambda: [{"id": "p1", "programName": "shed"}]
    )
    events: list[Any] = field(default_factory=list)
    vens: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: int = 0
    valid_token: str = ""
    broken: int | None = None
    """A status that everything is answered with."""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/auth/server", self._auth_server)
        app.router.add_post("/auth/token", self._token)
        app.router.add_get("/{what}", self._read)
        app.router.add_post("/{what}", self._write)
        return app

    async def _auth_server(self, request: web.Request) -> web.Response:
        if self.version == "3.0":
            return web.json_response({"title": "Not Found"}, status=404)
        return web.json_response({"tokenURL": f"{self.url}/auth/token"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form["grant_type"], form["client_secret"]) != ("client_credentials", "s3"):
            return web.json_response({"error": "invalid_client"}, status=400)
        self.tokens += 1
        self.valid_token = f"token-{self.tokens}"
        return web.json_response(
            {
                "access_token": self.valid_token,
                "expires_in": 3600,
                "token_type": "Bearer",
            }
        )

    def _problem(self, request: web.Request) -> web.Response | None:
        self.asked.append(f"{request.method} {request.path}")
        if self.broken is not None:
            return web.json_response({"title": "broken"}, status=self.broken)
        if request.headers.get("Authorization") != f"Bearer {self.valid_token}":
            return web.json_response({"title": "Forbidden"}, status=403)
        return None

    async def _read(self, request: web.Request) -> web.Response:
        if (problem := self._problem(request)) is not None:
            return problem
        what = request.match_info["what"]
        found: list[Any] = getattr(self, what)
        query = request.query
        if "programID" in query:
            found = [
                item
                for item in found
                if not isinstance(item, dict)
                or item.get("programID") == query["programID"]
            ]
        if "venName" in query:
            found = [item for item in found if item["venName"] == query["venName"]]
        skip, limit = int(query.get("skip", 0)), int(query.get("limit", 50))
        if not 0 <= limit <= 50:
            return web.json_response({"title": "Bad Request"}, status=400)
        return web.json_response(found[skip : skip + limit])

    async def _write(self, request: web.Request) -> web.Response:
        if (problem := self._problem(request)) is not None:
            return problem
        what = request.match_info["what"]
        sent = await request.json()
        required = _REQUIRED[self.version][what]
        if missing := required - {
            key for key, value in sent.items() if value is not None
        }:
            return web.json_response(
                {"title": "Bad Request", "detail": f"missing {sorted(missing)}"},
                status=400,
            )
        kept: list[dict[str, Any]] = getattr(self, what)
        made = {
            **sent,
            "id": f"{what}-{len(kept)}",
            "createdDateTime": _NOW,
            "modificationDateTime": _NOW,
        }
        kept.append(made)
        return web.json_response(made, status=201)


@asynccontextmanager
async def vtn3(version: str = "3.1", port: int = 0) -> AsyncIterator[Vtn3]:
    server = Vtn3(version)
    runner = web.AppRunner(server.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
