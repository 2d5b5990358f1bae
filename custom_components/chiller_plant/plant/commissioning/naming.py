"""Point names as the field writes them, and the words they stand for.

`CH1_CHWST`, `CHWS-T`, `Chiller 1 leaving chilled water temp` and
`Leaving_Chilled_Water_Temperature_Sensor` become the same few words. A word that is
not known stays as it is, so that it counts against a match rather than for it.
"""

from functools import lru_cache
import re

_WORDS: dict[str, str] = {
    # Water and where it flows. Left out on purpose, because the trade uses them both
    # ways: LCW and ECW (chilled or condenser), RMT (remote or room temperature).
    "chilled water": "chw chilw chlw",
    "chilled water supply": "chws",
    "chilled water return": "chwr",
    "chilled water supply temperature": "chwst",
    "chilled water return temperature": "chwrt",
    "chilled water flow": "chwf",
    "chilled water dp": "chwdp",
    "chilled water valve": "chwv",
    "chilled water isolation valve": "chwiv",
    "leaving chilled water": "lchw",
    "leaving chilled water temperature": "lchwt lchlt",
    "entering chilled water": "echw",
    "entering chilled water temperature": "echwt",
    "return chilled water temperature": "rchlt",
    "condenser water": "cw cdw cndw",
    "condenser water supply": "cws cdws",
    "condenser water return": "cwr cdwr",
    "condenser water supply temperature": "cwst cdwst",
    "condenser water return temperature": "cwrt cdwrt",
    "condenser water valve": "cwv cdwv",
    "condenser water isolation valve": "cwiv cdwiv",
    "leaving condenser water": "lcdw",
    "leaving condenser water temperature": "lcdwt",
    "entering condenser water": "ecdw",
    "entering condenser water temperature": "ecdwt",
    "hot water": "hw hhw",
    "hot water supply": "hws hhws",
    "hot water return": "hwr hhwr",
    "hot water supply temperature": "hwst",
    "hot water return temperature": "hwrt",
    "chilled": "chilled",
    "condenser": "cond condenser cnd conden condensing",
    "evaporator": "evap evaporator cooler chld",
    "water": "water wtr h2o fluid liquid",
    "leaving": "lvg lvng leaving outlet lv",
    "entering": "ent entg entering inlet",
    "supply": "sup sply supply",
    "return": "ret rtn return",
    "leaving water temperature": "lwt",
    "entering water temperature": "ewt",
    "supply water temperature": "swt",
    "return water temperature": "rwt",
    "primary": "pri prim primary primaryloop",
    "secondary": "sec secondary scnd secondaryloop",
    "tertiary": "tert tertiary",
    "bypass": "byp bypass bpv",
    "domestic": "dom domestic dhw",
    # Quantities.
    "temperature": "temp tmp temps temperature temperatura",
    "flow": "flow flo flw gpm lps flowrate",
    "flow status": "fs flowsw",
    "dp": "dp dpt diffpress",
    "differential": "diff differential delta dif",
    "pressure": "press prs pressure",
    "humidity": "rh hum humid humidity relhum",
    "irradiance": "irradiance irradiation radiation pyranometer ghi solrad",
    "power": "kw power pwr kilowatt kilowatts",
    "energy": "kwh energy enrg consumption mwh",
    "speed": "spd speed",
    "frequency": "hz freq frequency",
    "position": "pos posn position opening",
    "load": "load capacity cap",
    "amps": "amp amps rla fla current",
    "percent": "pct percent",
    "wetbulb": "wb wetbulb",
    "wetbulb temperature": "wbt",
    "dewpoint": "dewpoint dwpt dpnt",
    "outdoor wetbulb temperature": "oawb oawbt",
    # What a point is for.
    "setpoint": "sp stp spt stpt setpt setpnt stpnt setp setpoint sps",
    "temperature setpoint": "tsp tspt tstpt",
    "command": "cmd cmmd command comd signal",
    "reference": "ref reference",
    "enable": "ena enab enbl enable",
    "disable": "dis disable dsbl",
    "start": "start strt",
    "stop": "stop",
    "startstop": "ss startstop onoff strtstp ststp runstop",
    "run": "run running rn",
    "status": "sts stat stts status state stus",
    "feedback": "fb fbk fdbk feedback prf proof proven",
    "alarm": "alm alrm alarm flt fault trip tripped fail failure",
    "warning": "warn warning alert advisory",
    "reset": "rst reset",
    "limit": "lim lmt limit",
    "demand": "dem dmd demand",
    "remote": "rem remote",
    "local": "loc local lcl",
    "manual": "man manual hand",
    "mode": "mode md",
    "open": "open opn opened",
    "closed": "closed close cls clsd shut",
    "valve": "vlv valve vlve vv",
    "isolation": "iso isol isolation isv isolating",
    "endswitch": "endswitch limitswitch es zs zso",
    "switch": "sw switch",
    "sensor": "sensor sens snsr",
    "active": "act active",
    "actual": "actual actl",
    "occupied": "occ occupied occupancy occupd",
    "unoccupied": "unocc unoccupied",
    "emergency stop": "emstop estop epo",
    "select": "sel select selection selector",
    "hours": "hr hrs hours runtime runhours hrmeter",
    "minimum": "min minimum",
    "maximum": "max maximum",
    "high": "hi high hihi",
    "low": "lo low lolo",
    "average": "avg average",
    "total": "tot total",
    "deadband": "db deadband",
    "standby": "stby standby",
    "schedule": "sched schedule sch",
    "override": "ovr ovrd override",
    "request": "req request rqst",
    # Air and rooms.
    "outdoor air": "oa osa outdoorair",
    "outdoor air temperature": "oat osat odt",
    "outdoor air humidity": "oah oarh oahum",
    "outdoor": "outdoor outside ambient amb weather",
    "supply air": "sa da",
    "supply air temperature": "sat dat",
    "discharge": "discharge disch dsch",
    "return air": "ra",
    "return air temperature": "rat",
    "mixed air": "ma",
    "mixed air temperature": "mat",
    "zone": "zn zone rm room space spc",
    "zone temperature": "znt rmtemp zt",
    "cooling": "clg cool cooling clng",
    "heating": "htg heat heating",
    "cooling valve": "ccv clgvlv coolvlv",
    # Machines.
    "chiller": "ch chlr chl chil chill chiller chillers wcc",
    "pump": "pump pmp",
    "primary chilled water pump": "pchp pchwp",
    "secondary chilled water pump": "schp schwp",
    "chilled water pump": "chwp chp",
    "condenser water pump": "cdp cdwp cwp cndwp",
    "hot water pump": "hwp hhwp",
    "tower": "ct twr tower clgtwr cltwr coolingtower",
    "tower fan": "ctf ctfan",
    "fan": "fan fans",
    "vfd": "vfd vsd drive drv inverter",
    "boiler": "blr boiler hwb",
    "ahu": "ahu rtu mau doas pau",
    "vav": "vav tu",
    "fcu": "fcu",
    "meter": "mtr meter pm emtr submeter",
    "thermal": "btu thermal calorie",
    "circuit": "ckt circuit",
    "compressor": "comp compressor cmpr",
    "plant": "plant plt cup chwplant",
    "system": "sys system",
    "emergency": "emergency emer",
}  # fmt: skip
_NOISE_TEXT = (
    "the of and a an no nr num number value val point pt pv present bms bas ddc ai ao "
    "av bi bo bv di do dv msv msi mso mv mi mo analog digital binary input in to deg "
    "degc degf c f for at is equip unit cmn"
)
_NOISE = frozenset(_NOISE_TEXT.split())
_ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    short: tuple(words.split())
    for words, each in _WORDS.items()
    for short in each.split()
}
# What several words in a row mean, longest first.
_PHRASES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("set", "point"): ("setpoint",),
    ("control", "setpoint"): ("setpoint",),
    ("ctrl", "pnt"): ("setpoint",),
    ("control", "pnt"): ("setpoint",),
    ("wet", "bulb"): ("wetbulb",),
    ("start", "stop"): ("startstop",),
    ("run", "stop"): ("startstop",),
    # STRT_STP; STP alone is a setpoint.
    ("start", "setpoint"): ("startstop",),
    ("on", "off"): ("startstop",),
    ("flow", "switch"): ("flow", "status"),
    ("differential", "pressure"): ("dp",),
    ("pressure", "differential"): ("dp",),
    ("feed", "back"): ("feedback",),
    ("end", "switch"): ("endswitch",),
    ("limit", "switch"): ("endswitch",),
    ("cooling", "tower"): ("tower",),
    ("coolingtower",): ("tower",),
    ("chiller", "plant"): ("plant",),
    ("chilled", "water", "plant"): ("plant",),
    ("chilled", "water", "system"): ("plant",),
    ("central", "plant"): ("plant",),
    ("hot", "water", "boiler"): ("boiler",),
    ("power", "factor"): ("powerfactor",),
    ("power", "meter"): ("meter",),
    ("thermal", "meter"): ("thermal", "meter"),
    ("chilled", "air"): ("chilled", "air"),
    ("discharge", "air"): ("supply", "air"),
}
_LONGEST_PHRASE = 3
# The parts of which names without separators are made: CHWSTSP, CHWPSTS, CTFSPD.
_PARTS_TEXT = (
    "chw chws chwr cdw cdws cdwr cw cws cwr hw hws hwr chwp pchp pchwp schp schwp cwp "
    "cdwp cdp ct ctf oa zn rm sa da t temp tmp sp stpt spt setpt cmd sts stat status "
    "alm flt spd fb fbk ena enable dp flow vlv valve pos rh hum kw kwh wb iso ss run "
    "speed alarm fault fan pump supply return water chilled condenser setpoint vfd hz "
    "pri sec lvg ent chlr chiller"
)
_PARTS = frozenset(_PARTS_TEXT.split())
_BEFORE = (
    (re.compile(r"(?<![a-z0-9])s\s*[-/_&]\s*s(?![a-z0-9])"), " startstop "),
    (re.compile(r"(?<![a-z])l\s*/\s*r(?![a-z])"), " local remote "),
    (re.compile(r"h\s*[-/]\s*o\s*[-/]\s*a(?![a-z])|(?<![a-z])hoa(?![a-z])"), " hoa "),
    (re.compile(r"kw\s*[-/]?\s*hr?(?![a-z])"), " kwh "),
    (re.compile(r"[δ∆]\s*p(?![a-z])"), " dp "),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2,})")
