"""Models that could answer: the share of right answers of each, and how much it writes.

>>> [one.id for one in answering(["llama-3.1-8b", "qwen3-32b"], floor_frac=0.5)]
['qwen3-32b']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from econ.catalog import catalog
from econ.catalog.architecture import Model
from econ.catalog.guard import UnknownName, fraction
from econ.catalog.names import without_format
from econ.catalog.precision import bytes_per_element
from econ.catalog.scores import BENCHMARK, precision_loss, quality


@dataclass(frozen=True, kw_only=True)
class Answering:
    """A model on a menu.

    Attributes
    ----------
    model : str or Model
        As it was named.
    right_frac : float
        Share of its answers that are right.
    is_measured : bool
        Whether that is your own figure; else it is a score, in the format it was trained in.
    output_tokens : float or None
        Tokens of an answer to the benchmark, where they are known.
    """

    model: str | Model
    right_frac: float
    is_measured: bool
    output_tokens: float | None

    @property
    def id(self) -> str:
        """The model's name."""
        return self.model.id if isinstance(self.model, Model) else self.model

    def right_in(self, precision: str) -> float:
        """Share of right answers in a number format; what you measured is taken as it is served.

        >>> one = answering(["llama-3.1-70b"])[0]
        >>> one.right_in("bf16") > one.right_in("fp4") > 0.95 * one.right_frac
        True
        """
        model = (
            self.model
            if isinstance(self.model, Model)
            else catalog.model(without_format(self.model)[0])
        )
        if self.is_measured or bytes_per_element(precision) >= bytes_per_element(
            model.native_precision
        ):
            return self.right_frac
        return self.right_frac * (1 - precision_loss(precision).typical)

    def longer_than(self, base: str, benchmark: str = BENCHMARK) -> float:
        """Its tokens an answer over those of another model; 1 where either is unknown."""
        other = _tokens(base, benchmark)
        return self.output_tokens / other if self.output_tokens and other else 1.0


def answering(
    models: Sequence[str | Model],
    right_frac: Mapping[str, float] | None = None,
    *,
    benchmark: str = BENCHMARK,
    floor_frac: float = 0.0,
) -> list[Answering]:
    """The models of a menu that reach a floor of quality.

    Parameters
    ----------
    models : sequence of str or Model
        The menu.
    right_frac : mapping of str to float, optional
        Model → share of right answers to your own task; for others the score on ``benchmark``.
    benchmark : str
        Of `econ.catalog.quality`.
    floor_frac : float
        Least share of right answers, e.g. 0.6.

    Raises
    ------
    ValueError
        For a model without a score and without a share, and for a floor that none reaches: with the
        best that there is.

    Examples
    --------
    >>> answering(["llama-3.1-8b"], {"llama-3.1-8b": 0.4})[0].right_frac
    0.4
    """
    floor, own = fraction("floor_frac", floor_frac), right_frac or {}
    menu = []
    for model in models:
        name = model.id if isinstance(model, Model) else model
        is_measured = name in own
        if is_measured:
            share = fraction(f"right_frac of {name}", own[name])
        else:
            try:
                share = quality(without_format(name)[0], benchmark).score_frac
            except UnknownName as error:
                raise ValueError(
                    f"{name} has no score on {benchmark}: give right_frac={{{name!r}: share}} "
                    "of right answers to your own task"
                ) from error
        menu.append(
            Answering(
                model=model,
                right_frac=share,
                is_measured=is_measured,
                output_tokens=_tokens(name, benchmark),
            )
        )
    if not menu:
        raise ValueError("no model on the menu: name one or more")
    reached = [one for one in menu if one.right_frac >= floor]
    if not reached:
        best = max(menu, key=lambda one: one.right_frac)
        raise ValueError(
            f"floor_frac = {floor_frac}: no model on the menu reaches it; the best is {best.id} "
            f"with {best.right_frac:g}"
        )
    return reached


def _tokens(name: str, benchmark: str) -> float | None:
    """Output tokens of an answer on a benchmark, where they are known."""
    try:
        return quality(without_format(name)[0], benchmark).output_tokens_per_answer
    except UnknownName:
        return None
