"""Write the next revision: what the tables in the code have and the revisions so far do not."""

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import tradehub
from tradehub.platform import schema
from tradehub.platform.db import Database

if __name__ == "__main__":
    for module in pkgutil.walk_packages(tradehub.__path__, "tradehub."):
        if module.name.endswith(".store") or (module.name.count(".") == 2 and ".platform." in module.name):
            importlib.import_module(module.name)
    with tempfile.TemporaryDirectory() as folder:
        written = schema.revise(Database(f"sqlite:///{Path(folder) / 'empty.db'}"), sys.argv[1])
    sys.stdout.write(f"{written}\n")
