"""What every app does: wait for Home Assistant, ask what is to be done, and cycle.

AppDaemon starts an app before Home Assistant's actions and entities are
known, stops it when Home Assistant goes away and starts it anew afterwards.
So an app first asks until it gets an answer, and goes on from what was last
reported. Going away releases nothing: leases run out by themselves, and a
restart within the lease is not noticed by the plant.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time
from typing import Any, ClassVar

from appdaemon.exceptions import AppDaemonException
from appdaemon.plugins.hass.hassapi import Hass

from .house import CallFailed, NoAnswer
from .version import VERSION

DOMAIN = "chiller_plant"
ASK_INTERVAL = 60.0
"""Seconds after which is asked although nobody said that anything changed."""
CALL_TIMEOUT = 5.0
"""Seconds that Home Assistant is given to answer one call."""


class PlantApp(Hass):
    """The base of all apps; its methods run in the app's own thread."""

    asks: ClassVar[str]
    """The action that says what is to be done."""
    hears: ClassVar[str]
    """The event that says that this changed."""

    def initialize(self) -> None:
        """Start; called by AppDaemon."""
        self._asked_at: float | None = None
        self._ask_again = True
        self._unready: str | None = None
        self._timer: str | None = None
        self._stopped = False
        self._states: Mapping[str, Any] = {}
        self.listen_event(self._changed, self.hears)
        self._again(0)

    def terminate(self) -> None:
        """Stop; called by AppDaemon."""
        self._stopped = True
        if self._timer is not None:
            self.cancel_timer(self._timer, silent=True)

    # What an app adds.

    @property
    def interval(self) -> float:
        """Seconds from one cycle to the next."""
        raise NotImplementedError

    @property
    def known(self) -> str | None:
        """Revision of what is to be done, as far as it need not be said again."""
        return None

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take over what is to be done; raises KeyError, TypeError, ValueError."""
        raise NotImplementedError

    def cycle(self, now: float) -> None:
        """Do it once."""
        raise NotImplementedError

    # The round.

    def _again(self, delay: float) -> None:
        # The next cycle is asked for when this one is done, so that a slow
        # Home Assistant makes cycles rarer instead of piling them up.
        if not self._stopped:
            self._timer = self.run_in(self._run, delay)

    def _changed(self, event_type: str, data: dict[str, Any], **_: Any) -> None:
        self._ask_again = True

    def _run(self, **_: Any) -> None:
        try:
            # Not AppDaemon's get_now_ts: where the site's time zone is not that
            # of the machine, it is off by the difference.
            now = time()
            if self._ask(now):
                self._look()
                self.cycle(now)
        finally:
            self._again(self.interval)

    def _look(self) -> None:
        """Find where AppDaemon keeps what it hears of entities, for one cycle.

        To ask for each entity by itself takes a turn of AppDaemon's own thread,
        which has thousands of changes to take in where a plant is large; and what
        it keeps is another thing after Home Assistant was away.
        """
        found = None if self._stopped else self.get_state(copy=False)
        self._states = found if isinstance(found, Mapping) else {}

    def _ask(self, now: float) -> bool:
        """Ask when that is due; return whether it is known what is to be done."""
        due = self._asked_at is None or now - self._asked_at >= ASK_INTERVAL
        if not due and not self._ask_again:
            return True
        self._ask_again = False
        try:
            self._fetch()
        except CallFailed as err:
            self._ask_again = True
            if self._unready != str(err):
                self._unready = str(err)
                self.log(f"No plan yet: {err}", level="WARNING")
            # What was known is carried out as long as its commands are taken.
            return self._asked_at is not None
        self._unready = None
        self._asked_at = now
        return True

    def _fetch(self) -> None:
        data = {"engine_version": VERSION}
        if plant := self.args.get("plant"):
            data["plant"] = plant
        if (known := self.known) is not None:
            data["revision"] = known
        answer = self.call_now(self.asks, data, return_response=True)
        response = (answer.get("result") or {}).get("response") or {}
        if response == {"revision": known}:
            return
        try:
            self.take(response)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise CallFailed(f"{self.asks} is not understood: {err!r}") from err

    # Calls. Those of a thread wait for the answer; those of the event loop are awaited.

    def call_now(
        self, action: str, data: Mapping[str, Any], **options: Any
    ) -> dict[str, Any]:
        """Call from the app's thread; raises CallFailed, NoAnswer."""
        with _failures():
            answer = self.call_service(
                f"{DOMAIN}/{action}", **_options(data), **options
            )
        return _good(answer)

    async def call_soon(
        self, action: str, data: Mapping[str, Any], **options: Any
    ) -> dict[str, Any]:
        """Call from AppDaemon's event loop; raises CallFailed, NoAnswer."""
        with _failures():
            answer = await self.call_service(
                f"{DOMAIN}/{action}", **_options(data), **options
            )
        return _good(answer)

    # The house, as the engine sees it

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Return state and attributes of an entity."""
        found = None if self._stopped else self._states.get(entity_id)
        return found if isinstance(found, Mapping) else None

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Call an action of the integration."""
        if self._stopped:
            raise NoAnswer("the engine is stopping")
        self.call_now(action, data)

    def tell(self, message: str) -> None:
        """Write a line into AppDaemon's log."""
        if not self._stopped:
            self.log(message, level="WARNING")


def _options(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "hass_timeout": CALL_TIMEOUT,
        "suppress_log_messages": True,
        "service_data": dict(data),
    }


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except AppDaemonException as err:
        raise CallFailed(str(err) or type(err).__name__) from err
    except (TimeoutError, ConnectionError) as err:
        raise NoAnswer(str(err) or "Home Assistant is gone") from err


def _good(answer: object) -> dict[str, Any]:
    """Return an answer; raises CallFailed, NoAnswer where it is none."""
    if not isinstance(answer, dict):
        raise NoAnswer("Home Assistant is not connected")
    if not answer.get("success", False):
        error = answer.get("error")
        if not error:
            raise NoAnswer(f"no answer within {CALL_TIMEOUT:g} s")
        message = error.get("message") if isinstance(error, dict) else error
        raise CallFailed(str(message))
    return answer
