import os

raise RuntimeError(f"no settings in {os.sep}")
