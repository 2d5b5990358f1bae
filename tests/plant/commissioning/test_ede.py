"""Point lists as real tools write them, and as no tool should."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.commissioning.ede import (
    MAXIMUM_SKIPPED,
    read_ede,
)
from custom_components.chiller_plant.plant.commissioning.found import FoundObject

TITLES = (
    "# keyname;device obj.-instance;object-name;object-type;object-instance;description;"
    "present-value-default;min-present-value;max-present-value;settable;supports COV;"
    "hi-limit;low-limit;state-text-reference;unit-code;vendor-specific-addres"
)
# As YABE writes it: no values for project and version, types as numbers, state text
# references from 0, rows that end with the unit.
YABE = f"""#Engineering-Data-Exchange - B.I.G.-EU
PROJECT_NAME
VERSION_OF_REFERENCEFILE
TIMESTAMP_OF_LAST_CHANGE;21.11.2026
AUTHOR_OF_LAST_CHANGE;YABE Yet Another Bacnet Explorer
VERSION_OF_LAYOUT;2.3
#mandatory;mandator;mandatory;mandatory;mandatory;optional;optional;optional
{TITLES}
OBJECT_DEVICE:1001;1001;Chiller 1;8;1001;Carrier 30XV;;;;;;;;;
OBJECT_ANALOG_INPUT:1;1001;COOL_LWT;0;1;Cooler leaving water;;;;;;;;;64
OBJECT_ANALOG_VALUE:5;1001;CTRL_PNT;2;5;Control point;;;;;;;;;62
OBJECT_BINARY_VALUE:0;1001;CHIL_S_S;5;0;Start/stop;;;;;;;;0;
OBJECT_MULTI_STATE_VALUE:1;1001;STATUS;19;1;Running status;;;;;;;;1;
OBJECT_TRENDLOG:1;1001;CHWS trend;20;1;;;;;;;;;;
"""
YABE_STATES = """#State Text Reference
#Reference Number;Text 1 or Inactive-Text;Text 2 or Active-Text;Text 3
0;Stop;Start
1;Off;Running;Tripout
"""


def objects(result) -> dict[str, FoundObject]:
    return {
        each.identifier: each for device in result.devices for each in device.objects
    }


def lone(text: str, encoding: str = "utf-8"):
    return read_ede({"plant_EDE.csv": text.encode(encoding)})


def test_an_export_of_yabe_is_read_with_its_state_texts():
    result = read_ede(
        {
            "site_EDE.csv": YABE.replace("\n", "\r\n").encode(),
            "site_StateTexts.csv": YABE_STATES.encode(),
        }
    )

    [device] = result.devices
    assert (device.instance, device.name, device.key) == (
        1001,
        "Chiller 1",
        "chiller_1",
    )
    assert device.address == ""
    found = objects(result)
    assert all(each.device == "chiller_1" for each in found.values())
    assert found["analog-input,1"].unit == "°F"
    assert found["analog-input,1"].wire_unit == "degrees-fahrenheit"
    assert found["analog-input,1"].commandable is False
    assert found["analog-value,5"].unit == "°C"
    # YABE says nothing about it, so nothing is known.
    assert found["analog-value,5"].commandable is None
    assert found["binary-value,0"].states == ("Stop", "Start")
    # The first text is state 1.
    assert found["multi-state-value,1"].states == ("Off", "Running", "Tripout")
    [skipped] = result.skipped
    assert (skipped.file, skipped.line) == ("site_EDE.csv", 14)
    assert skipped.reason == "a trend log object is no point"
    assert result.object_count == 4


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]
)
def test_any_separator_and_code_page(separator, encoding):
    text = YABE.replace("Cooler leaving water", "Kühler Vorlauf °C").replace(
        ";", separator
    )
    found = objects(lone(text, encoding))
    assert found["analog-input,1"].description == "Kühler Vorlauf °C"
    assert found["analog-input,1"].unit == "°F"


def test_columns_may_come_in_any_order_and_with_other_names():
    result = lone(
        "Object Type,Object Instance,Object Name,Device Instance,Commandable,Units\n"
        "analog-value,7,CHW SP,20,Y,deg C\n"
        "BI,3,CH1 STS,20,N,\n"
        "MSV,0x0A,MODE,20,,\n"
    )
    found = objects(result)
    assert found["analog-value,7"].commandable is True
    assert found["analog-value,7"].unit == "°C"
    assert found["binary-input,3"].name == "CH1 STS"
    assert "multi-state-value,10" in found
    assert result.devices[0].key == "device_20"


def test_quotes_decimal_commas_and_short_rows():
    result = lone(
        "keyname;device obj.-instance;object-name;object-type;object-instance;"
        "description;present-value-default\n"
        'a;5;"CHW; SP";2;1;"He said ""seven""";7,2\n'
        "b;5;FLOW;0;2\n"
        'c;5;NOTE;0;3;"two\nlines";1.5\n'
        "d;5;TWO;0;4;;1.5e1\n"
    )
    found = objects(result)
    assert found["analog-value,1"].name == "CHW; SP"
    assert found["analog-value,1"].description == 'He said "seven"'
    assert found["analog-value,1"].present_value == 7.2
    assert found["analog-input,2"].description is None
    assert found["analog-input,3"].description == "two lines"
    assert found["analog-input,4"].present_value == 15
    assert result.skipped == ()


