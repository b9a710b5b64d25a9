"""Renders the messages of prompts with Jinja. Used by the native module only."""

import jinja2

_environment = jinja2.Environment()
_templates = {}


def render(text, arguments):
    template = _templates.get(text)
    if template is None:
        if len(_templates) >= 1000:
            _templates.clear()
        template = _templates[text] = _environment.from_string(text)
    return template.render(arguments)


def problem(text):
    """(line, message) of what Jinja refuses in a template, or None. For validate."""
    try:
        _environment.compile(text)
    except jinja2.TemplateSyntaxError as error:
        return error.lineno, error.message
    return None


def has(what, name):
    """Whether there is a "filter" or "test" of this name."""
    return name in getattr(_environment, what + "s")
