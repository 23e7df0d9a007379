"""A model as people name it: what can be served, and what is only sold.

>>> model_named("Qwen/Qwen3-32B-FP8")
Named(model='Qwen/Qwen3-32B', sold_as='Qwen/Qwen3-32B-FP8', precision='fp8')
>>> model_named("claude-sonnet-4@20250514")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.decision.named.OnlySold: claude-sonnet-4@20250514 is a closed model: it has no weights to ...
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.guard import UnknownName
from econ.catalog.names import maker_name, without_format
from econ.decision.offers import CLOSED, api_offers


class OnlySold(ValueError):
    """A model that sellers price and nobody here can serve: closed, or not in the catalogue."""


class Named(NamedTuple):
    """What a name stands for: the model to serve, its name on price lists, its weights' format."""

    model: str | Model
    sold_as: str = ""
    precision: str = ""


def model_named(name: str) -> Named:
    """A model by name or from its ``config.json``; of a checkpoint's name also the format.

    Raises `OnlySold` where sellers list it and its shape is not known.
    """
    path = Path(name)
    if name.endswith(".json") or (path.is_dir() and (path / "config.json").exists()):
        return Named(Model.from_hf_config(name))
    try:
        catalog.model(name)
    except UnknownName:
        shape, precision = without_format(name)
        if precision and _is_known(shape):
            return Named(shape, name, precision)
        if not (sellers := dict.fromkeys(o.price.provider for o in api_offers(name))):
            raise
        priced = f"its API is priced by {', '.join(sellers)}"
        if CLOSED.match(maker_name(name)):
            raise OnlySold(
                f"{name} is a closed model: it has no weights to serve; {priced}"
            ) from None
        raise OnlySold(
            f"{name} is not in the catalogue; {priced}. Give its config.json to serve it"
        ) from None
    return Named(name, name)


def _is_known(name: str) -> bool:
    try:
        catalog.model(name)
    except UnknownName:
        return False
    return True
