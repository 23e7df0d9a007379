"""The catalogue: accelerators, models and sites by name.

Each object is a frozen dataclass in base units that anyone can also build by hand; a field that
no source gives is None. Usual names and Hugging Face ids are understood (`econ.catalog.names`); an
unknown one lists the nearest.

>>> h100 = accelerator("h100-sxm")
>>> f"{h100.peak_flop_per_s('bf16') / h100.memory_bandwidth_bytes_per_s:.0f} FLOP per byte"
'295 FLOP per byte'
>>> accelerator("h100-smx")
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown accelerator 'h100-smx'; nearest: h100-sxm, h200-sxm
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from econ.catalog.architecture import Model
from econ.catalog.guard import count, in_range, not_negative, one_of, positive, unknown
from econ.catalog.names import identifier, release_context_tokens
from econ.catalog.precision import PRECISIONS
from econ.catalog.ranges import ends
from econ.catalog.tables import remember, table

Record = TypeVar("Record")
TORUS_LINKS = {"ring": 2, "torus-2d": 4, "torus-3d": 6}
LINK_KINDS = ("switch", "mesh", *TORUS_LINKS, "bridge", "pcie", "network")


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One accelerator: dense peaks, memory as sold, link bandwidth per direction.

    Parameters
    ----------
    id, name, vendor, release : str
        Identifier, full name, vendor, first availability (YYYY or YYYY-MM).
    memory_bytes : float
        Memory as sold, in decimal bytes, e.g. 80e9.
    device_memory_bytes : float, optional
        What the device reports: a vendor who counts in binary gigabytes sells more bytes than the
        name says.
    memory_bandwidth_bytes_per_s : float
        Peak, e.g. 3.35e12.
    peak_bf16_flop_per_s, peak_fp8_flop_per_s, peak_fp4_flop_per_s, peak_int8_op_per_s : float
        Dense peaks, e.g. 989e12; None for a format the device does not compute in.
    peak_fp32_flop_per_s : float, optional
        Dense peak in single precision, in which a processor without 16-bit units works.
    tdp_w : float, optional
        Thermal design power, e.g. 700.
    scaleup_bandwidth_bytes_per_s : float, optional
        Link bandwidth in one direction (NVLink "900 GB/s" is 450e9).
    scaleup_domain : int
        Accelerators that these links join, e.g. 8 or 72.
    link_kind : str
        How: ``switch`` (every pair at full speed), ``mesh`` (a link to each other accelerator),
        ``torus-2d``, ``torus-3d``, ``ring`` (links to neighbours), ``bridge`` (pairs or fours),
        ``pcie`` (the bus of a server) or ``network`` (a network port). See `links_frac`.
    n_per_server : int, optional
        Accelerators in the unit that is bought.
    server_power_w : float, optional
        Most power of that unit.
    why_no_rent : str
        Why the table of rents does not hold it; empty where it does.
    source, as_of : str
        Key of the source and its date.

    Raises
    ------
    ValueError
        For a number that is not greater than 0.
    UnknownName
        For another kind of link.
    """

    id: str
    name: str = ""
    vendor: str = ""
    release: str = ""
    memory_bytes: float
    device_memory_bytes: float | None = None
    memory_bandwidth_bytes_per_s: float
    peak_bf16_flop_per_s: float
    peak_fp8_flop_per_s: float | None = None
    peak_fp4_flop_per_s: float | None = None
    peak_int8_op_per_s: float | None = None
    peak_fp32_flop_per_s: float | None = None
    tdp_w: float | None = None
    scaleup_bandwidth_bytes_per_s: float | None = None
    scaleup_domain: int = 1
    link_kind: str = "switch"
    n_per_server: int | None = None
    server_power_w: float | None = None
    why_no_rent: str = ""
    source: str = ""
    as_of: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.type.startswith("int"):
                count(field.name, value, 1)
            elif value is not None and field.type != "str":
                positive(field.name, value)
        one_of("link_kind", self.link_kind, LINK_KINDS)

    def links_frac(self, n: float) -> float:
        """Share of its links that an accelerator uses in a group of ``n`` that share a layer.

        Parameters
        ----------
        n : int
            Accelerators that exchange data, e.g. 4.

        Returns
        -------
        float
            1 behind a switch, on a bridge, a bus or a network port. In a mesh of ``d`` one link
            leads to each other accelerator: (n − 1) / (d − 1). A slice of a torus has two
            accelerators on an axis (one neighbour) or four and more (two): log2(n) links of the
            2, 4 or 6.

        Examples
        --------
        >>> accelerator("h100-sxm").links_frac(2), accelerator("mi300x").links_frac(2)
        (1.0, 0.14285714285714285)
        >>> [round(accelerator("tpu-v5e").links_frac(n), 2) for n in (2, 4, 8, 16, 64)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
        """
        return float(links_frac(n, self.is_mesh, self.scaleup_domain, self.n_torus_links))

    @property
    def is_mesh(self) -> bool:
        """Whether a link of its own leads to each other accelerator of the domain."""
        return self.link_kind == "mesh"

    @property
    def n_torus_links(self) -> int:
        """Links to neighbours in a ring or torus, 2 an axis; 0 for any other kind."""
        return TORUS_LINKS.get(self.link_kind, 0)

    def peak_flop_per_s(self, precision: str = "bf16") -> float:
        """Dense peak at ``precision``; int4 and fp4 weights compute at bf16 where not native."""
        native: dict[str, float | None] = {
            "fp32": self.peak_fp32_flop_per_s,
            "bf16": self.peak_bf16_flop_per_s,
            "fp16": self.peak_bf16_flop_per_s,
            "fp8": self.peak_fp8_flop_per_s,
            "int8": self.peak_int8_op_per_s,
            "fp4": self.peak_fp4_flop_per_s or self.peak_bf16_flop_per_s,
            "int4": self.peak_bf16_flop_per_s,
        }
        if precision not in native:
            raise unknown("precision", precision, PRECISIONS)
        if (peak := native[precision]) is None:
            able = ", ".join(self.precisions)
            raise ValueError(f"{self.id} has no {precision} arithmetic; it has {able}")
        return peak

    @property
    def precisions(self) -> tuple[str, ...]:
        """Precisions this chip serves, natively or weight-only."""
        lacking = {
            "fp32": self.peak_fp32_flop_per_s,
            "fp8": self.peak_fp8_flop_per_s,
            "int8": self.peak_int8_op_per_s,
        }
        return tuple(p for p in PRECISIONS if lacking.get(p, True) is not None)


