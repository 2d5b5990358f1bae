"""The forms of a connection to a utility: what its OpenADR server wants to know.

Passwords are stored with the plant's configuration and go to the control engine
alone. Certificates stay in files that the engine reads.
"""

from collections.abc import Mapping
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ..demand_response.settings import SECRETS, SUBENTRY_UTILITY

CONF_NAME = "name"
_OPENADR_2 = "2.0b"
_LONGEST_NAME = 60
_FINGERPRINT_DIGITS = 20
"""Of a certificate in OpenADR 2.0b: the end of its SHA-256, 64 digits in all."""
_EXAMPLES = {
    _OPENADR_2: "https://vtn.example.com/OpenADR2/Simple/2.0b",
    "3.0": "https://vtn.example.com/openadr3/3.0.1",
    "3.1": "https://vtn.example.com/openadr3/3.1.0",
}
"""How addresses look, by protocol."""
_CALLBACK_EXAMPLE = "https://site.example.com/openadr"

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_URL = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))


def _seconds(low: int, high: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=low,
            max=high,
            step=1,
            unit_of_measurement="s",
            mode=NumberSelectorMode.BOX,
        )
    )


_COMMON: dict[vol.Marker, Any] = {
    vol.Required(CONF_NAME): TextSelector(),
    vol.Required("ven_name"): TextSelector(),
    vol.Required("url"): _URL,
}
SCHEMA_2 = vol.Schema(
    {
        **_COMMON,
        vol.Optional("ven_id"): TextSelector(),
        vol.Optional("certificate"): TextSelector(),
        vol.Optional("key"): TextSelector(),
        vol.Optional("passphrase"): _PASSWORD,
        vol.Optional("authority"): TextSelector(),
        vol.Optional("fingerprint"): TextSelector(),
        vol.Required("sign", default=True): BooleanSelector(),
        vol.Required("check_hostname", default=True): BooleanSelector(),
        vol.Required("report_interval", default=60): _seconds(1, 3600),
    }
)
SCHEMA_3 = vol.Schema(
    {
        **_COMMON,
        vol.Required("client_id"): TextSelector(),
        vol.Required("client_secret"): _PASSWORD,
        vol.Optional("token_url"): _URL,
        vol.Optional("authority"): TextSelector(),
        vol.Optional("program"): TextSelector(),
        vol.Required("poll", default=30): _seconds(5, 3600),
        vol.Optional("callback_url"): _URL,
        vol.Optional("callback_listen"): TextSelector(),
        vol.Required("report_interval", default=60): _seconds(1, 3600),
    }
)


class UtilityFlow(ConfigSubentryFlow):
    """Adds a connection to a utility, or changes one."""

    _typed: Mapping[str, Any] = {}
    """Passwords of a form that was refused for something else."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Let the person choose what the utility speaks."""
        return self.async_show_menu(
            step_id="user", menu_options=["openadr_2", "openadr_30", "openadr_31"]
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what is known of a connection."""
        protocol = self._get_reconfigure_subentry().data["protocol"]
        return await {
            _OPENADR_2: self.async_step_openadr_2,
            "3.0": self.async_step_openadr_30,
            "3.1": self.async_step_openadr_31,
        }[protocol]()

    async def async_step_openadr_2(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how a server of OpenADR 2.0b is reached."""
        return self._connection("openadr_2", _OPENADR_2, SCHEMA_2, user_input)

    async def async_step_openadr_30(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how a server of OpenADR 3.0.1 is reached."""
        return self._connection("openadr_30", "3.0", SCHEMA_3, user_input)

    async def async_step_openadr_31(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how a server of OpenADR 3.1 is reached."""
        return self._connection("openadr_31", "3.1", SCHEMA_3, user_input)

    def _connection(
        self,
        step_id: str,
        protocol: str,
        schema: vol.Schema,
        user_input: dict[str, Any] | None,
    ) -> SubentryFlowResult:
        changed = self.source == SOURCE_RECONFIGURE
        errors: dict[str, str] = {}
        known: dict[str, Any] = {}
        if changed:
            subentry = self._get_reconfigure_subentry()
            known = {CONF_NAME: subentry.title, **subentry.data}
        shown: Mapping[str, Any] = known
        if user_input is not None:
            shown = fields = _tidied(user_input)
            fields = {**_passwords({**known, **self._typed}, fields), **fields}
            errors = {
                **self._taken(fields.get(CONF_NAME, "")),
                **_problems(fields, schema),
            }
            self._typed = {key: fields[key] for key in SECRETS if key in fields}
            if not errors:
                name = fields.pop(CONF_NAME)
                data = {"protocol": protocol, **fields}
                if changed:
                    return self.async_update_and_abort(
                        self._get_entry(),
                        self._get_reconfigure_subentry(),
                        title=name,
                        unique_id=name.casefold(),
                        data=data,
                    )
                return self.async_create_entry(
                    title=name, data=data, unique_id=name.casefold()
                )
        if changed or self._typed:
            schema = _without_passwords(schema)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                schema,
                {key: value for key, value in shown.items() if key not in SECRETS},
            ),
            errors=errors,
            description_placeholders={
                "example": _EXAMPLES[protocol],
                "callback_example": _CALLBACK_EXAMPLE,
            },
        )

    def _taken(self, name: str) -> dict[str, str]:
        """Refuse a name that another connection has: events are known by it."""
        own = (
            self._get_reconfigure_subentry().subentry_id
            if self.source == SOURCE_RECONFIGURE
            else None
        )
        errors: dict[str, str] = {}
        if any(
            subentry.title.casefold() == name.casefold()
            for subentry in self._get_entry().subentries.values()
            if subentry.subentry_type == SUBENTRY_UTILITY
            and subentry.subentry_id != own
        ):
            errors[CONF_NAME] = "name_taken"
        return errors


