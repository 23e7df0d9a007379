"""Names as people write them: ``"H100"``, ``"MI300X"``, ``"meta-llama/Llama-3.1-70B-Instruct"``.

Identifiers stay what the tables hold; a name is understood if, without regard to case, spaces
and hyphens, it is an identifier, an alias of ``data/catalog/aliases.csv``, the full name of a
row, or the beginning of exactly one identifier. Of a Hugging Face id the organisation and words
such as *Instruct* or a date, which leave the shape of a model as it is, are dropped.

>>> import pandas as pd
>>> rows = pd.DataFrame({"name": ["A100 40 GB", "A100 80 GB"]}, index=["a100-40gb", "a100-80gb"])
>>> identifier("accelerator", "A100 80 GB", rows)
'a100-80gb'
>>> identifier("accelerator", "A100", rows)
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: accelerator 'A100' may be a100-40gb or a100-80gb: name one of them
"""

from __future__ import annotations

import re

import pandas as pd

from econ.catalog.guard import UnknownName, unknown
from econ.catalog.tables import remember, table

# of a name: same shape, other training, or a seller's dress
RELEASE_WORDS = (
    *("instruct", "chat", "it", "base", "hf", "thinking"),
    *("turbo", "versatile", "preview", "maas", "tee"),
)
FORMATS = {  # of weights, as the names of published checkpoints end; "" says no width
    "fp8": "fp8", "fp4": "fp4", "nvfp4": "fp4", "mxfp4": "fp4", "int8": "int8", "w8a8": "int8",
    "8bit": "int8", "awq": "int4", "gptq": "int4", "int4": "int4", "4bit": "int4", "w4a16": "int4",
    "quantized.w8a8": "int8", "quantized.w4a16": "int4", "bf16": "bf16", "dynamic": "", "bnb": "",
}  # fmt: skip
GATEWAY = re.compile(r"(-\d\d-\d\d|-20\d{6}|:[a-z]+)$")  # a date, a variant: …-04-28, …:free
VERSION = re.compile(  # …-v1:0, …/versions/4, …:free
    r"(?:-v\d+|-\d+)?:\d+$|/versions/[^/]*$|:(?:free|nitro|floor|online|extended|beta|exacto)$"
)
OWNER = re.compile(r"(?:[a-z][a-z0-9]*\.)*([a-z][a-z0-9]*)\.(?=[a-z])")  # us.meta.…
ONLY_NUMBER = re.compile(r"[a-z]?\d[\d.]*(-|$)")  # v3, r1: a name only with its maker's
POINT = re.compile(r"v(\d)p(\d)")  # llama-v3p1-70b
DATE = re.compile(r"\d{4}")  # of a release, as in Qwen3-235B-A22B-Instruct-2507


def identifier(kind: str, name: object, rows: pd.DataFrame, *, with_aliases: bool = True) -> str:
    """The identifier that a name stands for.

    Parameters
    ----------
    kind : str
        What is looked for, as errors call it: ``"accelerator"``, ``"model"``, …
    name : str
        E.g. ``"h100-sxm"``, ``"H100"``, ``"Qwen/Qwen3-32B"``.
    rows : DataFrame
        The table, indexed by identifier, with the columns ``name`` and ``vendor`` where it has
        them.
    with_aliases : bool
        Whether an alias counts: one that has the shape of a model need not have its quality.

    Returns
    -------
    str
        An entry of the index of ``rows``.

    Raises
    ------
    UnknownName
        For a name that fits none, with the nearest, or more than one, with all that it fits.
    """
    ids = rows.index
    if not isinstance(name, str):
        raise unknown(kind, name, ids)
    if name in ids:
        return name
    exact = _known_names(kind, rows, with_aliases)
    spellings = _spellings(kind, name, rows)
    for spelling in spellings:
        if spelling in exact:
            return exact[spelling]
    unspaced = {
        _unspaced(known): id for known, id in exact.items()
    }  # "llama3.1:70b", "Gaudi 3", "llama3-1-70b"
    for spelling in filter(None, spellings):
        if (close := _unspaced(spelling)) in unspaced:
            return unspaced[close]
    for spelling in filter(None, spellings):
        fits = [id for id in ids if id.startswith(f"{spelling}-")]
        if len(fits) == 1:
            return str(fits[0])
        if fits:
            listed = f"{', '.join(fits[:-1])} or {fits[-1]}"
            raise UnknownName(f"{kind} {name!r} may be {listed}: name one of them")
    if kind.endswith("model"):
        _explain_format(kind, name, rows)
    raise unknown(kind, name, ids)


