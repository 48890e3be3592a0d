"""A user's own tables: read in the form of docs/dictionaries.md, or in that of the UN/ECE's text files.

All files here are made up in the published form; none is a part of a directory.
"""

from __future__ import annotations

import pytest

from tradehub.edi import schema, unece, x12_tables
from tradehub.edi.facts import Difference, Facts, differences, files
from tradehub.edi.schema import Dictionary

CSV = {
    "elements.csv": "Element,Type,Min,Max,Name\n900,ID,2,2,kind\n901,AN,1,22,number\n902,N2,1,10,amount\n",
    "composites.csv": "composite,position,ref,usage,repeat,name,conditions\nC900,0,,,,pair,P0102\nC900,1,901,M,,,\nC900,2,900,X,,,\n",
    "segments.csv": (
        "segment,position,ref,usage,repeat,name,conditions\nBZZ,0,,,,beginning,R0203\nBZZ,1,900,M,,,\nBZZ,2,901,X,2,,\n"
        "BZZ,4,C900,O,,,\nLZZ,1,902,M,,,\n"
    ),
    "codes.csv": "element,code,meaning\n900,AA,first\n900,BB,second\n900,AA,again\n",
    "sets.csv": "set,within,node,usage,max\n8ZZ,,BZZ,M,1\n8ZZ,,loop LZZ,O,>1\n8ZZ,LZZ,LZZ,M,1\n8ZZ,LZZ,loop BZZ,O,5\n8ZZ,LZZ/BZZ,BZZ,M,1\n",
}

RULE = "-" * 70
EDED = f"""DATA ELEMENTS OF NO DIRECTORY

     9999  This is prose and no element.
{RULE}

     9001  Kind of thing code                                      [C]

     Desc: Code of the
           kind.

     Repr: an..3

{RULE}

*    9002  Thing number                                            [B]

     Desc: A number.

     Repr: an..35

{RULE}

X    9003  Thing count                                             [B]

     Repr: n6
"""
EDCD = f"""{RULE}

       C901 THING DETAILS

       Desc: What it is.

010    9001  Kind of thing code                        C      an..3
020 *  9002  Thing number with a name that is so long
             that it goes on                           M      an..35
"""
EDSD = f"""{RULE}

       ZZA  THING

       Function: To say what it is.

010    C901 THING DETAILS                              M    1
       9001  Kind of thing code                        C      an..3
       9002  Thing number                              M      an..35

020    9003  THING COUNT                               C    9 n6

{RULE}

+      ZZB  OTHER

010    9002  THING NUMBER                              C      an..35
"""
UNCL = f"""{RULE}

  9001  Kind of thing code                                      [C]

     Desc: Code of the kind.

     Repr: an..3

     1     One
              A thing that is 1 of its kind.

+    X1    Another
              Some
              12 words.

     Note:
              1 User defined.
"""
MESSAGE = """
                                         Message Type : ZZZORD
                                         Version      : D

4.3.1  Segment table

Pos   Tag Name                                     S   R

0010   UNH Message header                           M   1
0020   ZZA Thing                                    M   1
0030 * ZZB Other                                    C   35

0040       ---- Segment group 1  ------------------ C   10-----------+
0050   ZZA Thing                                    M   1            |
                                                                     |
0060       ---- Segment group 2  ------------------ C   5-----------+|
0070   ZZB Other                                    M   1           ||
0080   ZZA Thing                                    C   5-----------++
0090   UNS Section control                          M   1
0100   UNT Message trailer                          M   1
"""
DIRECTORY = {
    "EDED.99Z": EDED, "EDCD.99Z": EDCD, "EDSD.99Z": EDSD, "UNCL.99Z": UNCL, "ZZZORD_D.99Z": MESSAGE, "README": "hm",
}  # fmt: skip


def said(facts: Facts) -> list[str]:
    facts.settle()
    return [str(each) for each in facts.faults]