def test_a_separator_within_a_description_does_not_move_the_unit():
    rows = "".join(f"k;5;P{n};0;{n};plain;;;;;;;;;62;\n" for n in range(5))
    torn = "k;5;TORN;0;9;one; two;;;;;;;;;98;\n"
    found = objects(lone(f"{TITLES}\n{rows}{torn}"))
    assert found["analog-input,0"].unit == "°C"
    # Its columns are out of place from the description on: better none than a wrong one.
    assert found["analog-input,9"].unit is None


def test_columns_that_a_vendor_added_without_names_do_no_harm():
    rows = "".join(
        f"k;5;P{n};0;{n};text;;;;;;;;;62;addr;class;more\n" for n in range(5)
    )
    found = objects(lone(f"{TITLES}\n{rows}"))
    assert {each.unit for each in found.values()} == {"°C"}


def test_without_column_names_the_usual_order_is_assumed_and_said():
    result = lone("PROJECT_NAME;Hospital\nkey;77;CHWST;0;1;supply;;;;;;;;;62\n")
    assert result.project == "Hospital"
    assert objects(result)["analog-input,1"].unit == "°C"
    assert any("usual order" in note for note in result.notes)


def test_what_cannot_be_used_is_listed_with_line_and_reason():
    result = lone(
        f"{TITLES}\n"
        "k;x;A;0;1\n"
        "k;5;B;nonsense;1\n"
        "k;5;C;0;99999999\n"
        "k;5;D;0;1\n"
        "k;5;E;0;1\n"
        "k;5;F;512;1\n"
    )
    assert [(each.line, each.reason) for each in result.skipped] == [
        (2, "'x' is no device instance"),
        (3, "'nonsense' is no object type"),
        (4, "'99999999' is no object instance"),
        (6, "analog-input,1 of device 5 again, see line 5 of plant_EDE.csv"),
        (7, "a type 512 object is no point"),
    ]
    assert list(objects(result)) == ["analog-input,1"]


def test_own_units_and_types_of_a_list_are_followed():
    result = read_ede(
        {
            "p_EDE.csv": (
                f"{TITLES}\nk;5;A;0;1;;;;;;;;;;300\nk;5;B;Vendor thing;2\n"
            ).encode(),
            "p_Units.csv": b"#Encoding\n#Code;Unit Text;\n300;l/s;\n",
            "p_ObjTypes.csv": b"#Code;Object Type;\n200;Vendor thing;\n",
        }
    )
    assert objects(result)["analog-input,1"].unit == "l/s"
    assert [each.reason for each in result.skipped] == [
        "a Vendor thing object is no point"
    ]


def test_each_list_has_its_own_state_texts():
    list_of_one = f"{TITLES}\nk;{{device}};A;5;1;;;;;;;;;3;\n"
    result = read_ede(
        {
            "east_EDE.csv": list_of_one.format(device=1).encode(),
            "east_StateTexts.csv": b"3;Off;On\n",
            "west_EDE.csv": list_of_one.format(device=2).encode(),
            "west_StateTexts.csv": b"3;Shut;Open\n",
        }
    )
    assert [device.objects[0].states for device in result.devices] == [
        ("Off", "On"),
        ("Shut", "Open"),
    ]


def test_a_file_that_is_something_else_is_named():
    result = read_ede({"plant_EDE.csv": YABE.encode(), "readme.txt": b"hello there"})
    assert result.object_count == 4
    assert "readme.txt is none of the files of a point list (EDE)" in result.notes


def test_a_list_of_rubbish_is_bounded():
    result = lone(f"{TITLES}\n" + "rubbish;;;\n" * (MAXIMUM_SKIPPED + 10))
    assert len(result.skipped) == MAXIMUM_SKIPPED
    assert "10 more lines were skipped" in result.notes


_BYTES = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from([*';,\t"\n\r#0123456789abcdexX.-=é\x00\u2028', TITLES]),
        max_size=120,
    ).map(lambda parts: "".join(parts).encode()),
    st.text(max_size=100).map(lambda text: f"{TITLES}\n{text}".encode()),
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["a_EDE.csv", "a_StateTexts.csv", "a_Units.csv", "a_ObjTypes.csv", "", "x"]
        ),
        _BYTES,
        max_size=4,
    )
)
def test_no_content_raises(files):
    result = read_ede(files)
    for device in result.devices:
        assert 0 <= device.instance <= 4_194_302
        assert device.objects
        identifiers = [each.identifier for each in device.objects]
        assert len(set(identifiers)) == len(identifiers)
