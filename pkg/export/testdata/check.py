"""Says as JSON what the read.py of each folder named finds."""
import contextlib
import io
import json
import os
import runpy
import sys

import pandas as pd


def listed(values, how):
    return [None if pd.isna(v) else how(v) for v in values]


def text(v):
    return str(v).replace("\r", "")


def check(folder):
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        data = runpy.run_path("read.py")["data"]
    tags = [None] * len(data)
    if os.path.exists("data.dta"):
        marked = pd.read_stata("data.dta", columns=["phq9_1"], convert_missing=True, convert_categoricals=False)
        tags = [str(v).strip(".") if str(v).startswith(".") else None for v in marked["phq9_1"]]
    return {
        "Rows": len(data),
        "Names": list(data.columns),
        "Client": listed(data["client"], text),
        "Answers": listed(data["phq9_1"], text),
        "Levels": len(data["phq9_1"].cat.categories),
        "Severity": listed(data["severity"], text),
        "Total": float(data["total"].sum()),
        "Dose": listed(data["dose"], float),
        "Remitted": listed(data["remitted"], bool),
        "Taken": listed(data["taken_at"], lambda v: "%.6f" % v.timestamp()),
        "Born": listed(data["born_on"], lambda v: v.strftime("%Y-%m-%d")),
        "Steps": listed(data["steps"], float),
        "Remark": listed(data["remark"], text),
        "Title": data.attrs["titles"]["phq9_1"],
        "Classes": [str(t).split("[")[0] for t in data.dtypes],  # the unit of times depends on the file
        "Tags": tags,
    }


print(json.dumps([check(folder) for folder in sys.argv[1:]]))
