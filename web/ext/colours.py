"""Code in its colours, with no more elements than there are colours.

Pygments wraps each word and each sign of a program by itself, and most of them have the colour of
the text. Four fifths of a chapter's elements were of that kind, and a phone lays out each of them.
"""

import functools

from pygments.formatters import HtmlFormatter
from pygments.styles import get_style_by_name
from pygments.token import Token
from sphinx.highlighting import PygmentsBridge

STYLES = ("a11y-high-contrast-light", "a11y-high-contrast-dark")  # the theme's own


def looks(token):
    """Return what is seen of a kind of token, in the light and in the dark."""
    return [get_style_by_name(style).style_for_token(token) for style in STYLES]


@functools.cache
def plainest(token):
    """Return the most general kind of token that looks the same.

    Prompts and outputs stay what they are: the button that copies code leaves them out.
    """
    if token in Token.Generic:
        return token
    if looks(token) == looks(Token.Text):
        return Token.Text
    while token.parent and looks(token.parent) == looks(token):
        token = token.parent
    return token


class Formatter(HtmlFormatter):
    """Pygments' own, for fewer kinds of tokens; neighbours of one kind share an element."""

    def format_unencoded(self, tokensource, outfile):
        # The dot of np.sin is an operator to Pygments, and punctuation to a reader.
        kinds = (
            (Token.Text if text == "." else plainest(kind), text) for kind, text in tokensource
        )
        super().format_unencoded(kinds, outfile)


def setup(app):
    PygmentsBridge.html_formatter = Formatter
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
