# Reads the data of this package with types and labels into a data frame: data.
# Run it in the folder that it is in: Rscript read.R

types <- c(
  client = "text",
  phq9_1 = "integer",
  phq9_2 = "integer",
  total = "integer",
  severity = "text",
  dose = "number",
  remitted = "boolean",
  taken_at = "datetime",
  born_on = "date",
  steps = "integer",
  remark = "text"
)

titles <- c(
  client = "The client's pseudonym",
  phq9_1 = "Little interest or pleasure, \"anhedonia\"",
  phq9_2 = "Feeling down",
  total = "Total score",
  severity = "Severity",
  dose = "Dose",
  remitted = "In remission",
  taken_at = "When it was taken",
  born_on = "Date of birth",
  steps = "Steps counted",
  remark = "What the clinician wrote"
)

# What the values of coded columns mean, in their order.
codes <- list()
codes$phq9_1 <- list(
  values = c("0", "1", "2", "3"),
  labels = c("Not at all", "Several days", "More than half the days", "Nearly every day")
)
codes$phq9_2 <- list(
  values = c("0", "1", "2", "3"),
  labels = c("Not at all", "Several days", "More than half the days", "Nearly every day")
)
codes$severity <- list(
  values = c("minimal", "severe"),
  labels = c("Minimal", "Schwer | s\u00e9v\u00e8re")
)

data <- read.csv("data.csv", colClasses = "character", na.strings = "", encoding = "UTF-8")
names(data) <- names(types)

as_integer <- function(x) {
  x <- as.numeric(x)
  if (all(is.na(x) | abs(x) <= .Machine$integer.max)) as.integer(x) else x
}
as_moment <- function(x) {
  if (inherits(x, "POSIXct")) x else as.POSIXct(as.character(x), format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
}
as_type <- list(
  text = function(x) { x <- as.character(x); replace(x, !is.na(x) & x == "", NA) },
  integer = as_integer,
  number = as.numeric,
  boolean = function(x) if (is.logical(x)) x else as.logical(as.integer(x)),
  datetime = as_moment,
  date = function(x) as.Date(x)
)

for (name in names(types)) {
  x <- as_type[[types[[name]]]](data[[name]])
  meanings <- codes[[name]]
  if (!is.null(meanings)) {
    x <- factor(as.character(x), levels = meanings$values, labels = meanings$labels)
  }
  attr(x, "label") <- titles[[name]]
  data[[name]] <- x
}

cat(nrow(data), "rows,", ncol(data), "columns\n")
for (name in names(data)) cat(name, class(data[[name]])[1], "\n")
