from mxcp.runtime import mcp

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def content(answer):
    return answer.get("content") or {}


async def test_sampling(prompt):
    answer = await mcp.sample(prompt, max_tokens=100)
    return f"LLM response: {answer['content']['text']}"


async def test_elicitation(message):
    schema = {
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    }
    answer = await mcp.elicit(message, schema)
    return f"User response: action={answer['action']}, content={content(answer)}"


async def test_elicitation_sep1034_defaults():
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "User name", "default": "John Doe"},
            "age": {"type": "integer", "description": "User age", "default": 30},
            "score": {"type": "number", "description": "User score", "default": 95.5},
            "status": {
                "type": "string",
                "description": "User status",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": {"type": "boolean", "description": "Verification", "default": True},
        },
        "required": [],
    }
    answer = await mcp.elicit("Please review and update the form fields with defaults", schema)
    return f"Elicitation completed: action={answer['action']}, content={content(answer)}"


async def test_elicitation_sep1330_enums():
    titled = [
        {"const": "value1", "title": "First Option"},
        {"const": "value2", "title": "Second Option"},
        {"const": "value3", "title": "Third Option"},
    ]
    schema = {
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {
                "type": "array",
                "items": {"type": "string", "enum": ["option1", "option2", "option3"]},
            },
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        },
        "required": [],
    }
    answer = await mcp.elicit("Please select options from the enum fields", schema)
    return f"Elicitation completed: action={answer['action']}, content={content(answer)}"


# --- the same over several requests (2026-07-28) ---


async def test_input_required_result_elicitation():
    answer = await mcp.elicit("What is your name?", NAME, key="user_name")
    return f"Hello, {content(answer).get('name')}!"


async def test_input_required_result_sampling():
    answer = await mcp.sample("What is the capital of France?", 100, key="capital_question")
    return answer["content"]["text"]


async def test_input_required_result_list_roots():
    return [root["uri"] for root in await mcp.roots(key="client_roots")]


async def test_input_required_result_request_state():
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    await mcp.elicit("Please confirm", schema, key="confirm")
    return "state-ok"


async def test_input_required_result_multiple_inputs():
    answers = await mcp.ask(
        user_name=mcp.elicitation("What is your name?", NAME),
        greeting=mcp.sampling("Generate a greeting", 50),
        client_roots=mcp.list_roots(),
    )
    return f"{sorted(answers)}"


async def test_input_required_result_multi_round():
    first = await mcp.elicit("Step 1: What is your name?", NAME, key="step1")
    color = {"type": "object", "properties": {"color": {"type": "string"}}, "required": ["color"]}
    second = await mcp.elicit("Step 2: What is your favorite color?", color, key="step2")
    return f"{content(first).get('name')} likes {content(second).get('color')}"


async def test_input_required_result_tampered_state():
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    await mcp.elicit("Please confirm", schema, key="confirm")
    return "state-ok"


async def test_input_required_result_capabilities():
    questions = {}
    if "elicitation" in mcp.client_capabilities:
        questions["user_name"] = mcp.elicitation("What is your name?", NAME)
    if "sampling" in mcp.client_capabilities:
        questions["greeting"] = mcp.sampling("Generate a greeting", 50)
    if "roots" in mcp.client_capabilities:
        questions["client_roots"] = mcp.list_roots()
    return f"{sorted(await mcp.ask(**questions))}" if questions else "nothing to ask"


async def test_missing_capability():
    answer = await mcp.sample("Say hello", 50)
    return answer["content"]["text"]


async def test_streaming_elicitation():
    await mcp.progress(1, 2)
    answer = await mcp.elicit("What is your name?", NAME, key="user_name")
    return f"Hello, {content(answer).get('name')}!"


async def test_logging_tool():
    await mcp.info("a message that only those see who asked for it")
    return "done"


async def user_context():
    """A resource that a prompt embeds, and so the prompt asks."""
    schema = {"type": "object", "properties": {"context": {"type": "string"}}}
    answer = await mcp.elicit("What context should the prompt use?", schema, key="user_context")
    return f"Context: {content(answer).get('context')}"