def maker_name(name: str) -> str:
    """What the maker calls a model, from the id of a cloud, a gateway or a hub; in lower case.

    Paths, regions, versions and organisations are the seller's: Bedrock (``us.meta.…-v1:0``, an
    ARN), Azure (``azureml://…/versions/4``), Vertex (``publishers/…/models/…@20250514``),
    Fireworks, Cloudflare, Hugging Face.

    >>> [maker_name(id) for id in ("deepseek.v3-v1:0", "publishers/x/models/claude-opus-4@2025")]
    ['deepseek-v3', 'claude-opus-4']
    """
    text = VERSION.sub("", name.strip().lower()).rpartition("/")[2].partition("@")[0]
    text = POINT.sub(r"\1.\2", text)
    if owner := OWNER.match(text):
        rest = text[owner.end() :]
        text = f"{owner[1]}-{rest}" if ONLY_NUMBER.match(rest) else rest
    return text


def without_format(name: str) -> tuple[str, str]:
    """A checkpoint's name without the format of its weights, and that format ("" for none).

    >>> without_format("Qwen/Qwen3-32B-FP8"), without_format("Qwen/Qwen3-32B")
    (('Qwen/Qwen3-32B', 'fp8'), ('Qwen/Qwen3-32B', ''))
    """
    shape, formats = name, []
    while (parts := shape.rpartition("-"))[0] and parts[2].lower() in FORMATS:
        shape = parts[0]
        formats.append(FORMATS[parts[2].lower()])
    return shape, next(filter(None, formats), "")


def _explain_format(kind: str, name: str, rows: pd.DataFrame) -> None:
    """An error for a known model whose name ends in the format of its weights."""
    shape, precision = without_format(name)
    if not precision:
        return
    try:
        id = identifier(kind, shape, rows)
    except UnknownName:
        return
    raise UnknownName(
        f"unknown {kind} {name!r}: it is {id} with its weights in {name[len(shape) + 1 :]}; "
        f"name {id!r} and set precision={precision!r}"
    )


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


def _unspaced(folded: str) -> str:
    return re.sub(r"[-:.]", "", folded)


def _known_names(kind: str, rows: pd.DataFrame, with_aliases: bool) -> dict[str, str]:
    """Folded name → identifier: full names, aliases, identifiers; the last wins."""
    full = dict(zip(map(_fold, rows["name"]), rows.index, strict=True)) if "name" in rows else {}
    aliases = _aliases(kind.split()[-1]) if with_aliases else {}
    aliases = {alias: id for alias, id in aliases.items() if id in rows.index}
    return full | aliases | {_fold(id): id for id in rows.index}


@remember
def _aliases(kind: str) -> dict[str, str]:
    rows = table("aliases")
    rows = rows[rows["what"] == kind]
    return dict(zip(map(_fold, rows["alias"]), rows["stands_for"], strict=True))


def release_context_tokens(name: str, rows: pd.DataFrame) -> int | None:
    """The context of a release that takes more or less than the model whose shape it has.

    >>> release_context_tokens("Qwen/Qwen3-30B-A3B-Thinking-2507", table("models"))
    262144
    """
    contexts = _contexts()
    known = (contexts.get(spelling) for spelling in _spellings("model", name, rows))
    return next(filter(None, known), None)


@remember
def _contexts() -> dict[str, int]:
    rows = table("aliases").dropna(subset=["max_context_tokens"])
    return dict(zip(map(_fold, rows["alias"]), rows["max_context_tokens"].astype(int), strict=True))


def _spellings(kind: str, name: str, rows: pd.DataFrame) -> list[str]:
    """A name folded; without its organisation or vendor; a model's without its release."""
    folded = _fold(name)
    spellings = [folded]
    if kind.endswith("model"):
        spellings.append(GATEWAY.sub("", maker_name(folded)))
        words = spellings[-1].split("-")
        while len(words) > 1 and (words[-1] in RELEASE_WORDS or DATE.fullmatch(words[-1])):
            words.pop()
            spellings.append("-".join(words))
    elif "vendor" in rows:
        spellings += [
            folded.removeprefix(f"{vendor.lower()}-")
            for vendor in rows["vendor"].unique()
            if folded.startswith(f"{vendor.lower()}-")
        ]
    return list(dict.fromkeys(spellings))
