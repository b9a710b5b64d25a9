"""The lists of the server change when its files do."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def toggle(path, text):
    if path.exists():
        path.unlink()
    else:
        path.write_text(text)
    return "changed"


def test_trigger_tool_change():
    return toggle(
        ROOT / "tools" / "comes_and_goes.yml",
        "mxcp: 1\ntool:\n  name: comes_and_goes\n  description: Sometimes here\n"
        "  source: {code: SELECT 1}\n",
    )


def test_trigger_prompt_change():
    return toggle(
        ROOT / "prompts" / "comes_and_goes.yml",
        "mxcp: 1\nprompt:\n  name: comes_and_goes\n  description: Sometimes here\n"
        "  messages: [{prompt: Hello}]\n",
    )
