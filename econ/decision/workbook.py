"""The finance side of a decision as a workbook (.xlsx) with live formulas: change an input.

Every input and every result has a name, and formulas use names (``=requests_per_day*…``), so that
they read as sentences. Inputs are blue, as financial models have them. Values are stored beside
the formulas for viewers that do not compute. The file is written directly (Office Open XML); no
other package is needed.

>>> line = Line("usd_per_day", "A day", formula="gpus*price*24")
>>> evaluate([Line("gpus", "GPUs", 8.0), Line("price", "Hour", 2.5), line])["usd_per_day"]
480.0
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from econ.catalog.units import DAYS_PER_YEAR, KILO, MTOK
from econ.decision import chance
from econ.decision.books import RESALE_YEARS, Parts
from econ.decision.reasons import PART_NAMES
from econ.decision.result import Option, Weighing

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PLAIN, BOLD, INPUT, THOUSANDS, INPUT_THOUSANDS, CENTS = range(6)  # styles, in the order below
BLUE = '<color rgb="FF0000FF"/>'
FACE = '<sz val="11"/>{}<name val="Calibri"/>'
FORMAT = (
    '<xf numFmtId="{}" fontId="{}" fillId="0" borderId="0" xfId="0" applyFont="1" '
    'applyNumberFormat="1"/>'
)
STYLES = (
    f'<styleSheet xmlns="{NAMESPACE}"><numFmts count="1"><numFmt numFmtId="164" '
    f'formatCode="#,##0.00##"/></numFmts><fonts count="3"><font>{FACE.format("")}</font>'
    f"<font><b/>{FACE.format('')}</font><font>{FACE.format(BLUE)}</font></fonts>"
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill '
    'patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6">'
    + "".join(FORMAT.format(*one) for one in ((0, 0), (0, 1), (0, 2), (3, 0), (3, 2), (164, 0)))
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)
MEAN = (
    "over draws of prices, speed, staff and growth; differs as these do not err to both sides alike"
)
ANNUITY = "what is bought as an annuity, paid back by the month"
BOUGHT = "more as the load grows, and again at the end of a life"
WHOLE = "whole machines for the load of that year, hour by hour"


@dataclass(frozen=True)
class Line:
    """One named cell: an input (``value``) or a ``formula`` of the names above it."""

    name: str
    title: str
    value: float | str = 0.0
    formula: str = ""
    unit: str = ""
    note: str = ""


def evaluate(lines: Sequence[Line]) -> dict[str, float]:
    """Every line's number by name, formulas computed from the lines above them."""
    known: dict[str, Any] = {"PMT": _payment, "MAX": max}
    for line in lines:
        if line.formula:
            known[line.name] = eval(line.formula.replace("^", "**"), {"__builtins__": {}}, known)
        elif line.name:
            known[line.name] = line.value
    return {name: value for name, value in known.items() if isinstance(value, int | float)}


def _payment(rate: float, periods: float, worth: float) -> float:
    """What a spreadsheet's PMT gives: the level payment, with its sign."""
    if not rate:
        return -worth / periods
    factor: float = (1 + rate) ** -periods
    return -worth * rate / (1 - factor)


def finance_lines(decision: Weighing) -> list[Line]:
    """Inputs and formulas of the best API, rent and own, for the first year and the horizon."""
    s, years = decision.scenario, decision.horizon_years
    w = s.workload
    rate = decision.ranges[chance.RATE].typical
    lines = [
        Line("", "The load"),
        Line("requests_per_s", "Requests", w.rate_per_s, unit="per second, while it comes"),
        Line("at_work", "Hours with load", s.finance.utilisation_frac, unit="share"),
        Line("tokens_in", "Prompt", w.mean_input_tokens, unit="tokens"),
        Line("tokens_out", "Answer", w.mean_output_tokens, unit="tokens"),
        Line("growth", "Growth", decision.ranges[chance.GROWTH].typical, unit="factor a year"),
        Line(
            "requests_per_day",
            "Requests a day",
            formula="requests_per_s*86400*at_work",
            unit="requests",
        ),
        Line("discount", "Discount rate", rate, unit="per year"),
    ]
    names = []
    for family, make in (("api", _api_lines), ("rent", _rent_lines), ("own", _own_lines)):
        if option := decision.best_of(family):
            lines += make(decision, option)
            names.append(family)
    for family in names:
        lines += _horizon_lines(decision, family, years)
    return lines


