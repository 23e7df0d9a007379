"""As much of IPython as the course asks for where no shell is: a page's own Python.

The whole of it is a quarter of what Python imports there before its first answer. What is shown in
a page, the page shows; so `display` does nothing.
"""


def get_ipython():
    """The running shell: none."""
    return
