"""The words of the interface in one place: buttons, what is said before and around an answer.

``data/lessons/interface.csv`` has a column for each language; ``ECON_LANGUAGE=german`` chooses one.
A translation adds a column. The lessons and their questions are in English.

>>> say("you_said", said="3 ms")
'You said **3 ms**.'
>>> say("you_sayed", said="3 ms")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
econ.catalog.guard.UnknownName: unknown words of the interface 'you_sayed'; nearest: you_said...
"""

from __future__ import annotations

import functools
import os

from econ.catalog import table
from econ.catalog.guard import one_of
from econ.catalog.tables import remember

OF_THE_SCRIPT = "script_"


@remember
def languages() -> list[str]:
    """The languages that the table has.

    >>> languages()
    ['english', 'german']
    """
    return [str(name) for name in table("interface").columns if name != "key"]


def language() -> str:
    """The language that is set: ``ECON_LANGUAGE``, or English.

    Raises
    ------
    UnknownName
        For one that the table does not have.
    """
    name = os.environ.get("ECON_LANGUAGE", "") or "english"
    one_of("language", name, languages())
    return name


def say(key: str, **values: object) -> str:
    """The words under a key in the language that is set, their places filled.

    Parameters
    ----------
    key : str
        Of the table, e.g. ``"you_said"``.
    **values : object
        By the names in braces, e.g. ``said="3 ms"``.
    """
    words = _words(language())
    one_of("words of the interface", key, words)
    return words[key].format(**values)


def script_texts() -> dict[str, str]:
    """What a page's script says, by key without its prefix; places stay in braces."""
    return {
        key.removeprefix(OF_THE_SCRIPT): words
        for key, words in _words(language()).items()
        if key.startswith(OF_THE_SCRIPT)
    }


@functools.cache
def _words(language: str) -> dict[str, str]:
    return {str(key): str(words) for key, words in table("interface")[language].items()}
