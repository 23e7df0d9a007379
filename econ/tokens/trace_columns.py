"""Which column of a log is what: the names that engines, gateways and exports use.

Names are compared without case, spaces, dots and underscores; of a nested record, the end of the
path counts, so that ``attributes.gen_ai.usage.input_tokens`` is found as ``input_tokens`` is.

>>> columns_of(["TIMESTAMP", "ContextTokens", "GeneratedTokens"], "azure.csv", {})["input_tokens"]
'ContextTokens'
"""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Mapping, Sequence

from econ.catalog.guard import one_of
from econ.catalog.reading import BadTable
from econ.catalog.tables import remember, table

TRACE_COLUMNS = ["arrival_s", "input_tokens", "output_tokens"]
OPTIONAL = "cached_tokens"  # of each prompt, served by a prefix cache
N_REQUESTS = "n_requests"  # of a row that sums a stretch of time
MOST_COLUMNS = 5000
SHOWN = 40  # characters of a bad cell that a message repeats

# a usage export of sums by kind of token, without the number of requests
SUMS = ("uncachedinputtokens", "usageinputtokensnocache", "usageoutputtokens")

# formats whose clock is known, by columns that no other has: (name, columns, unit)
FORMATS: tuple[tuple[str, frozenset[str], str | None], ...] = (
    ("Mooncake", frozenset({"inputlength", "outputlength", "hashids"}), "ms"),
    ("BurstGPT", frozenset({"requesttokens", "responsetokens", "logtype"}), "s"),
    ("Azure", frozenset({"timestamp", "contexttokens", "generatedtokens"}), None),
    ("OpenAI usage", frozenset({"nummodelrequests"}), None),
    ("LiteLLM spend log", frozenset({"calltype", "spend", "prompttokens"}), None),
    ("OpenRouter activity", frozenset({"tokensprompt", "tokenscompletion"}), None),
    ("vLLM detailed results", frozenset({"inputlens", "outputlens", "starttimes"}), "s"),
)


def folded(name: str) -> str:
    """A name without case, spaces and marks."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def format_of(names: Sequence[str]) -> tuple[str, str | None]:
    """What wrote a file of these columns, and the unit of its clock where it is known."""
    have = {folded(n) for n in names}
    for form, columns, unit in FORMATS:
        if columns <= have:
            return form, unit
    dotted = [n.lower() for n in names]
    if any("gen_ai." in n for n in dotted):
        return "OpenTelemetry spans", None
    if any("meta_info." in n for n in dotted):
        return "SGLang request log", None
    if any(n.startswith(("usagedetails", "inputusage")) for n in have):
        return "Langfuse export", None
    return "plain columns", None


@remember
def names_of(what: str) -> dict[str, tuple[str, ...]]:
    """What is looked for in a ``"trace"`` or a ``"usage"`` export -> its names, the surest first.

    Of ``data/tokens/column_names.csv``.
    """
    rows = table("column_names").query("what == @what")
    return {
        target: tuple(names) for target, names in rows.groupby("stands_for", sort=False)["alias"]
    }


@functools.lru_cache(maxsize=20_000)
def rank(path: str, names: tuple[str, ...]) -> int | None:
    """How sure it is that a path is one of the names; the end of a nested path counts too."""
    parts = [folded(p) for p in re.split(r"[.\s/]+", path.strip())]
    ends = {"".join(parts[i:]) for i in range(len(parts))}
    places = [i for i, name in enumerate(names) if name in ends]
    return min(places) * 10 + len(parts) if places else None


def surest(names: Sequence[str], known: tuple[str, ...], taken: Container[str]) -> str | None:
    """The column that is most surely the target of these known names; None where none is."""
    ranked = [
        (r, i)
        for i, name in enumerate(names)
        if name not in taken and (r := rank(name, known)) is not None
    ]
    return names[min(ranked)[1]] if ranked else None


def renamed(text: str) -> dict[str, str]:
    """The names of a log's columns as a user writes them, and ours.

    >>> renamed("when=arrival_s, isl=input_tokens")
    {'when': 'arrival_s', 'isl': 'input_tokens'}
    """
    columns = {}
    for pair in filter(str.strip, text.split(",")):
        theirs, mark, ours = (part.strip() for part in pair.rpartition("="))
        if not (theirs and mark and ours):
            raise ValueError(f"columns {pair.strip()!r}: give THEIRS=OURS, e.g. when=arrival_s")
        columns[theirs] = ours
    return columns


def columns_of(
    names: Sequence[str], name: str, columns: Mapping[str, str], *, strict: bool = True
) -> dict[str, str]:
    """Target -> column of the file, the surest of each.

    Parameters
    ----------
    names : sequence of str
        Columns of the file, or paths of a record.
    name : str
        The file, for errors.
    columns : mapping
        The file's names to ours, as the user says.
    strict : bool
        Whether a missing column is refused.

    Raises
    ------
    BadTable
        Where a column that a trace needs is missing, or there twice.
    """
    if len(names) > MOST_COLUMNS:
        raise BadTable(f"{name}: {len(names):,} columns: keep those of a trace")
    for old, new in columns.items():
        one_of(f"column of {name}", old, names)
        one_of("column of a trace", new, (*TRACE_COLUMNS, OPTIONAL, N_REQUESTS))
    source_of: dict[str, str] = {}
    for target, known in names_of("trace").items():
        stated = [old for old in names if columns.get(old) == target]
        own = [old for old in names if old == target and old not in columns]
        if len(stated) + len(own) > 1:
            raise BadTable(f"{name}: column {target} is there twice: keep one")
        if column := next(iter(stated + own), None) or surest(names, known, columns):
            source_of[target] = column
            if list(names).count(source_of[target]) > 1:
                raise BadTable(f"{name}: column {source_of[target]} is there twice: keep one")
    lacking = [c for c in TRACE_COLUMNS if c not in source_of]
    if not lacking or not strict:
        return source_of
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and mark in names[0]:
            raise BadTable(f"{name}: its cells are parted by {word}: save it with commas")
    if {folded(n) for n in names} & set(SUMS):
        raise BadTable(
            f"{name}: its rows are sums of tokens without the number of requests: a trace cannot "
            f"be made of them; add a column {N_REQUESTS}, or read it as a bill"
        )
    has = ", ".join(str(n)[:SHOWN] for n in names[:12]) or "nothing"
    pairs = ", ".join(f"'…': {new!r}" for new in lacking)
    raise BadTable(
        f"{name}: no column {', '.join(lacking)}; it has {has}. A trace needs "
        f"{', '.join(TRACE_COLUMNS)}: say which they are with columns={{{pairs}}}"
    )