def links_frac(n: Any, is_mesh: Any, domain: Any, n_torus_links: Any) -> Any:
    """`Accelerator.links_frac` for numbers or arrays of them."""
    mesh = np.minimum((n - 1) / np.maximum(domain - 1, 1), 1)
    torus = np.minimum(np.log2(np.maximum(n, 1)) / np.maximum(n_torus_links, 1), 1)
    return np.where(is_mesh, mesh, np.where(n_torus_links > 0, torus, 1.0))[()]


def _pue(name: str, value: float) -> float:
    return in_range(name, value, 1, 10, says="1 to 10 (site energy over IT energy)")


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the electricity comes from, and how the building uses it; None is unknown.

    Parameters
    ----------
    id, name : str
        Identifier and name of the place.
    electricity_usd_per_kwh : float, optional
        Price of electricity, e.g. 0.09.
    carbon_g_per_kwh, carbon_lifecycle_g_per_kwh : float, optional
        Location-based intensity of generation, without and with the life cycle of the plants.
    solar_frac : float, optional
        Share of solar in annual generation.
    market_carbon_g_per_kwh : float, optional
        Carbon of the electricity bought, by contract.
    grid_water_l_per_kwh, wue_l_per_kwh : float, optional
        Water off site per kWh generated, and on site per kWh of IT energy.
    pue : float, optional
        Power usage effectiveness: site energy over IT energy, 1 to 10.
    source, as_of : str
        Key of the source and its date.

    Raises
    ------
    ValueError
        For a number outside its range.
    """

    id: str
    name: str = ""
    electricity_usd_per_kwh: float | None = None
    carbon_g_per_kwh: float | None = None
    carbon_lifecycle_g_per_kwh: float | None = None
    solar_frac: float | None = None
    market_carbon_g_per_kwh: float | None = None
    grid_water_l_per_kwh: float | None = None
    wue_l_per_kwh: float | None = None
    pue: float | None = None
    source: str = ""
    as_of: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and field.type != "str":
                ends(not_negative, field.name, value)
        if self.pue is not None:
            ends(_pue, "pue", self.pue)


def build(cls: type[Record], row: pd.Series) -> Record:
    """A dataclass from a table's row: its columns where the names agree, None where empty."""
    values = {}
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name in row.index and not pd.isna(row[field.name]) and row[field.name] != "":
            value = row[field.name]
            values[field.name] = value if isinstance(value, str | bool) else _plain(value, field)
    return cls(**values)


def _plain(value: Any, field: Field[Any]) -> bool | int | float:
    if "bool" in str(field.type):
        return bool(value)
    return int(value) if "int" in str(field.type) else float(value)


def _row(kind: str, name: object) -> pd.Series:
    rows = table(f"{kind}s")
    return rows.loc[identifier(kind, name, rows)]


def _text(kind: str, name: object) -> str:
    """A name that a cache can hold; what is no text is unknown."""
    if not isinstance(name, str):
        raise unknown(kind, name, table(f"{kind}s").index)
    return name


