# What base R says of the differences, rates and percentiles of the tests. Write
# the record anew from pkg/cohort with:
#
#   Rscript testdata/r/statistics.R > testdata/r/statistics.json
library(jsonlite)

set.seed(4)
change <- round(rnorm(41, -6, 5))
mean_of <- function(x) {
  list(
    call = unbox("t.test(x); sd(x)"), x = x, n = unbox(length(x)),
    mean = unbox(mean(x)), sd = unbox(sd(x)), ci95 = as.numeric(t.test(x)$conf.int)
  )
}
percentiles_of <- function(x) {
  p <- c(0.1, 0.25, 0.5, 0.75, 0.9)
  list(call = unbox("quantile(x, c(.1, .25, .5, .75, .9), type = 7)"), x = x, percentiles = unname(quantile(x, p, type = 7)))
}
rate_of <- function(n, of) {
  list(
    call = unbox("prop.test(n, of, correct = FALSE)"), n = unbox(n), of = unbox(of), rate = unbox(n / of),
    ci95 = as.numeric(suppressWarnings(prop.test(n, of, correct = FALSE))$conf.int)
  )
}
out <- list(
  means = list(mean_of(change), mean_of(c(-4, 2)), mean_of(change[1:20] / 3)),
  percentiles = list(percentiles_of(change), percentiles_of(change[1:20]), percentiles_of(change[1:23])),
  rates = list(rate_of(7, 23), rate_of(0, 9), rate_of(9, 9), rate_of(1, 3))
)
cat(toJSON(out, digits = 10, null = "null"), "\n")
