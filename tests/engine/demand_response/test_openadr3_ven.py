"""Events of an OpenADR 3 server are kept as they are, and its troubles waited out."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from certificates import Authority
from chiller_control.control.demand_response.event_book import Told
from chiller_control.openadr3_ven import ReportRow, ServerRefused, Version
from chiller_control.ven import Refusal
from demonstration.openadr3.vtn import Vtn3, vtn3
from openadr3_site import VERSIONS, Site, kept, site_at, until
from openadr3_wire import always, between3
import pytest
from utility_events import START, new_event
from utility_server import free_port


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_new_event_is_kept_and_told_once(version: Version) -> None:
    async with vtn3(version) as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event())
        await site.ven.fetch(session)
        await site.ven.fetch(session)
        assert [item.what for item in site.told if isinstance(item, Told)] == [
            "received"
        ]
        assert site.ven.book.entries["grid:e1"].event.start == START.timestamp()
        assert len(site.stored) == 1
        assert [item["venName"] for item in server.vens] == ["plant"]
        assert site.ven.health.stands == "registered"


async def test_a_ven_that_is_known_already_is_not_made_twice() -> None:
    async with vtn3() as server, ClientSession() as session:
        await site_at(server).ven.fetch(session)
        await site_at(server).ven.fetch(session)
        assert len(server.vens) == 1


async def test_an_event_that_is_withdrawn_ends() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event())
        await site.ven.fetch(session)
        server.events.clear()
        await site.ven.fetch(session)
        assert site.ven.book.status("grid:e1", site.now) == "cancelled"
        assert site.stored[-1][0]["cancelled"] == site.now


async def test_a_server_that_fails_withdraws_nothing() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event())
        await site.ven.fetch(session)
        server.broken = 500
        with pytest.raises(ServerRefused, match="500"):
            await site.ven.fetch(session)
        assert site.ven.book.status("grid:e1", site.now) == "near"


async def test_events_of_other_programs_and_of_the_past_do_not_count() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events += [
            new_event(programID="other"),
            new_event(id="old", intervalPeriod={"start": "2020-01-01T00:00:00Z", "duration": "PT1H"}),
        ]  # fmt: skip
        await site.ven.fetch(session)
        assert not site.ven.book.entries
        assert not site.told


async def test_more_events_than_a_page_are_all_fetched() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events += [new_event(id=str(number)) for number in range(120)]
        await site.ven.fetch(session)
        assert len(site.ven.book.entries) == 120


async def test_what_cannot_be_kept_is_told_once_and_the_others_are_taken() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.lies = True
        server.events += [new_event(id="odd", intervals=[]), 7, new_event(id="fine")]
        await site.ven.fetch(session)
        await site.ven.fetch(session)
        refused = [item for item in site.told if isinstance(item, Refusal)]
        assert [item.event_id for item in refused] == ["odd", "?"]
        assert list(site.ven.book.entries) == ["grid:fine"]


async def test_a_token_that_is_no_longer_taken_is_fetched_anew() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        await site.ven.fetch(session)
        server.valid_token = "revoked"
        await site.ven.fetch(session)
        assert server.tokens == 2
        site.now += 3550
        await site.ven.fetch(session)
        assert server.tokens == 3


async def test_wrong_credentials_and_programs_are_said() -> None:
    async with vtn3() as server, ClientSession() as session:
        with pytest.raises(ServerRefused, match="token: the server answered 400"):
            await site_at(server, client_secret="wrong").ven.fetch(session)
        with pytest.raises(ServerRefused, match="no program 'sheds'"):
            await site_at(server, program="sheds").ven.fetch(session)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_was_given_is_reported(version: Version) -> None:
    async with vtn3(version) as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event())
        await site.ven.fetch(session)
        row = ReportRow(
            START.timestamp(),
            900.0,
            {
                "DEMAND": 412.5,
                "BASELINE": 500.0,
                "OPERATING_STATE": "RUNNING_CURTAILED",
                "LOAD_SHED_DELTA_AVAILABLE": 85.0,
                "DATA_QUALITY": "OK",
            },
        )
        await site.ven.report(session, "grid:e1", "meter", [row])
        interval = server.reports[0]["resources"][0]["intervals"][0]
        assert interval["intervalPeriod"] == {
            "start": "2026-06-24T14:00:00Z",
            "duration": "PT900S",
        }
        payloads = {item["type"]: item["values"] for item in interval["payloads"]}
        assert payloads == {kind: [value] for kind, value in row.values.items()}


async def test_a_server_that_is_away_is_waited_out() -> None:
    async with vtn3() as server:
        url = server.url
        port = int(url.rsplit(":", 1)[1])
        site = site_at(server)
    running = asyncio.create_task(site.ven.run())
    try:
        await until(lambda: site.ven.health.stands == "lost")
        async with vtn3(port=port) as server:
            server.events.append(new_event())
            await until(lambda: "grid:e1" in site.ven.book.entries)
            assert site.ven.health.stands == "registered"
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_what_a_full_disk_did_not_keep_is_kept_in_the_next_round() -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        keep = site.ven.store

        async def full() -> None:
            raise OSError("no space left")

        server.events.append(new_event())
        site.ven.store = full
        with pytest.raises(OSError, match="no space"):
            await site.ven.fetch(session)
        site.ven.store = keep
        await site.ven.fetch(session)
        assert site.stored[-1][0]["event"]["id"] == "e1"
        await site.ven.fetch(session)
        assert len(site.stored) == 1


OUTSIDE = "https://plant.example.com"


def told_at(server: Vtn3, **settings: Any) -> Site:
    """Return a site that wants to be told, behind a proxy, and polls once an hour."""
    inside = f"127.0.0.1:{free_port()}"
    server.proxy = (OUTSIDE, f"http://{inside}")
    return site_at(
        server,
        **{
            "callback_url": f"{OUTSIDE}/openadr",
            "callback_listen": inside,
            "poll": 3600.0,
        }
        | settings,
    )


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_notification_has_the_events_fetched_at_once(version: Version) -> None:
    async with vtn3(version) as server:
        site = told_at(server)
        async with kept(site):
            await until(lambda: bool(server.subscriptions))
            await until(lambda: site.ven.health.stands == "registered")
            assert "polling only" not in site.ven.health.why
            server.events.append(new_event())
            assert await server.notify(new_event()) == [200]
            await until(lambda: "grid:e1" in site.ven.book.entries)


async def test_what_a_notification_says_is_not_believed() -> None:
    async with vtn3() as server:
        site = told_at(server)
        async with kept(site):
            await until(lambda: bool(server.subscriptions))
            await until(lambda: site.ven.health.stands == "registered")
            asked = server.asked.count("GET /events")
            assert await server.notify(new_event(), token="guessed") == [401]
            assert await server.notify(new_event(id="invented")) == [200]
            await until(lambda: server.asked.count("GET /events") > asked)
            assert not site.ven.book.entries
            # The one with a wrong token had nothing fetched.
            assert server.asked.count("GET /events") == asked + 1


async def test_a_subscription_of_before_is_taken_back() -> None:
    async with vtn3() as server:
        site = told_at(server)
        async with kept(site):
            await until(lambda: bool(server.subscriptions))
            first = server.subscriptions[0]["id"]
        again = told_at(server)
        async with kept(again):
            await until(
                lambda: (
                    [item["id"] for item in server.subscriptions] != [first]
                    and bool(server.subscriptions)
                )
            )
            assert len(server.subscriptions) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_subscription_that_the_server_forgot_is_asked_for_again(
    version: Version,
) -> None:
    async with vtn3(version) as server:
        site = told_at(server, poll=3.0)
        async with kept(site):
            await until(lambda: bool(server.subscriptions))
            first = server.subscriptions[0]["id"]
            # One that stands is left as it is, however often it is looked at.
            looked = "GET /subscriptions"
            await until(lambda: server.asked.count(looked) > 2)
            assert [item["id"] for item in server.subscriptions] == [first]
            server.subscriptions.clear()
            await until(lambda: bool(server.subscriptions))
            server.events.append(new_event())
            assert await server.notify(new_event()) == [200]
            await until(lambda: "grid:e1" in site.ven.book.entries)


@pytest.mark.parametrize("listed", [[7], [{}], {}, None])
async def test_subscriptions_that_nobody_can_read_leave_polling(listed: object) -> None:
    async with vtn3() as server, between3(server) as wire:
        site = told_at(server, poll=0.05, url=wire.url)
        wire.rule = always("GET /subscriptions", lambda: web.json_response(listed))
        async with kept(site):
            await until(lambda: "events come by polling only" in site.ven.health.why)
            server.events.append(new_event())
            await until(lambda: "grid:e1" in site.ven.book.entries)
            assert site.ven.health.stands == "registered"


async def test_an_address_that_is_taken_leaves_polling() -> None:
    async with vtn3() as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        site = told_at(server, callback_listen=f"{host}:{port}", poll=0.05)
        async with kept(site):
            await until(lambda: "events come by polling only" in site.ven.health.why)
            server.events.append(new_event())
            await until(lambda: "grid:e1" in site.ven.book.entries)
            assert not server.subscriptions


async def test_an_address_that_is_not_safe_or_not_reached_leaves_polling() -> None:
    async with vtn3() as server:
        site = told_at(server, callback_url="http://plant.example.com")
        async with kept(site):
            await until(lambda: "must begin with https://" in site.ven.health.why)
        beside = told_at(server)
        server.proxy = (OUTSIDE, f"http://127.0.0.1:{free_port()}")
        async with kept(beside):
            await until(lambda: "no echo" in beside.ven.health.why)
            assert beside.ven.health.stands == "registered"


async def test_a_server_of_public_prices_wants_no_credentials() -> None:
    async with vtn3() as server, ClientSession() as session:
        server.public = True
        site = site_at(server, client_id="", client_secret="")
        server.events.append(new_event())
        await site.ven.fetch(session)
        assert server.tokens == 0
        assert "grid:e1" in site.ven.book.entries


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intervals": None}, "it has no intervals"),
        ({"duration": "P30D"}, "its duration is 30 days"),
        ({"duration": "P9999Y"}, "it has no end"),
        (
            {"intervals": [{"id": 0, "payloads": 2 * [{"type": "SIMPLE", "values": [1]}]}]},
            "says SIMPLE twice",
        ),
    ],
)  # fmt: skip
async def test_what_is_new_in_3_1_and_cannot_be_done_is_refused_in_words(
    changes: dict[str, Any], words: str
) -> None:
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event(**changes))
        await site.ven.fetch(session)
        refused = [item for item in site.told if isinstance(item, Refusal)]
        assert words in refused[0].why


async def test_several_values_and_repeated_intervals_are_taken_as_3_1_means_them() -> (
    None
):
    async with vtn3() as server, ClientSession() as session:
        site = site_at(server)
        payloads = [
            {"type": "PRICE", "values": [0.1, 0.9, 0.5]},
            {"type": "SIMPLE", "values": [2]},
        ]
        server.events.append(
            new_event(intervals=[{"id": 0, "payloads": payloads}], duration="PT3H")
        )
        await site.ven.fetch(session)
        event = site.ven.book.entries["grid:e1"].event
        assert event.duration == 3 * 3600.0
        prices = next(item for item in event.signals if item.kind == "price")
        assert [item.value for item in prices.intervals] == 3 * [0.1, 0.9, 0.5]
        assert {item.duration for item in prices.intervals} == {1200.0}


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_double_says_what_the_description_does_not_allow(
    version: Version,
) -> None:
    async with vtn3(version) as server, ClientSession() as session:
        site = site_at(server)
        server.events.append(new_event(priority="high"))
        await site.ven.fetch(session)
        assert server.violations == ["events[0].priority: 'high' is no number"]
        server.violations.clear()


async def test_a_server_of_the_utilitys_own_authority_is_trusted_if_it_is_given(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    async with vtn3(tls=authority.paper("utility").served()) as server:
        server.events.append(new_event())
        site = site_at(server, authority=authority.certificate)
        async with kept(site):
            await until(lambda: "grid:e1" in site.ven.book.entries)
        stranger = site_at(server)
        async with kept(stranger):
            await until(
                lambda: (
                    "the authority behind it is unknown here" in stranger.ven.health.why
                )
            )
            assert not stranger.ven.book.entries
        lost = site_at(server, authority=str(tmp_path / "gone.pem"))
        async with kept(lost):
            await until(lambda: "gone.pem cannot be used" in lost.ven.health.why)


async def test_the_clock_of_the_server_is_said_if_it_is_wrong() -> None:
    async with vtn3() as server, ClientSession() as session:
        # The clock of the site stands in the past: the server's is ahead of it.
        site = site_at(server)
        await site.ven.fetch(session)
        assert site.ven.health.stands == "registered"
        assert "s ahead of ours" in site.ven.health.why
