"""Says how many rows DuckDB finds in the files named, and what they add up to."""
import json
import sys

import duckdb

found = []
for path in sys.argv[1:]:
    found.append(list(duckdb.sql(
        f"SELECT count(*), count(c1), sum(c2), sum(c3), min(c4)::TIMESTAMPTZ::VARCHAR, count(DISTINCT c0) FROM '{path}'"
    ).fetchall()[0]))
print(json.dumps(found, default=float))