def test_csv_tables_become_our_notation():
    facts = x12_tables.read(CSV, "004010")
    assert said(facts) == []
    assert facts.elements == {"900": "ID 2/2 kind", "901": "AN 1/22 number", "902": "N2 1/10 amount"}
    assert facts.composites == {"C900": "901 M, 900 X; P0102"}
    assert facts.segments == {"BZZ": "900 M, 901 X x2, C900 O; R0203", "LZZ": "902 M"}
    assert facts.codes == {"900": ["AA", "BB"]}
    assert facts.structures == {
        "8ZZ": ["BZZ M 1", {"loop LZZ O *": ["LZZ M 1", {"loop BZZ O 5": ["BZZ M 1"]}]}],
    }  # fmt: skip


CSV_FAULTS = [
    ("elements.csv", "element,type,min,max\n1,AN,1,2\n", "elements.csv:1: has no column name"),
    ("elements.csv", "element,type,min,max,name\n1,XX,1,2,a\n", "elements.csv:2: 1: 'XX' is no type of X12"),
    ("elements.csv", "element,type,min,max,name\n1,AN,3,2,a\n", "elements.csv:2: 1: '3' to '2' is no length"),
    ("segments.csv", CSV["segments.csv"].replace("BZZ,1,900,M", "BZZ,1,900,Q"), "segments.csv:3: BZZ01: usage is M, O or X"),
    ("segments.csv", CSV["segments.csv"].replace("LZZ,1", "LZZ,2"), "segments.csv:6: LZZ: position '2' comes where 1"),
    ("segments.csv", CSV["segments.csv"].replace("R0203", "R2"), "segments.csv:2: BZZ: R2 is no condition"),
    ("segments.csv", CSV["segments.csv"].replace("LZZ,1,902", "LZZ,1,999"), "segments.csv:6: LZZ: refers to 999"),
    ("codes.csv", "element,code\n900,A B\n", "codes.csv:2: 900: 'A B' is no code"),
    ("sets.csv", CSV["sets.csv"].replace("LZZ,LZZ,M", "LQQ,LZZ,M"), "sets.csv:4: 8ZZ: there is no loop LQQ above"),
    ("sets.csv", CSV["sets.csv"].replace("BZZ,M,1\n", "BZZ,M,many\n", 1), "sets.csv:2: 8ZZ: 'BZZ' 'M' 'many' is no node"),
    ("sets.csv", "set,within,node,usage,max\n8ZZ,,QQQ,M,1\n", "sets.csv:2: 8ZZ: has segments that the tables do not hold: QQQ"),
    ("elements.csv", CSV["elements.csv"] + "903,AN,1,2," + "x" * 200_000, "elements.csv:4: is not CSV: field larger"),
]  # fmt: skip


def test_each_fault_of_a_table_is_named_with_its_file_and_line():
    for file, text, words in CSV_FAULTS:
        faults = said(x12_tables.read({**CSV, file: text}, "004010"))
        assert any(each.startswith(words) for each in faults), (words, faults)


def test_the_text_files_of_a_directory_become_our_notation():
    facts = unece.read(DIRECTORY, "D99Z")
    assert said(facts) == []
    assert facts.elements == {
        "9001": "an 1/3 kind of thing code", "9002": "an 1/35 thing number", "9003": "n 6/6 thing count",
    }  # fmt: skip
    assert facts.composites == {"C901": "9001 C, 9002 M"}
    assert facts.segments == {"ZZA": "C901 M, 9003 C x9", "ZZB": "9002 C"}
    assert facts.codes == {"9001": ["1", "X1"]}
    assert facts.structures == {
        "ZZZORD": [
            "ZZA M 1", "ZZB C 35", {"loop SG1 C 10": ["ZZA M 1", {"loop SG2 C 5": ["ZZB M 1", "ZZA C 5"]}]}, "UNS M 1",
        ],
    }  # fmt: skip