_TOKEN = re.compile(r"[a-z]+|[0-9]+(?:[a-z](?![a-z0-9]))?", re.ASCII)
_MAXIMUM_LENGTH = 200
_T = "t?"
"""A lone T: the temperature, unless the unit says otherwise."""

KNOWN = frozenset(
    {word for words in _WORDS for word in words.split()}
    | {word for words in _PHRASES.values() for word in words}
    | {_T, "auto", "hoa", "oil", "refrigerant", "suction", "saturation", "header"}
)
"""The words that mean something; any other word is taken as it stands."""


@lru_cache(maxsize=20_000)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a name, numbers among them, in their order."""
    plain = _CAMEL.sub(" ", text[:_MAXIMUM_LENGTH]).lower()
    for pattern, instead in _BEFORE:
        plain = pattern.sub(instead, plain)
    found: list[str] = []
    for token in _TOKEN.findall(plain):
        found.extend(_expand(token))
    return tuple(_phrases(found))


def is_number(word: str) -> bool:
    """Whether a word is a number, as in `1` and `2a`."""
    return word[0].isdigit()


def _expand(token: str) -> tuple[str, ...]:
    if token in _ABBREVIATIONS:
        return _ABBREVIATIONS[token]
    if token in _NOISE:
        return ()
    if token == "t":
        return (_T,)
    if is_number(token):
        return (token.lstrip("0") or "0",)
    if 4 <= len(token) <= 20 and (parts := _split(token)):
        return tuple(
            word
            for part in parts
            for word in (("temperature",) if part == "t" else _ABBREVIATIONS[part])
        )
    return (token,)


def _split(token: str) -> tuple[str, ...] | None:
    """Return the fewest parts that a token is made of, if it is."""
    best: list[tuple[str, ...] | None] = [(), *[None] * len(token)]
    for end in range(1, len(token) + 1):
        for start in range(max(0, end - 9), end):
            before = best[start]
            part = token[start:end]
            if before is None or part not in _PARTS or (part == "t" and start == 0):
                continue
            if best[end] is None or len(before) + 1 < len(best[end] or ()):
                best[end] = (*before, part)
    return best[-1]


def _phrases(words: list[str]) -> list[str]:
    found: list[str] = []
    index = 0
    while index < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - index), 0, -1):
            instead = _PHRASES.get(tuple(words[index : index + length]))
            if instead is not None:
                found.extend(instead)
                index += length
                break
        else:
            found.append(words[index])
            index += 1
    return found
