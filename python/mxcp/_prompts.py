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