def _without_passwords(schema: vol.Schema) -> vol.Schema:
    """Return a form in which a password that is left out stays as it is."""
    return vol.Schema(
        {
            vol.Optional(str(key)) if str(key) in SECRETS else key: field
            for key, field in schema.schema.items()
        }
    )


def _passwords(known: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the passwords that stay: that of a key only as long as there is one."""
    return {
        key: known[key]
        for key in SECRETS
        if key in known and (key != "passphrase" or "key" in fields)
    }


def _tidied(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled in, without the blanks around it."""
    tidy: dict[str, Any] = {}
    for key, value in user_input.items():
        if isinstance(value, str):
            # Blanks may be part of a password.
            value = value if key in ("passphrase", "client_secret") else value.strip()
            if not value:
                continue
        tidy[key] = value
    if (fingerprint := _fingerprint(tidy.get("fingerprint"))) is not None:
        tidy["fingerprint"] = fingerprint
    return tidy


def _fingerprint(text: str | None) -> str | None:
    """Return a fingerprint as OpenADR writes it, also of a whole SHA-256.

    None if it is neither.
    """
    digits = re.sub(r"[\s:]", "", text or "").upper()
    if re.fullmatch(r"[0-9A-F]{20}|[0-9A-F]{64}", digits) is None:
        return None
    end = digits[-_FINGERPRINT_DIGITS:]
    return ":".join(end[at : at + 2] for at in range(0, _FINGERPRINT_DIGITS, 2))


def _problems(fields: Mapping[str, Any], schema: vol.Schema) -> dict[str, str]:
    """Say what is wrong with a form, by its fields."""
    errors: dict[str, str] = {}
    for key in schema.schema:
        if isinstance(key, vol.Required) and str(key) not in fields:
            errors[str(key)] = "not_empty"
    # The name is the first part of each event's key.
    name = fields.get(CONF_NAME, "")
    if len(name) > _LONGEST_NAME or ":" in name:
        errors[CONF_NAME] = "name_too_long"
    for address in ("url", "token_url", "callback_url"):
        if address not in fields:
            continue
        parts = _split(fields[address])
        if parts is None:
            errors[address] = "not_an_address"
        elif parts[0] != "https" and not _near(parts[1]):
            errors[address] = "not_encrypted"
    if ("certificate" in fields) != ("key" in fields):
        missing = "key" if "certificate" in fields else "certificate"
        errors[missing] = "both_files"
    if ("callback_url" in fields) != ("callback_listen" in fields):
        missing = "callback_listen" if "callback_url" in fields else "callback_url"
        errors.setdefault(missing, "both_addresses")
    elif "callback_listen" in fields and not _is_socket(fields["callback_listen"]):
        errors["callback_listen"] = "not_a_socket"
    if "passphrase" in fields and not {"certificate", "key"} & fields.keys():
        errors["passphrase"] = "passphrase_of_nothing"
    if "fingerprint" in fields and _fingerprint(fields["fingerprint"]) is None:
        errors["fingerprint"] = "not_a_fingerprint"
    return errors


def _split(address: str) -> tuple[str, str] | None:
    """Return scheme and host of an address; None if it is none."""
    try:
        parts = urlsplit(address)
        # Reading the port finds one that is none.
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username:
        return None
    return parts.scheme, host


def _is_socket(text: str) -> bool:
    """Whether a text is a host and a port, such as `0.0.0.0:8124`."""
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def _near(host: str) -> bool:
    """Whether an unencrypted connection stays in the building."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback
