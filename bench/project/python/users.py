import asyncio

from mxcp.runtime import db


def user_lookup(email: str) -> dict:
    rows = db.execute("SELECT id, name, email FROM users WHERE email = $email", {"email": email})
    if not rows:
        return {"found": False, "user": None}
    return {"found": True, "user": {**rows[0], "domain": email_domain(email)}}


async def batch_user_data(user_ids: list[int]) -> list[dict]:
    async def look_up(user_id: int) -> dict:
        rows = db.execute("SELECT id, name FROM users WHERE id = $id", {"id": user_id})
        if not rows:
            return {"user_id": user_id, "name": None, "status": "not_found"}
        return {"user_id": user_id, "name": rows[0]["name"], "status": "found"}

    return list(await asyncio.gather(*(look_up(user_id) for user_id in user_ids)))


def email_domain(email: str) -> str:
    return email.rpartition("@")[2]
