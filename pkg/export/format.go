package export

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
	Stata   Format = "dta"
	XLSX    Format = "xlsx"
	SPSS    Format = "sps"
)

// Dialect is for whom a CSV file is written.
type Dialect string

// The dialects.
const (
	Research Dialect = "research"
	Excel    Dialect = "excel"
)