def test_what_cannot_be_read_of_a_directory_is_named():
    broken = {
        "EDED.99Z": f"{RULE}\n\n     9001  Kind\n", "UNCL.99Z": f"{RULE}\n\n     9001  Kind\n",
        "EDSD.99Z": f"{RULE}\n\n  ZZA  THING\n\n010    9003  THING COUNT\n", "ZZZORD_D.99Z": MESSAGE.replace("-++", "---+"),
    }  # fmt: skip
    assert said(unece.read(broken, "D99Z")) == [
        "EDED.99Z:3: 9001: has no line 'Repr:'",
        "UNCL.99Z:3: 9001: has no line 'Repr:'",
        "EDSD.99Z:5: ZZA: cannot be read: '010    9003  THING COUNT'",
        "ZZZORD_D.99Z: ZZZORD: 1 groups are not closed",
        "ZZZORD_D.99Z: ZZZORD: has segments that the tables do not hold: ZZA, ZZB",
    ]


LONG = "010    9002  Thing number with a name"
"""A row whose position is understood only with the lines that follow: here nothing does."""


def test_of_a_directory_only_entries_and_their_rows_are_read():
    """Prose between two rules, an element without codes, and text between a segment's rows are passed over."""
    texts = {
        "EDED.99Z": f"{EDED}\n{RULE}\n", "UNCL.99Z": f"{RULE}\n\n     9002  Thing number\n\n     Repr: an..35\n\n{UNCL}",
        "EDSD.99Z": f"{RULE}\n\nPage 2\n{EDSD}{RULE}\n\n       ZZC  EMPTY\n",
    }  # fmt: skip
    facts = unece.read({**DIRECTORY, **texts}, "D99Z")
    assert said(facts) == []
    assert sorted(facts.elements) == ["9001", "9002", "9003"]
    assert facts.codes == {"9001": ["1", "X1"]}
    assert facts.segments == {"ZZA": "C901 M, 9003 C x9", "ZZB": "9002 C"}


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("EDCD.99Z", f"{RULE}\n\n       C901 THING\n\n{LONG}\n010    9001  Kind  C  an..3\n", "EDCD.99Z:5: C901: cannot be read"),
        ("EDCD.99Z", f"{RULE}\n\n       C901 THING\n\n{LONG}\n\n  so long\n", "EDCD.99Z:5: C901: cannot be read"),
        ("ZZZORD_D.99Z", MESSAGE.replace("M   1            |", "M   1           -+++"), "ZZZORD_D.99Z:14: ZZA: closes more"),
        ("ZZZORD_D.99Z", MESSAGE[: MESSAGE.index("0010")], "ZZZORD_D.99Z: has no segment table"),
    ],
)  # fmt: skip
def test_a_fault_of_a_directory_is_named_with_its_line(file, text, words):
    faults = said(unece.read({**DIRECTORY, file: text}, "D99Z"))
    assert any(each.startswith(words) for each in faults), faults


def test_where_a_directory_has_no_list_of_elements_its_tables_of_segments_say_what_they_are():
    without = {name: text for name, text in DIRECTORY.items() if not name.startswith(("EDED", "UNCL"))}
    facts = unece.read(without, "D99Z")
    assert said(facts) == []
    assert facts.elements == {
        "9001": "an 1/3 kind of thing code", "9002": "an 1/35 thing number with a name that is so long that it goes on",
        "9003": "n 6/6 thing count",
    }  # fmt: skip


def loaded(texts: dict[str, str]) -> Dictionary:
    parsed = {name: schema.parse_yaml(text, name) for name, text in texts.items()}
    return schema.load_dictionary("x12", *(parsed.get(f"{each}.yaml") for each in ("elements", "segments", "codes")))


def test_what_is_written_reads_back_the_same():
    facts = x12_tables.read({**CSV, "elements.csv": CSV["elements.csv"].replace("kind", "kind: a # b")}, "004010")
    theirs = facts.settle()
    texts = files(facts, "tables")
    assert set(texts) == {"elements.yaml", "segments.yaml", "codes.yaml", "structure/8ZZ.yaml"}
    assert loaded(texts) == theirs
    assert theirs.elements["900"].codes_are_closed is False, "a code that is in no list is a warning"
    assert "BZZ: 900 M, 901 X x2, C900 O; R0203  # beginning\n" in texts["segments.yaml"]
    plain = schema.parse_yaml(texts["structure/8ZZ.yaml"], "8ZZ")
    assert schema.load_structure(plain, theirs, "8ZZ")[1].max == 0


