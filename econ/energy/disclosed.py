"""What sellers of tokens say about the energy of a prompt: two figures, and nothing by the token.

>>> google = disclosed_prompt("Google")
>>> google.energy_wh, google.kind
(0.24, 'measured')
"""

from __future__ import annotations

from dataclasses import dataclass

from econ.catalog.catalog import build
from econ.catalog.tables import table


@dataclass(frozen=True, kw_only=True)
class DisclosedPrompt:
    """The energy of a prompt as its seller published it, for a mix of models of its own.

    Attributes
    ----------
    seller, prompt : str
        Who, and of which prompt.
    energy_wh : float
        Energy of one, e.g. 0.24.
    boundary : str
        What is counted.
    source, as_of, kind, note : str
        Key of the source, its date, and whether it is measured or a claim.
    """

    seller: str
    prompt: str
    energy_wh: float
    boundary: str
    source: str = ""
    as_of: str = ""
    kind: str = ""
    note: str = ""


def disclosed_prompt(seller: str) -> DisclosedPrompt:
    """The energy that a seller has published for a prompt.

    Parameters
    ----------
    seller : str
        E.g. ``"Google"``.

    Returns
    -------
    DisclosedPrompt
        Of the seller's own mix: it is no energy of a token, a turn or a task.

    Raises
    ------
    ValueError
        For a seller that has published none.

    Examples
    --------
    >>> disclosed_prompt("Anthropic")
    Traceback (most recent call last):
        ...
    ValueError: seller = 'Anthropic' publishes no energy of a prompt; Google, OpenAI do
    """
    rows = table("disclosed_prompts")
    matches = rows[rows["seller"].str.lower() == seller.lower()]
    if matches.empty:
        raise ValueError(
            f"seller = {seller!r} publishes no energy of a prompt; {', '.join(rows['seller'])} do"
        )
    return build(DisclosedPrompt, matches.iloc[0])
