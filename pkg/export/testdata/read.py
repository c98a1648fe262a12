"""Reads the data of this package with types and labels into a data frame: data.

Run it in the folder that it is in: python3 read.py
"""
import pandas as pd

TYPES = {
    "client": "text",
    "phq9_1": "integer",
    "phq9_2": "integer",
    "total": "integer",
    "severity": "text",
    "dose": "number",
    "remitted": "boolean",
    "taken_at": "datetime",
    "born_on": "date",
    "steps": "integer",
    "remark": "text",
}

TITLES = {
    "client": "The client's pseudonym",
    "phq9_1": "Little interest or pleasure, \"anhedonia\"",
    "phq9_2": "Feeling down",
    "total": "Total score",
    "severity": "Severity",
    "dose": "Dose",
    "remitted": "In remission",
    "taken_at": "When it was taken",
    "born_on": "Date of birth",
    "steps": "Steps counted",
    "remark": "What the clinician wrote",
}

# What the values of coded columns mean, in their order.
CODES = {
    "phq9_1": {
        "0": "Not at all",
        "1": "Several days",
        "2": "More than half the days",
        "3": "Nearly every day",
    },
    "phq9_2": {
        "0": "Not at all",
        "1": "Several days",
        "2": "More than half the days",
        "3": "Nearly every day",
    },
    "severity": {
        "minimal": "Minimal",
        "severe": "Schwer | s\u00e9v\u00e8re",
    },
}

data = pd.read_csv("data.csv", dtype=str, encoding="utf-8-sig", keep_default_na=False, na_values=[""])


def typed(values, kind):
    if kind == "integer":
        if not pd.api.types.is_numeric_dtype(values):
            values = pd.to_numeric(values, dtype_backend="numpy_nullable")
        return values.astype("Int64")
    if kind == "number":
        return pd.to_numeric(values).astype("float64")
    if kind == "boolean":
        return pd.to_numeric(values).astype("boolean")
    if kind == "datetime":
        return pd.to_datetime(values, utc=True, format="ISO8601")
    if kind == "date":
        return pd.to_datetime(values, format="ISO8601")
    return values.astype("string").replace("", pd.NA)


for name, kind in TYPES.items():
    values = typed(data[name], kind)
    if name in CODES:
        labels = CODES[name]
        values = values.astype("string").map(labels)
        values = values.astype(pd.CategoricalDtype(list(dict.fromkeys(labels.values()))))
    data[name] = values
data.attrs["titles"] = TITLES

print(len(data), "rows,", len(data.columns), "columns")
for name in data.columns:
    print(name, data[name].dtype)