def accelerator(id: str | Accelerator) -> Accelerator:
    """An accelerator of the catalogue.

    Parameters
    ----------
    id : str or Accelerator
        An identifier, e.g. ``"h100-sxm"``, ``"tpu-v6e"``; a usual name, e.g. ``"H100"``,
        ``"MI300X"``; or an accelerator of your own, which comes back as it is.

    Returns
    -------
    Accelerator
        Peaks, memory, links and power in base units; None where no source gives a value.

    Raises
    ------
    UnknownName
        For a name that the catalogue does not hold, with the nearest, or that fits several rows.

    Examples
    --------
    >>> accelerator("H100").id, accelerator("AMD Instinct MI300X").id, accelerator("Vera Rubin").id
    ('h100-sxm', 'mi300x', 'vr200-nvl72')
    """
    return id if isinstance(id, Accelerator) else _accelerator(_text("accelerator", id))


@remember
def _accelerator(id: str) -> Accelerator:
    return build(Accelerator, _row("accelerator", id))


def model(id: str | Path | Mapping[str, Any] | Model) -> Model:
    """An AI model of the catalogue, or one read from its ``config.json``.

    Parameters
    ----------
    id : str, Path, dict or Model
        An identifier, e.g. ``"llama-3.1-70b"``; a Hugging Face id, e.g. ``"Qwen/Qwen3-32B"``; the
        path of a ``config.json``, or its content; or a model of your own, which comes back as it
        is.

    Returns
    -------
    Model
        The shape, from which parameters, cache and work follow.

    Raises
    ------
    UnknownName
        For a name that the catalogue does not hold, with the nearest, or that fits several rows.
    ValueError
        For a ``config.json`` that is malformed or not understood, with the file and the key.

    Examples
    --------
    >>> model("meta-llama/Llama-3.1-70B-Instruct").id
    'llama-3.1-70b'
    """
    if isinstance(id, Model):
        return id
    if isinstance(id, Path | Mapping) or (isinstance(id, str) and id.endswith(".json")):
        return Model.from_hf_config(id)
    return _model(_text("model", id))


@remember
def _model(id: str) -> Model:
    one = build(Model, _row("model", id))
    context = release_context_tokens(id, table("models"))
    return dataclasses.replace(one, max_context_tokens=context) if context else one


def site(id: str | Site, operator: str | None = None) -> Site:
    """A place of the catalogue, with who runs the building.

    A place has a grid; how much a building wastes depends on its operator.

    Parameters
    ----------
    id : str or Site
        A place, e.g. ``"us-virginia"``, ``"France"``; or a site of your own, which comes back as it
        is.
    operator : str, optional
        E.g. ``"google"``, or ``"industry"`` for the mean of a survey: adds its PUE, and site water
        and market-based carbon where they are reported.

    Returns
    -------
    Site
        Price, carbon and water per kWh; None where no source gives a value.

    Raises
    ------
    UnknownName
        For a place or an operator that the catalogue does not hold, with the nearest.
    ValueError
        For a site of your own together with an operator.
    """
    if not isinstance(id, Site):
        return _site(_text("site", id), operator)
    if operator:
        raise ValueError(f"operator = {operator!r}: a site of your own carries its own PUE")
    return id


@remember
def _site(id: str, operator: str | None) -> Site:
    row = _row("site", id)
    if operator is not None:
        runs = _row("operator", operator)
        row = pd.concat([row, runs[["pue", "wue_l_per_kwh", "market_carbon_g_per_kwh"]]])
    return build(Site, row)


def accelerators_frame() -> pd.DataFrame:
    """All accelerators in base units, one row each."""
    return table("accelerators")


@remember
def classroom() -> tuple[str, ...]:
    """The accelerators that lessons offer for choice: those marked ``in_lessons`` in the table.

    >>> classroom()
    ('a100-sxm-80gb', 'h100-sxm', 'h200-sxm', 'b200-sxm', 'mi300x')
    """
    rows = table("accelerators")
    return tuple(rows.index[rows["in_lessons"].fillna(False)])


def models_frame() -> pd.DataFrame:
    """All models: the shape, with parameters and KV bytes per token computed from it."""
    rows = []
    for id in table("models").index:
        m = model(id)
        rows.append(
            {
                "id": id,
                "name": m.name,
                "vendor": m.vendor,
                "release": m.release,
                "attention": m.attention_kind,
                "n_params": m.n_params,
                "active_params": m.active_params,
                "kv_bytes_per_token": m.kv_bytes_per_token(),
                "max_context_tokens": m.max_context_tokens,
                "native_precision": m.native_precision,
                "licence": m.licence,
            }
        )
    return pd.DataFrame(rows).set_index("id", drop=False)
