"""The tutorial's project as tests use it: its data in these tests' own words, and its external API."""

from __future__ import annotations

import json
import math
import shutil
import statistics
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import tutorial
from harness import Project

# id -> (name, email, department, created_at) and the amounts of the completed orders, latest first:
# what load.sql says.
USERS = {
    1: ("Alice", "alice@example.com", "Sales", "2024-01-15T09:30:00.123456"),
    2: ("Bob", "bob@example.com", "Engineering", "2024-02-01T00:00:00.000001"),
    3: ("Carol", "carol@example.com", "Support", "2024-02-29T23:59:59.999999"),
    4: ("Dave", "dave@example.com", "Finance", "2024-03-10T12:00:00"),
    5: ("Erin", "erin@example.com", "Research", "2024-04-05T08:15:30.500000"),
    6: ("Zoë", "zoe@example.com", "Sales", "2024-05-20T17:45:12.654321"),
    7: (None, "unknown@example.com", None, None),
}
COMPLETED = {1: 25, 2: 10, 3: 3, 4: 2, 5: 1, 6: 0, 7: 0}
AMOUNTS = {user: [10 * i + 0.25 for i in range(n, 0, -1)] for user, n in COMPLETED.items()}


# --- the project -------------------------------------------------------------------------------


def make_tutorial(folder: Path) -> Project:
    project = Project(folder / "my-project", folder / "home")
    tutorial.write_project(project.folder)
    # The page puts the user configuration where it belongs: in the home folder.
    (project.home / ".mxcp").mkdir()
    shutil.move(project.folder / tutorial.USER_CONFIG, project.home / ".mxcp" / "config.yml")
    project.run("query", "--file", "load.sql").ok()
    return project


def use_api(project: Project, api: Api) -> None:
    config = project.home / ".mxcp" / "config.yml"
    text = config.read_text()
    assert "https://api.example.com" in text
    config.write_text(text.replace("https://api.example.com", api.url))


# --- what the tools should say ---


def check_greeting(result: dict, expected: str) -> None:
    assert list(result) == ["greeting", "timestamp"]
    assert result["greeting"] == expected
    moment = datetime.fromisoformat(result["timestamp"])
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(hours=1)


def fetched(*ids: int) -> list[dict]:
    return [
        {"user_id": i, "name": USERS[i][0], "status": "found"}
        if i in USERS
        else {"user_id": i, "name": None, "status": "not_found"}
        for i in ids
    ]


def insights(amounts: list[float]) -> dict:
    """What the page's own text says the insights are."""
    if not amounts:
        return {"status": "no_data"}
    result: dict = {"total_analyzed": len(amounts), "spending_trend": "unknown"}
    if len(amounts) >= 3:
        result["recent_average"] = round(statistics.mean(amounts[:10]), 2)
    if len(amounts) > 10:
        result["spending_trend"] = "increasing"  # each order is larger than the one before it
    if len(amounts) >= 2:
        result["std_dev"] = round(statistics.stdev(amounts), 2)
    return result


def analysis(user: int) -> dict:
    name, email, department, created_at = USERS[user]
    amounts = AMOUNTS[user]
    return {
        "customer_id": user,
        "basic_info": {
            "name": name,
            "email": email,
            "department": department,
            "created_at": created_at,
        },
        "purchase_summary": {
            "count": len(amounts),
            "total": sum(amounts),
            "average": statistics.mean(amounts),
            "min_purchase": min(amounts),
            "max_purchase": max(amounts),
        }
        if amounts
        else None,
        "insights": insights(amounts),
    }


def check_analysis(result: dict, user: int) -> None:
    expected = analysis(user)
    if result["purchase_summary"]:
        average = result["purchase_summary"].pop("average")
        assert math.isclose(average, expected["purchase_summary"].pop("average"))
    assert result == expected
    if COMPLETED[user] == 25:
        assert result["insights"]["spending_trend"] == "increasing"


# --- the stand-in for step 3's external API ----------------------------------------------------


class Api(ThreadingHTTPServer):
    """Answers GET /search; keeps the requests; `reply` is the body of the next answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ApiHandler)
        self.requests: list[tuple[str, dict, str | None]] = []
        self.status = 200
        self.reply: object = [{"title": "first", "score": 0.5}, {"title": "second", "score": 1}]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ApiHandler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.requests.append(
            (url.path, parse_qs(url.query), self.headers.get("Authorization"))
        )
        body = json.dumps(self.server.reply).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
