"""What is displayed: text with a kind."""


class HTML:
    """A piece of HTML."""

    def __init__(self, data=""):
        self.data = data

    def _repr_html_(self):
        return self.data


class Markdown:
    """A text in Markdown, shown as it was written."""

    def __init__(self, data=""):
        self.data = data

    def __repr__(self):
        return self.data


def display(*_things, **_options):
    """Nothing: the page shows the last value of a cell."""


def clear_output(wait=False):
    """Nothing."""