def _horizon_lines(decision: Weighing, family: str, years: int) -> list[Line]:
    """Each year and all of them in today's money; beside it the mean of the draws, as in the memo.

    Tokens grow with the load, machines in whole ones. What is bought counts in a year's cost by its
    annuity, and in the total when it is paid, less what it is sold for at the end.
    """
    option = decision.best_of(family)
    if option is None:
        return []
    lines, total = [], []
    for year, usd in enumerate(option.by_year_usd):
        name, size = f"{family}_year_{year + 1}", "1"
        if family == "api":
            size = f"growth^{year}"
        elif year:
            size = f"{family}_size_{year + 1}"
            title = f"{family}, year {year + 1} over year 1"
            lines.append(_factor(size, title, usd, option.by_year_usd[0], WHOLE))
        formula = {
            "api": f"api_usd_per_year*{size}*api_change^{year}",
            "rent": f"(rent_machines*rent_change^{year}+rent_staff+rent_licences)*{size}",
            "own": f"own_usd_per_year*{size}",
        }[family]
        lines.append(Line(name, f"{family}, year {year + 1}", formula=formula, unit="USD"))
        total.append(f"{name}/(1+discount)^{year + 0.5}")
    present, note = "+".join(total), "the typical case: prices as today"
    if option.bought:
        cash, present = _cash_lines(option, round(decision.life_years), years)
        lines += cash
        note = f"purchases when they are paid, less the resale, no annuity; {note}"
    return [
        *lines,
        Line(f"{family}_present", f"{family}: all years in today's money", formula=present,
             unit="USD", note=note),
        Line(f"{family}_typical", f"{family}: the memo's typical case", option.npv_typical_usd,
             unit="USD"),
        Line(f"{family}_mean", f"{family}: the memo's figure, the mean of the draws",
             option.npv_usd, unit="USD", note=MEAN),
    ]  # fmt: skip


def _cash_lines(option: Option, life_years: int, years: int) -> tuple[list[Line], str]:
    """What is bought, paid and sold over the years, and the formula of its total in today's money.

    Servers that reach the horizon within their life are sold there.
    """
    lines: list[Line] = []
    runs, buys = ["running"], ["bought"]
    for year in range(1, years):
        runs.append(f"running*own_runs_{year + 1}")
        buys.append(f"bought*own_buys_again_{year + 1}")
        for name, title, paid, note in (
            ("runs", "running", option.running_by_year_usd, WHOLE),
            ("buys_again", "bought", option.capital_by_year_usd, BOUGHT),
        ):
            title = f"own, {title} in year {year + 1} over year 1"
            lines.append(_factor(f"own_{name}_{year + 1}", title, paid[year], paid[0], note))
    sold = [
        f"{usd}*kept_a_year^{years - year}"
        for year, usd in enumerate(buys)
        if years - year <= life_years
    ]
    lines.append(Line("own_resale", "own: sold at the end", formula="+".join(sold) or "0",
                      unit="USD", note="each purchase at what its age leaves of it"))  # fmt: skip
    terms = [f"{usd}/(1+discount)^{year + 0.5}" for year, usd in enumerate(runs)]
    terms += [f"{usd}/(1+discount)^{year}" for year, usd in enumerate(buys)]
    return lines, f"{'+'.join(terms)}-own_resale/(1+discount)^{years}"


def _factor(name: str, title: str, usd: float, first_usd: float, note: str) -> Line:
    """A year over the first, as an input."""
    return Line(name, title, usd / first_usd if first_usd else 0.0, unit="factor", note=note)


def _api_lines(decision: Weighing, option: Option) -> list[Line]:
    rates = option.rates
    note = f"{option.seller}, {option.as_of}, {option.source}"
    return [
        Line("", option.name),
        Line("cached", "of the prompt, from its cache", rates[3], unit="share"),
        Line("price_in", "New input", rates[0], unit="USD per Mtok", note=note),
        Line("price_cached", "Cached input", rates[1], unit="USD per Mtok"),
        Line("price_out", "Output", rates[2], unit="USD per Mtok"),
        Line("api_change", "Change of the price", 1.0, unit="factor a year"),
        Line("api_usd_per_day", "A day", unit="USD",
             formula="requests_per_day*(tokens_in*(1-cached)*price_in+tokens_in*cached*price_cached"
                     f"+tokens_out*price_out)/{MTOK:.0f}"),
        Line("api_usd_per_year", "A year", formula="api_usd_per_day*365", unit="USD"),
    ]  # fmt: skip


def _rent_lines(decision: Weighing, option: Option) -> list[Line]:
    staff, licences = (option.parts.get(name, 0.0) for name in ("staff", "licences"))
    machines, beyond = (option.parts.get(name, 0.0) for name in ("machines", "burst"))
    is_mix = "+" in option.kind  # what exceeds its base has another price
    price = option.rates[0]
    paid = machines if is_mix else machines + beyond
    return [
        Line("", option.name),
        Line("rent_price", "Rent", price, unit="USD per GPU-hour", note=f"{option.seller}, "
             f"{option.as_of}, {option.source}"),
        Line("gpu_hours", "Paid GPU-hours a day", paid / price / DAYS_PER_YEAR, unit="h"),
        *([Line("rent_beyond", "Beyond the base", beyond, unit="USD a year")] if is_mix else []),
        Line("rent_machines", "Machines", unit="USD a year",
             formula="gpu_hours*rent_price*365" + ("+rent_beyond" if is_mix else "")),
        Line("rent_staff", "Staff", staff, unit="USD a year"),
        Line("rent_licences", "Licences", licences, unit="USD a year"),
        Line("rent_change", "Change of the rent", 1.0, unit="factor a year"),
        Line("rent_usd_per_year", "A year", unit="USD",
             formula="rent_machines+rent_staff+rent_licences"),
        Line("rent_usd_per_day", "A day", formula="rent_usd_per_year/365", unit="USD"),
    ]  # fmt: skip


