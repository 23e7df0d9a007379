"""What Sphinx is told; the sources are written by pages.py."""

import functools
import re

import place
from latex2mathml.converter import convert

import econ

project = "Inference economics"
release = econ.__version__
html_title = project
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
napoleon_use_rtype = False
exclude_patterns = ["_extra"]
html_theme = "furo"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_js_files = [("copy.js", {"defer": "defer"})]
html_baseurl = place.site()
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
templates_path = []
myst_enable_extensions = ["dollarmath", "attrs_inline"]
myst_heading_anchors = 3
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries = False
# docstrings are prose first; a bar or a star in one is no reason to build nothing
# and two classes of one name in two modules are both right
suppress_warnings = ["myst.header", "docutils", "ref.python"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {"top_of_page_buttons": []}


SIZE = re.compile(r"\\[Bb]igg?[lr]?(?=\\)")  # before a named bracket, which would stay a word


def _math(self, node):
    """Formulas as MathML: no script, no font from elsewhere, legible to a screen reader."""
    block = "block" if node.tagname == "math_block" else "inline"
    self.body.append(convert(SIZE.sub("", node.astext()), display=block))
    raise _Skip


def setup(app):
    """Formulas by latex2mathml; a name is looked for among all objects once, not on every line."""
    global _Skip
    from docutils.nodes import SkipNode as _Skip
    from sphinx.domains.python import PythonDomain

    PythonDomain.find_obj = functools.cache(PythonDomain.find_obj)

    app.add_html_math_renderer("mathml", (_math, None), (_math, None))


html_math_renderer = "mathml"
