"""What the engineering units of BACnet are called here.

Numbers are those of BACnetEngineeringUnits (ANSI/ASHRAE 135, clause 21), as
devices send them and EDE files list them. A unit without a row measures nothing
that a plant has.
"""

from collections.abc import Mapping

UNIT_OF_CODE: Mapping[int, str] = {
    17: "kJ",
    18: "Wh",
    19: "kWh",
    20: "BTU",
    22: "RTh",
    29: "%",
    47: "W",
    48: "kW",
    49: "MW",
    50: "BTU/h",
    51: "hp",
    52: "RT",
    53: "Pa",
    54: "kPa",
    55: "bar",
    56: "psi",
    58: "inH2O",
    62: "°C",
    63: "K",
    64: "°F",
    84: "ft3/min",
    85: "m³/s",
    86: "imperial gpm",
    87: "l/s",
    88: "l/min",
    89: "gpm",
    98: "%",
    # Differences: a quantity of its own tells them from temperatures.
    120: "°F",
    121: "K",
    126: "MJ",
    133: "hPa",
    134: "mbar",
    135: "m³/h",
    136: "l/h",
    146: "MWh",
    147: "kBTU",
    148: "MBTU",
    157: "kBTU/h",
}
"""Names of `units.UNITS`, by the number of the engineering unit."""
