"""Units as devices and point lists give them, and ours.

BACnet numbers its engineering units (ASHRAE 135, clause 21, BACnetEngineeringUnits);
point lists give the number, or write a text as they like. What is not here has
no quantity of ours, or no unit of the plant file; it is shown as it was found.
"""

import re
from types import MappingProxyType

_NUMBERS: dict[int, tuple[str, str | None]] = {
    2: ("milliamperes", None),
    3: ("amperes", None),
    5: ("volts", None),
    6: ("kilovolts", None),
    9: ("kilovolt-amperes", None),
    12: ("kilovolt-amperes-reactive", None),
    15: ("power-factor", None),
    17: ("kilojoules", "kJ"),
    18: ("watt-hours", "Wh"),
    19: ("kilowatt-hours", "kWh"),
    20: ("btus", "BTU"),
    22: ("ton-hours", "RTh"),
    27: ("hertz", None),
    29: ("percent-relative-humidity", "%"),
    35: ("watts-per-square-meter", "W/m²"),
    47: ("watts", "W"),
    48: ("kilowatts", "kW"),
    49: ("megawatts", "MW"),
    50: ("btus-per-hour", "BTU/h"),
    51: ("horsepower", "hp"),
    52: ("tons-refrigeration", "RT"),
    53: ("pascals", "Pa"),
    54: ("kilopascals", "kPa"),
    55: ("bars", "bar"),
    56: ("pounds-force-per-square-inch", "psi"),
    58: ("inches-of-water", "inH2O"),
    62: ("degrees-celsius", "°C"),
    63: ("degrees-kelvin", "K"),
    64: ("degrees-fahrenheit", "°F"),
    71: ("hours", None),
    72: ("minutes", None),
    73: ("seconds", None),
    84: ("cubic-feet-per-minute", "ft3/min"),
    85: ("cubic-meters-per-second", "m3/s"),
    86: ("imperial-gallons-per-minute", "imperial gpm"),
    87: ("liters-per-second", "l/s"),
    88: ("liters-per-minute", "l/min"),
    89: ("us-gallons-per-minute", "gpm"),
    95: ("no-units", None),
    96: ("parts-per-million", None),
    98: ("percent", "%"),
    104: ("revolutions-per-minute", None),
    # Differences of temperature; no role has one, and as a temperature they
    # would be read 273 K or 32 °F off.
    120: ("delta-degrees-fahrenheit", None),
    121: ("delta-degrees-kelvin", None),
    126: ("megajoules", "MJ"),
    133: ("hectopascals", "hPa"),
    134: ("millibars", "mbar"),
    135: ("cubic-meters-per-hour", "m3/h"),
    136: ("liters-per-hour", "l/h"),
    146: ("megawatt-hours", "MWh"),
    147: ("kilo-btus", "kBTU"),
    148: ("mega-btus", "MBTU"),
    157: ("kilo-btus-per-hour", "kBTU/h"),
}
# What people write instead, after `_plain`.
_TEXTS: dict[str, tuple[str, ...]] = {
    "°C": ("c", "°c", "degc", "degreesc", "celsius", "ºc"),
    "°F": ("f", "°f", "degf", "degreesf", "fahrenheit", "ºf"),
    "K": ("k", "kelvin"),
    "kPa": ("kpa",),
    "Pa": ("pa",),
    "hPa": ("hpa",),
    "mbar": ("mbar",),
    "bar": ("bar",),
    "MPa": ("megapascals",),
    "psi": ("psi", "psid", "psig", "lbfin2"),
    "mH2O": ("mh2o", "mwc", "mwg"),
    "ftH2O": ("fth2o", "ftwc", "feetofwater"),
    "inH2O": ("inh2o", "inwc", "inwg", "inh20"),
    "l/s": ("ls", "lps", "litresperseconds", "litrespersecond", "lsec"),
    "l/min": ("lmin", "lpm", "litresperminute"),
    "l/h": ("lh", "litresperhour"),
    "m3/h": ("m3h", "m³h", "cmh", "m3hr", "cubicmetresperhour"),
    "m3/s": ("m3s", "m³s"),
    "gpm": ("gpm", "usgpm", "galmin", "gallonsperminute"),
    "ft3/min": ("cfm", "ft3min"),
    "kW": ("kw",),
    "W": ("w",),
    "hp": ("hp",),
    "RT": ("rt", "tr", "ton", "tons", "tonsref", "tonref", "tonsofrefrigeration"),
    "BTU/h": ("btuh", "btuhr"),
    "kBTU/h": ("kbtuh", "kbtuhr", "mbh"),
    "kcal/h": ("kcalh", "kilocaloriesperhour"),
    "kWh": ("kwh", "kwhr"),
    "Wh": ("wh",),
    "MJ": ("mj",),
    "GJ": ("gj", "gigajoules"),
    "GWh": ("gwh", "gigawatthours"),
    "RTh": ("rth", "rthr", "tonhr", "tonhrs", "trh"),
    "%": ("%", "pct", "percentrh", "%rh", "rh", "percentopen", "%open"),
}
# Letter case tells these apart.
_EXACT = {"MWh": "MWh", "MW": "MW", "MPa": "MPa", "mW": None, "mWh": None, "kJ": "kJ"}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9%°º³]", "", text.casefold())


_BY_TEXT = MappingProxyType(
    {
        **{_plain(name): unit for name, unit in _NUMBERS.values()},
        **{text: unit for unit, texts in _TEXTS.items() for text in texts},
    }
)


def unit_of(found: int | str | None) -> tuple[str | None, str | None]:
    """Return our name of a unit and its text for people, each None if there is none.

    Takes the number of BACnet or any text: `degrees-celsius`, `degreesCelsius`,
    `DEG F`, `%RH`. A number that is not known is shown as `unit 512`.
    """
    if found is None:
        return None, None
    if isinstance(found, int):
        name, unit = _NUMBERS.get(found, (f"unit {found}", None))
        return unit, None if found == 95 else name
    text = found.strip()
    if not text:
        return None, None
    if text in _EXACT:
        return _EXACT[text], text
    plain = _plain(text)
    return _BY_TEXT.get(plain), None if plain == "nounits" else text