def _own_lines(decision: Weighing, option: Option) -> list[Line]:
    """The memo's build-up: what is bought, its annuity, and what every year pays besides."""
    parts = {name: usd for name, usd in option.parts.items() if name != "capital" and usd > 0}
    bought, running = _named("own_buys", option.bought), _named("own_pays", parts)
    resale_frac = decision.ranges[chance.RESIDUAL].typical ** (1 / RESALE_YEARS)
    return [
        Line("", option.name),
        *(
            Line(name, f"Bought: {title}", usd, unit="USD")
            for name, (title, usd) in bought.items()
        ),
        Line("bought", "Bought in all", formula="+".join(bought), unit="USD"),
        Line("life", "Life", decision.life_years, unit="years"),
        Line("kept_a_year", "Resale, of a year before's", resale_frac, unit="share"),
        *(
            Line(name, PART_NAMES.get(title, title).capitalize(), usd, unit="USD a year")
            for name, (title, usd) in running.items()
        ),
        Line("running", "Running in all", formula="+".join(running) or "0", unit="USD a year"),
        Line("own_usd_per_year", "A year", unit="USD", note=ANNUITY,
             formula="0-PMT(discount/12,life*12,bought)*12+running"),
        Line("own_usd_per_day", "A day", formula="own_usd_per_year/365", unit="USD"),
    ]  # fmt: skip


def _named(prefix: str, parts: Parts) -> dict[str, tuple[str, float]]:
    """Parts under names that a formula can hold, with their titles."""
    return {f"{prefix}_{name.replace(' ', '_').replace(',', '')}": (name, usd)
            for name, usd in parts.items()}  # fmt: skip


def workbook(decision: Weighing) -> bytes:
    """The workbook: the finance side with live formulas, and all options as a table."""
    lines = finance_lines(decision)
    numbers = evaluate(lines)
    rows: list[list[Any]] = [["what", "value", "unit", "note"]]
    places = {}
    for line in lines:
        rows.append([line.title, line if line.name else None, line.unit, line.note])
        if line.name:
            places[line.name] = f"Finance!$B${len(rows)}"
    frame = decision.frame()
    table = [list(frame.columns), *frame.to_numpy(object).tolist()]
    return _zipped({"Finance": _sheet(rows, numbers), "Options": _sheet(table, numbers)}, places)


def _sheet(rows: Sequence[Sequence[Any]], numbers: dict[str, float]) -> str:
    body = []
    for r, cells in enumerate(rows, start=1):
        is_head = r == 1 or len([v for v in cells if v not in (None, "")]) == 1
        written = "".join(
            _cell(f"{_letters(c)}{r}", v, numbers, is_head) for c, v in enumerate(cells)
        )
        body.append(f'<row r="{r}">{written}</row>')
    widths = "".join(
        f'<col min="{first}" max="{last}" width="{width}" customWidth="1"/>'
        for first, last, width in ((1, 1, 58), (2, 26, 18))
    )
    top = (
        '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
        'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    )
    sheet = f"{top}<cols>{widths}</cols><sheetData>{''.join(body)}</sheetData>"
    return f'<worksheet xmlns="{NAMESPACE}">{sheet}</worksheet>'


def _cell(place: str, value: Any, numbers: dict[str, float], is_head: bool) -> str:
    if isinstance(value, Line):
        number, is_large = numbers[value.name], abs(numbers[value.name]) >= KILO
        if not value.formula:
            style = INPUT_THOUSANDS if is_large else INPUT
            return f'<c r="{place}" s="{style}"><v>{number!r}</v></c>'
        style = THOUSANDS if is_large else CENTS
        return f'<c r="{place}" s="{style}"><f>{escape(value.formula)}</f><v>{number!r}</v></c>'
    if isinstance(value, int | float) and value == value:
        style = THOUSANDS if abs(value) >= KILO else PLAIN
        return f'<c r="{place}" s="{style}"><v>{float(value)!r}</v></c>'
    if value is None or value != value or value == "":
        return ""
    style = BOLD if is_head else PLAIN
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def _letters(column: int) -> str:
    """The name of a column: A, …, Z, AA, …"""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _zipped(sheets: dict[str, str], places: dict[str, str]) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbered = list(enumerate(sheets, start=1))
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{k}.xml" ContentType="{kinds}.worksheet+xml"/>'
        for k, _ in numbered
    )
    listed = "".join(f'<sheet name="{n}" sheetId="{k}" r:id="rId{k}"/>' for k, n in numbered)
    names = "".join(f'<definedName name="{n}">{p}</definedName>' for n, p in places.items())
    links = "".join(
        f'<Relationship Id="rId{k}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{k}.xml"/>'
        for k, _ in numbered
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kinds}.styles+xml"/>{overrides}'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}"><sheets>{listed}'
        f'</sheets><definedNames>{names}</definedNames><calcPr fullCalcOnLoad="1"/></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId{len(sheets) + 1}" Type="{RELATIONS}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{k}.xml": sheets[name] for k, name in numbered},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), head + text)
    return buffer.getvalue()
