"""Only the utility itself is believed, and who is not says why in words."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
import time
from typing import Any

from certificates import Authority, Paper
from lxml import etree
import pytest
from utility_server import Plant, Vtn, between, free_port, plant, until, vtn


def server_options(
    authority: Authority, server: Paper, client: Paper, **more: Any
) -> dict[str, Any]:
    return {
        "cert": server.certificate,
        "key": server.key,
        "http_cert": server.certificate,
        "http_key": server.key,
        "authority": authority.certificate,
        "fingerprint": client.fingerprint,
    } | more


def plant_options(
    authority: Authority, server: Paper, client: Paper, **more: Any
) -> dict[str, Any]:
    return {
        "scheme": "https",
        "certificate": client.certificate,
        "key": client.key,
        "authority": authority.certificate,
        "fingerprint": server.fingerprint,
    } | more


async def nothing_is_acted_on(server: Vtn, site: Plant, words: str) -> None:
    await until(lambda: words in site.ven.health.why)
    server.tell(event="e1", start=time.time() + 600, duration=3600, level=2)
    before = site.ven.health.heard
    await until(lambda: words in site.ven.health.why)
    assert site.ven.health.heard == before
    assert not site.ven.book.entries
    assert not site.told
    assert not server.was_told(heard="opt")


async def test_with_certificates_and_signatures_events_and_reports_go_through(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    ours, theirs = authority.paper("plant", passphrase="s3"), authority.paper("utility")
    port = free_port()
    async with (
        vtn(port, **server_options(authority, theirs, ours)) as server,
        plant(port, **plant_options(authority, theirs, ours, passphrase="s3")) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=2)
        await until(lambda: server.was_told(heard="opt", event="e1", opt="optIn"))
        await until(lambda: server.was_told(heard="report", resource="meter"))
        assert site.ven.health.why == ""


@pytest.mark.parametrize(
    ("papers", "words"),
    [
        pytest.param(
            lambda known, _: (
                known.paper("plant"),
                known.paper("utility", since=-30, days=-1),
            ),
            "the server's certificate is not accepted: it has expired",
            id="expired",
        ),
        pytest.param(
            lambda known, other: (known.paper("plant"), other.paper("utility")),
            "the authority behind it is unknown here",
            id="of an unknown authority",
        ),
        pytest.param(
            lambda known, _: (
                known.paper("plant"),
                known.paper("utility", host="127.0.0.9"),
            ),
            "for another host than the address",
            id="of another host",
        ),
        pytest.param(
            lambda known, other: (other.paper("plant"), known.paper("utility")),
            "not accept our certificate",
            id="ours unknown to it",
        ),
    ],
)
async def test_a_server_with_a_certificate_that_does_not_fit_is_not_spoken_to(
    tmp_path: Path,
    papers: Callable[[Authority, Authority], tuple[Paper, Paper]],
    words: str,
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    ours, theirs = papers(authority, other)
    port = free_port()
    async with (
        vtn(port, **server_options(authority, theirs, ours)) as server,
        plant(port, **plant_options(authority, theirs, ours)) as site,
    ):
        await nothing_is_acted_on(server, site, words)


async def test_our_own_expired_certificate_is_named_before_anybody_is_asked(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    ours = authority.paper("plant", since=-30, days=-2)
    theirs = authority.paper("utility")
    async with plant(
        free_port(), **plant_options(authority, theirs, ours)
    ) as site:  # fmt: skip
        await until(lambda: "expired on" in site.ven.health.why)
        assert ours.certificate in site.ven.health.why
        assert site.ven.health.stands == "connecting"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda paper: {"certificate": f"{paper.certificate}.gone"}, "cannot be read"),
        (lambda paper: {"key": f"{paper.key}.gone"}, "cannot be read"),
        (lambda paper: {"passphrase": "wrong"}, "its passphrase is wrong"),
        (lambda paper: {"authority": paper.key}, "is no PEM certificate"),
    ],
)
async def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, spoil: Callable[[Paper], dict[str, str]], words: str
) -> None:
    authority = Authority(tmp_path)
    ours = authority.paper("plant", passphrase="s3")
    options = plant_options(authority, authority.paper("utility"), ours)
    options |= {"passphrase": "s3"} | spoil(ours)
    async with plant(free_port(), **options) as site:
        await until(lambda: words in site.ven.health.why)


async def test_messages_of_another_signer_are_not_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, theirs = authority.paper("plant"), authority.paper("utility")
    intruder = authority.paper("intruder")
    port = free_port()
    async with (
        vtn(
            port,
            **server_options(
                authority, theirs, ours, cert=intruder.certificate, key=intruder.key
            ),
        ) as server,
        plant(port, **plant_options(authority, theirs, ours)) as site,
    ):
        await nothing_is_acted_on(server, site, "signed by another certificate")


async def test_a_message_that_is_not_signed_is_not_believed(tmp_path: Path) -> None:
    theirs = Authority(tmp_path).paper("utility")
    port = free_port()
    async with (
        vtn(port) as server,
        plant(port, fingerprint=theirs.fingerprint) as site,
    ):
        await nothing_is_acted_on(server, site, "its message is not signed")


async def test_a_signer_whose_certificate_expired_is_not_believed(
    tmp_path: Path,
) -> None:
    theirs = Authority(tmp_path).paper("utility", since=-30, days=-1)
    port = free_port()
    async with (
        vtn(port, cert=theirs.certificate, key=theirs.key) as server,
        plant(port, fingerprint=theirs.fingerprint) as site,
    ):
        await nothing_is_acted_on(server, site, "a certificate that has expired")


async def test_a_message_that_was_changed_on_the_way_is_not_believed(
    tmp_path: Path,
) -> None:
    theirs = Authority(tmp_path).paper("utility")
    port = free_port()
    async with (
        vtn(port, cert=theirs.certificate, key=theirs.key) as server,
        between(port) as (wire, before),
        plant(before, fingerprint=theirs.fingerprint) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        changed: list[bytes] = []

        def change(answer: bytes) -> bytes:
            if b"oadrDistributeEvent" in answer:
                changed.append(answer)
            return answer.replace(b"<ei:value>1.0<", b"<ei:value>3.0<")

        wire.change = change
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=1.0)
        await until(lambda: "it was changed on the way" in site.ven.health.why)
        assert changed
        assert not site.ven.book.entries
        # What was not believed is asked for again.
        wire.change = None
        await until(lambda: "utility:e1" in site.ven.book.entries)
        signal = site.ven.book.entries["utility:e1"].event.signal()
        assert signal is not None
        assert signal.intervals[0].value == 1.0


OADR = "{http://openadr.org/oadr-2.0b/2012/07}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.mark.parametrize("identity", [None, "another", "oadrSignedObject"])
async def test_a_signed_copy_beside_other_contents_proves_nothing(
    tmp_path: Path, identity: str | None
) -> None:
    theirs = Authority(tmp_path).paper("utility")
    port = free_port()
    wrapped: list[bytes] = []

    def wrap(answer: bytes) -> bytes:
        if b"oadrDistributeEvent" not in answer:
            return answer
        root = etree.fromstring(answer)
        signed = root.find(f"{OADR}oadrSignedObject")
        invented = deepcopy(signed)
        if identity is None:
            del invented.attrib[f"{OADR}Id"]
        else:
            invented.set(f"{OADR}Id", identity)
        root.replace(signed, invented)
        etree.SubElement(root.find(f"{DS}Signature"), f"{DS}Object").append(signed)
        text = etree.tostring(root).replace(b"<ei:eventID>e1<", b"<ei:eventID>e2<", 1)
        wrapped.append(text)
        return bytes(text)

    async with (
        vtn(port, cert=theirs.certificate, key=theirs.key) as server,
        between(port) as (wire, before),
        plant(before, fingerprint=theirs.fingerprint) as site,
    ):
        await until(lambda: site.ven.health.stands == "registered")
        wire.change = wrap
        server.tell(event="e1", start=time.time() + 600, duration=3600, level=1.0)
        await until(lambda: "signature is not of what it says" in site.ven.health.why)
        assert wrapped
        assert not site.ven.book.entries
