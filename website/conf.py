"""How Sphinx makes the site; `python -m website.build` calls it."""

import sys
from pathlib import Path

import effnet_edu

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "effnet-edu"
author = "The effnet-edu authors"
copyright = "The effnet-edu authors, Apache-2.0"  # noqa: A001, what Sphinx calls it
release = effnet_edu.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "website.mathml"]
exclude_patterns: list[str] = []
nitpicky = True
# Types of other projects are written in signatures; their pages are on the network, and a build needs none.
# Nor is there a page for a type variable.
nitpick_ignore_regex = [("py:.*", r"(?!effnet_edu\.).*"), ("py:.*", r".*\.[A-Z]")]

nb_execution_mode = "off"  # what a reader sees was run and compared by the tests
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # widgets need a kernel; their still pictures do not
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_update_mathjax = False
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_custom_sections = ["Source"]
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "effnet-edu"
html_static_path = ["static"]
html_css_files = ["fonts.css", "site.css"]
html_js_files = [
    "site.js",
    *(
        (f"{name}.js", {"type": "module"})
        for name in ("predictions", "exercises", "quizzes", "progress", "embed")
    ),
]
html_favicon = "static/icon.svg"
html_logo = "static/icon.svg"
html_copy_source = False
html_show_sphinx = False
html_use_index = True
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
_TYPE = {
    "font-stack": '"IBM Plex Sans", system-ui, "Segoe UI", "DejaVu Sans", sans-serif',
    "font-stack--monospace": '"IBM Plex Mono", ui-monospace, "DejaVu Sans Mono", monospace',
}
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0a5a9c", "color-brand-content": "#0a5a9c"} | _TYPE,
    "dark_css_variables": {"color-brand-primary": "#7cc0f4", "color-brand-content": "#7cc0f4"},
}
