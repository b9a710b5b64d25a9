import httpx
from mxcp.runtime import config

def fetch_external_data(query: str) -> dict:
    """Fetch data from external API using configured credentials."""
    # Get secrets from configuration
    api_key = config.get_secret("api_credentials", "api_key")
    api_url = config.get_secret("api_credentials", "api_url")

    if not api_key:
        return {"status": "error", "data": [], "error": "API key not configured"}

    try:
        response = httpx.get(
            f"{api_url}/search",
            params={"q": query},
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=30.0
        )
        response.raise_for_status()
        return {"status": "success", "data": response.json()}

    except httpx.HTTPError as e:
        return {"status": "error", "data": [], "error": str(e)}