def told(changed: dict[str, str], *, whole: bool = False) -> set[tuple[str, ...]]:
    theirs, ours = x12_tables.read({**CSV, **changed}, "004010"), x12_tables.read(CSV, "004010")
    left, right = theirs.settle(), ours.settle()
    our_structures = {
        name: schema.load_structure({"structure": rows}, right, name) for name, rows in ours.structures.items()
    }
    return {tuple(each) for each in differences(left, right, theirs.structures, our_structures, whole=whole)}


def test_equal_tables_have_no_differences():
    assert told({}, whole=True) == set()


def test_differences_are_named_with_both_sides():
    elements = CSV["elements.csv"].replace("901,AN,1,22", "901,AN,1,30").replace("902,N2", "902,R")
    segments = CSV["segments.csv"].replace("BZZ,1,900,M", "BZZ,1,901,M").replace("LZZ,1,902,M", "LZZ,1,902,O")
    sets = (
        CSV["sets.csv"].replace("BZZ,M,1\n", "BZZ,O,2\n", 1).replace("8ZZ,LZZ,loop BZZ,O,5\n8ZZ,LZZ/BZZ,BZZ,M,1\n", "")
    )
    assert told({"elements.csv": elements, "segments.csv": segments.replace("R0203", "R0204"), "sets.csv": sets}) == {
        Difference("length", "901", "1/30", "1/22"),
        Difference("type", "902", "R", "N2"),
        Difference("element", "BZZ01", "901", "900"),
        Difference("condition", "BZZ", "R0204", "R0203"),
        Difference("usage", "LZZ01", "O", "M"),
        Difference("usage", "8ZZ/BZZ", "O", "M"),
        Difference("repeat", "8ZZ/BZZ", "2", "1"),
        Difference("segment", "8ZZ/loop LZZ/loop BZZ", "", "there"),
    }


def test_a_set_that_the_tables_cannot_build_is_one_difference():
    (only,) = told({"sets.csv": CSV["sets.csv"].replace("8ZZ,LZZ/BZZ,BZZ,M,1\n", "")})
    assert only == Difference("segment", "8ZZ", "8ZZ: 'loop BZZ O 5' is empty", "")


def test_what_only_partners_do_is_no_difference_from_the_standard():
    facts = x12_tables.read(CSV, "004010")
    ours = {"structure": [*facts.structures["8ZZ"], "BZZ O 1 habit"]}
    theirs = facts.settle()
    assert not list(differences(theirs, theirs, facts.structures, {"8ZZ": schema.load_structure(ours, theirs, "8ZZ")}))


def test_many_codes_are_written_over_several_lines_and_read_back():
    codes = "element,code,meaning\n" + "".join(f"901,CODE{number},\n" for number in range(100))
    facts = x12_tables.read({**CSV, "codes.csv": codes}, "004010")
    theirs = facts.settle()
    texts = files(facts, "tables")
    assert max(map(len, texts["codes.yaml"].splitlines())) <= 130
    assert loaded(texts) == theirs
    assert len(theirs.elements["901"].codes) == 100


def test_another_order_is_a_difference():
    sets = CSV["sets.csv"].replace("8ZZ,,BZZ,M,1\n", "") + "8ZZ,,BZZ,M,1\n"
    assert told({"sets.csv": sets}) == {Difference("order", "8ZZ", "loop LZZ BZZ", "BZZ loop LZZ")}


def test_what_one_side_lacks_is_told_on_demand():
    elements = CSV["elements.csv"] + "903,AN,1,2,more\n"
    assert told({"elements.csv": elements}) == set()
    assert told({"elements.csv": elements}, whole=True) == {Difference("element", "903", "there", "")}
