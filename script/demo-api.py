"""A stand-in for an external API: answers GET /search?q=... with a list, for a caller that has the key.

    python demo-api.py FILE     listens on a free port of 127.0.0.1 and writes its number to FILE
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if self.headers.get("Authorization") != "Bearer your-api-key-here":
            self.answer(401, {"error": "unknown key"})
        elif url.path != "/search":
            self.answer(404, {"error": "no such page"})
        else:
            query = parse_qs(url.query).get("q", [""])[0]
            self.answer(200, [{"title": f"About {query}", "rank": 1}])

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Api)
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(server.server_port))
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()
