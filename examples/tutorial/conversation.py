"""A short MCP conversation with `mxcp serve --transport stdio`, printed as it happens.

    python conversation.py [the mxcp command]

Every line that begins with "client:" is written to the server's standard input, every "server:" line
comes from its standard output. A real client does the same; nothing here is specific to mxcp.
"""

import json
import subprocess
import sys

SHOWN = 600  # characters of a message


def show(who, message):
    text = json.dumps(message, ensure_ascii=False)
    if len(text) > SHOWN:
        text = text[:SHOWN] + f" ... ({len(text)} characters)"
    print(f"{who}: {text}\n", flush=True)


def main():
    command = sys.argv[1:] or ["mxcp"]
    server = subprocess.Popen(
        [*command, "serve", "--transport", "stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )

    def send(method, params=None, id=None):
        message = {"jsonrpc": "2.0", "method": method}
        if id is not None:
            message["id"] = id
        if params is not None:
            message["params"] = params
        show("client", message)
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()

    def ask(id, method, params=None):
        send(method, params, id)
        while True:
            line = server.stdout.readline()
            if not line:
                sys.exit("the server ended the conversation")
            message = json.loads(line)
            show("server", message)
            if message.get("id") == id:
                return message

    ask(1, "initialize", {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "conversation.py", "version": "1"},
    })
    send("notifications/initialized")
    ask(2, "tools/list")
    ask(3, "tools/call", {
        "name": "personalized_greeting",
        "arguments": {"name": "Alice", "formal": True},
    })
    ask(4, "tools/call", {
        "name": "user_lookup",
        "arguments": {"email": "alice@example.com"},
    })
    # A mistake: the server explains it, so that a model can correct itself.
    ask(5, "tools/call", {"name": "user_lookup", "arguments": {"email": "not an address"}})

    server.stdin.close()  # the end of the conversation: the server finishes and leaves
    sys.exit(server.wait(timeout=30))


if __name__ == "__main__":
    main()
