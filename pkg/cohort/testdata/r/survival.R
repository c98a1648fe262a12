# What survival::survfit says of the data sets of the tests. Write the record
# anew from pkg/cohort with:
#
#   Rscript testdata/r/survival.R > testdata/r/survival.json
suppressPackageStartupMessages(library(survival))
library(jsonlite)

# 6-mercaptopurine in leukaemia, weeks of remission (Freireich 1963, Blood
# 21:699; Gehan 1965, Biometrika 52:203).
mp6 <- list(
  time = c(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35),
  event = c(1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)
)

# Looks at weeks, with ties of events and censorings.
set.seed(4)
to_event <- round(rexp(240, 1 / 60) / 7) * 7 + 1
to_last <- round(runif(240, 0, 26)) * 7 + 1
weekly <- list(time = pmin(to_event, to_last), event = as.numeric(to_event <= to_last))

sets <- list(
  "6-MP" = mp6,
  "weekly looks" = weekly,
  "everybody has the event" = list(time = c(1, 2, 3, 4), event = c(1, 1, 1, 1)),
  "nobody has the event" = list(time = c(5, 9, 9), event = c(0, 0, 0)),
  "one person" = list(time = 3, event = 1),
  "flat at a half until the next event" = list(time = c(1, 1, 8, 9), event = c(1, 1, 1, 0)),
  "flat at a half to the end" = list(time = c(1, 2, 3, 4), event = c(1, 1, 0, 0)),
  "leaving on the day of the dose" = list(time = c(0, 0, 0, 3, 4, 4), event = c(1, 0, 0, 1, 1, 0)),
  "an event and a censoring on one day" = list(time = c(2, 2, 5, 5, 5, 7), event = c(1, 0, 1, 1, 0, 0))
)

numbers <- function(x) lapply(unname(x), function(v) if (is.na(v)) NULL else unbox(v))

curve <- function(set, type) {
  fit <- survfit(Surv(set$time, set$event) ~ 1, conf.type = type)
  # log(-log(1)) is not defined: NA up to survival 3.5, 1 in later versions.
  if (type == "log-log") {
    fit$lower[fit$surv == 1] <- NA
    fit$upper[fit$surv == 1] <- NA
  }
  half <- summary(fit)$table[c("median", "0.95LCL", "0.95UCL")]
  list(
    call = sprintf('survfit(Surv(time, event) ~ 1, conf.type = "%s")', type),
    days = fit$time, at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor,
    survival = fit$surv, lower = numbers(fit$lower), upper = numbers(fit$upper),
    median = numbers(half)
  )
}

out <- lapply(names(sets), function(name) {
  set <- sets[[name]]
  curves <- lapply(c("plain", "log", "log-log"), function(type) curve(set, type))
  names(curves) <- c("plain", "log", "log-log")
  list(name = unbox(name), time = set$time, event = set$event, curves = lapply(curves, function(c) {
    c$call <- unbox(c$call)
    c
  }))
})
cat(toJSON(out, digits = 10, pretty = FALSE, null = "null", auto_unbox = FALSE), "\n")
