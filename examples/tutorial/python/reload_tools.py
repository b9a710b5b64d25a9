from mxcp.runtime import reload_duckdb, db
import subprocess

def update_analytics_data() -> dict:
    """Endpoint that triggers a data refresh."""

    def rebuild_database():
        """This runs with all connections closed."""
        # Option 1: Run external dbt command
        subprocess.run(["dbt", "run", "--target", "prod"], check=True)

        # Option 2: Replace database file
        import shutil
        shutil.copy("/staging/analytics.duckdb", "/app/data/analytics.duckdb")

    # Schedule the reload - happens asynchronously
    reload_duckdb(
        payload_func=rebuild_database,
        description="Updating analytics data"
    )

    return {"status": "scheduled", "message": "Data refresh will complete in background"}
