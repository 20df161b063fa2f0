"""Formulas as MathML, which browsers draw themselves: no script, no font and no request."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def to_mathml(latex: str, *, block: bool = False) -> str:
    """Return a formula as a MathML element.

    Args:
        latex: The formula, without dollar signs.
        block: Whether it stands in a line of its own.
    """
    return convert(latex.strip(), display="block" if block else "inline")


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    # What is wider than a phone is scrolled, and what can be scrolled is reached by Tab.
    translator.body.append(
        f'<div class="formula" tabindex="0" role="group" aria-label="formula">'
        f"{to_mathml(node.astext(), block=True)}</div>"
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer with Sphinx under the name `mathml`.

    Args:
        app: The running Sphinx.
    """
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
