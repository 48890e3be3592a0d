"""``guide``: learned from samples, tested on them, shown as a page; what an analyst sees."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tradehub.cli import main

ENVELOPE = (
    "ISA*00*          *00*          *ZZ*HAIDITRADING   *ZZ*NINGBOVALVES   *261123*0900*U*00401*00000000{number}*0*P*>~\n"
    "GS*PO*HAIDITRADING*NINGBOVALVES*20261123*0900*{number}*X*004010~\nST*850*0001~\n{body}\nSE*{count}*0001~\n"
    "GE*1*{number}~\nIEA*1*00000000{number}~\n"
)
HEAD = "BEG*00*SA*PO-{number}**20261123~\nCUR*BY*USD~\nN1*BY*Haidi Trading*UL*6901234000016~\n"
PRIVATE = HEAD + "PO1*1*24*EA*12.05**BP*V-22~\nZZA*crate 7*A~\nCTT*1~"
PLAIN = HEAD.replace("N1*", "REF*CT*C-{number}~\nN1*") + "PO1*1*24*EA*12.05**BP*V-22~\nCTT*1~"
GUIDE = """of: x12/004010/850
require: [CUR]
segments: {ZZA: "127 M, 352 O"}
add: {PO1: [ZZA O 1 after PO1]}
bind: {PO1.ZZA: 01 packaging}
notes: {PO1.ZZA: The crate <that> the goods travel in.}
close: {BEG.02: SA NE}
"""
MESSAGE = "x12:850:004010"


def interchange(body: str, number: int) -> str:
    body = body.format(number=number)
    return ENVELOPE.format(body=body, number=number, count=body.count("~") + 2)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    samples = tmp_path / "partners" / "acme" / "samples"
    samples.mkdir(parents=True)
    (samples / "crate.edi").write_text(interchange(PRIVATE, 1))
    (samples / "plain.edi").write_text(interchange(PLAIN, 2))
    return tmp_path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["guide", *(str(each) for each in words)])


def guide_file(folder: Path, text: str = GUIDE) -> Path:
    path = folder / "partners" / "acme" / "guides" / "x12-850-004010.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_first_guide_says_what_was_seen_how_often(here: Path):
    result = run("init", "acme", MESSAGE)
    assert result.exit_code == 0, result.output
    text = (here / "partners/acme/guides/x12-850-004010.yaml").read_text()
    rules = [line.split("#")[0].strip() for line in text.splitlines() if line and not line.startswith("#")]
    assert rules[:2] == ["of: x12/004010/850", "require:"]
    assert {"- CUR", "- N1", "- CTT", "- PO1.05"} & set(rules) == {"- CUR", "- N1", "- CTT"}
    told = re.sub(" +", " ", text)
    assert "- CUR # in 2 of 2 messages" in told
    assert "# BEG.02: SA # SA 2" in told
    assert "# BEG.03: 4 # 'PO-1'; the standard allows 22" in told
    assert "# - TAX\n" in told
    assert "# - /REF.02 # reference id, in 1 of 1 REF" in told, "what was seen once is no rule"
    assert "# PO1: [ZZA O 1 after PO1]" in told


def test_a_first_guide_accepts_the_samples_it_was_learned_from(here: Path):
    (here / "partners/acme/samples/crate.edi").unlink()
    run("init", "acme", MESSAGE)
    result = run("test", "acme", MESSAGE)
    assert (result.exit_code, "plain.edi  accepted" in result.output) == (0, True), result.output


EDIFACT = """UNB+UNOC:3+4099999000008:14+4012345000009:14+261123:0900+00001'
UNH+1+ORDERS:D:96A:UN'
BGM+220+NW-77001+9'
DTM+137:20261123:102'
NAD+BY+4099999000008::9'
LIN+1++4012345678901:EN'
QTY+21:40:PCE'
PRI+AAA:12.05'
ZKR+B7:GRUEN+2'
UNS+S'
UNT+10+1'
UNZ+1+00001'
"""


def test_a_first_guide_gives_a_private_segment_the_composites_it_was_seen_with(here: Path):
    """Its remarks, made rules, accept the sample: an analyst need not know the numbers of composites by heart."""
    samples = here / "partners" / "nordwerk" / "samples"
    samples.mkdir(parents=True)
    (samples / "order.edi").write_text(EDIFACT)
    message = "edifact:ORDERS:D96A"
    assert run("init", "nordwerk", message).exit_code == 0
    path = here / "partners/nordwerk/guides/edifact-orders-d96a.yaml"
    text = path.read_text()
    at = text.index("# segments:")
    path.write_text(text[:at] + text[at:].replace("# ", "", 1).replace("\n#", "\n").replace("\n add:", "\nadd:"))
    result = run("test", "nordwerk", message)
    assert (result.exit_code, "order.edi  accepted" in result.output) == (0, True), (
        result.output + path.read_text()[at:]
    )


def test_of_enough_messages_the_codes_become_rules(here: Path):
    for number in range(3, 10):
        (here / f"partners/acme/samples/{number}.edi").write_text(interchange(PLAIN, number) * 2)
    result = run("init", "acme", MESSAGE, "-o", "-")
    lines = [re.sub(" +", " ", line).strip() for line in result.output.splitlines()]
    assert "BEG.02: SA # SA 16" in lines
    assert "# /CUR.02: USD # USD 16" in lines, "no table reads the currency: to close its list would gain nothing"


def test_a_guide_that_is_there_is_not_written_over(here: Path):
    path = guide_file(here)
    result = run("init", "acme", MESSAGE)
    assert (result.exit_code, path.read_text()) == (2, GUIDE)
    assert run("init", "acme", MESSAGE, "--force").exit_code == 0
    assert path.read_text() != GUIDE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "acme", "x12:850"), "is not a target"),
        (("init", "acme", "x12:899:004010"), "there is no map"),
        (("init", "acme", "ubl:Order:2.1"), "patches X12 and EDIFACT"),
        (("init", "nobody", MESSAGE), "there are no samples"),
        (("init", "../acme", MESSAGE), "no id of a partner"),
        (("init", "acme", "x12:810:004010"), "none of the 2 files holds"),
        (("test", "acme", MESSAGE), "there is no guide"),
        (("test", "acme", MESSAGE, "--guide", "gone.yaml"), "there is no guide gone.yaml"),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[str, ...], said: str):
    result = run(*words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_test_names_each_file_its_verdict_and_its_first_issue(here: Path):
    guide_file(here, "of: x12/004010/850\nrequire: [REF]\n")
    result = run("test", "acme", MESSAGE)
    lines = result.output.splitlines()
    assert lines[0].split() == ["file", "verdict", "first", "issue"]
    assert lines[1].startswith("crate.edi  rejected  segment 4 (REF): ")
    assert lines[2].strip() == "plain.edi  accepted"
    assert (result.exit_code, lines[3]) == (1, "2 files")


def test_a_test_in_json(here: Path):
    guide_file(here)
    result = run("test", "acme", MESSAGE, "--json")
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert [(Path(row["file"]).name, row["verdict"], row["issues"]) for row in rows] == [
        ("crate.edi", "accepted", 0), ("plain.edi", "accepted", 0),
    ]  # fmt: skip


def test_a_guide_with_faults_is_not_tested_but_its_faults_are_said(here: Path):
    path = guide_file(here, "of: x12/004010/850\nrequire: [REF]\nforbid: [BEG]\nlimit: {XX: 3}\n")
    result = run("test", "acme", MESSAGE)
    assert result.exit_code == 2
    assert f"{path.relative_to(here)}:3: forbid.0: BEG is mandatory" in result.output
    assert f"{path.relative_to(here)}:4: limit.XX: there is no XX" in result.output


@pytest.mark.parametrize(("text", "status", "said"), [(GUIDE, 0, "1 guide, 0 faults"), ("of: x\n", 1, ":1: of: ")])
def test_all_guides_are_linted(here: Path, text: str, status: int, said: str):
    guide_file(here, text)
    result = run("lint")
    assert (result.exit_code, said in result.output) == (status, True), result.output


def test_the_page_shows_what_the_partner_changes(here: Path):
    guide_file(here)
    result = run("show", "acme", MESSAGE, "-o", "guide.html")
    assert result.exit_code == 0, result.output
    page = (here / "guide.html").read_text()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))
    assert "CUR Currency required Must be there; the standard leaves it free." in words
    assert "PO1.ZZA added The standard has no such segment here." in words
    assert "BEG.02 Purchase order type codes closed Only NE SA." in words
    assert "The crate &lt;that&gt; the goods travel in." in page
    assert '<pre class="edi" aria-label="Example"><span class="t">ZZA</span>' in page
    assert "Packaging lines[].packaging" in words
    assert not re.search(r'(src|href)="(?!#)', page), "the page needs nothing else"


def test_the_page_speaks_chinese(here: Path):
    guide_file(here)
    page = run("show", "acme", MESSAGE, "--language", "zh", "-o", "-").output
    assert '<html lang="zh-Hans">' in page
    assert "What this partner changes" not in page
    assert "Must be there" not in page


def test_without_a_guide_the_page_is_the_standards(here: Path):
    result = run("show", "acme", MESSAGE)
    assert "no guide, the standard alone" in result.output
    page = (here / "acme-x12-850-004010.html").read_text()
    assert "Nothing: the message is used as the standard has it." in page
    assert 'id="s-BEG"' in page
    assert 'id="s-TAX"' not in page
    assert 'id="s-TAX"' in run("show", "acme", MESSAGE, "--all", "-o", "-").output


def test_the_page_names_the_partner_as_its_profile_does(here: Path):
    (here / "partners/acme.yaml").write_text(
        "schema: 1\nid: acme\nowner: haidi\nname: Acme Distribution\nstatus: test\n"
    )
    assert "Implementation guide · Acme Distribution" in run("show", "acme", MESSAGE, "-o", "-").output


def test_the_page_of_an_edifact_message_shows_components(here: Path):
    body = "BGM+220+PO-1+9'DTM+137:20261123:102'NAD+BY+6901234000016::9'LIN+1++4711:EN'QTY+21:24'UNS+S'"
    unb = f"UNB+UNOC:3+HAIDI+RHEIN+261123:0900+1'UNH+1+ORDERS:D:96A:UN'{body}UNT+8+1'UNZ+1+1'"
    (here / "partners/acme/samples/orders.edi").write_text(unb)
    path = here / "own.yaml"
    path.write_text("of: edifact/D96A/ORDERS\nforbid: [NAD.02.2, FTX]\nlimit: {SG2.NAD.02.1: 13}\n")
    page = run("show", "acme", "edifact:ORDERS:D96A", "--guide", path, "-o", "-").output
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))
    assert "SG2.NAD.02.1 Party id. id limited Up to 13 characters; in the standard 35." in words
    assert "SG2.NAD.02.2 Code list qualifier not used Must not be there." in words
    assert "FTX Free text not used Must not be there." in words


def test_a_file_is_checked_by_the_guides_of_a_partner(here: Path):
    crate = "partners/acme/samples/crate.edi"
    assert CliRunner().invoke(main, ["check", crate]).exit_code == 1
    guide_file(here)
    assert CliRunner().invoke(main, ["check", crate, "--partner", "acme"]).exit_code == 0
    guide_file(here, "of: x12/004010/855\n")
    assert CliRunner().invoke(main, ["check", crate, "--partner", "acme"]).exit_code == 1


@pytest.mark.parametrize(("partner", "said"), [("nobody", "has no guides"), ("../acme", "no id of a partner")])
def test_a_partner_without_guides_cannot_judge(partner: str, said: str):
    result = CliRunner().invoke(main, ["check", "partners/acme/samples/crate.edi", "--partner", partner])
    assert (result.exit_code, said in result.output) == (2, True), result.output
