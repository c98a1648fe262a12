# What R gives for the figures of pkg/cohort on PHQ-9 and GAD-7 of 403 people in
# two waves, wave 1 as from and wave 2 as to. Base R alone. Prints JSON: each
# value with the call that made it. Record it with
#
#   Rscript waves.R phq9_gad7_two_waves_n403.csv > ../waves.json
#
# (The file is that of Forbes et al. 2019, from the R package BGGM.)

d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
w1 <- d[d$wave == 1, ]
w2 <- d[d$wave == 2, ]
w2 <- w2[match(w1$id, w2$id), ]

phq1 <- rowSums(w1[, paste0("PHQ", 1:9)])
phq2 <- rowSums(w2[, paste0("PHQ", 1:9)])
gad1 <- rowSums(w1[, paste0("GAD", 1:7)])
gad2 <- rowSums(w2[, paste0("GAD", 1:7)])
item1 <- w1$PHQ9
item2 <- w2$PHQ9

labels <- c("minimal", "mild", "moderate", "moderately_severe", "severe")
phq_band <- function(v) cut(v, c(0, 5, 10, 15, 20, Inf), right = FALSE, labels = labels)
gad_band <- function(v) cut(v, c(0, 5, 10, 15, Inf), right = FALSE, labels = labels[-4])
# Hedges 1981, the exact factor
J <- function(df) exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)

# Expressions are handed on as language, so that each call is recorded whole.
lines <- character(0)
record <- function(name, ..., call) {
  value <- as.numeric(eval(call, globalenv()))
  stopifnot(length(value) == 1, is.finite(value))
  text <- gsub(" +", " ", paste(deparse(call, width.cutoff = 500), collapse = " "))
  lines <<- c(lines, sprintf('  {"name": "%s", "value": %.12g, "r": %s}',
    paste(name, ...), value, encodeString(text, quote = '"')))
}

# prop.test gives Wilson's interval. It warns where its chi-squared test, which
# is not used, would be of few people.
rate <- function(name, has) {
  record(name, "n", call = bquote(sum(.(has))))
  record(name, "of", call = bquote(length(.(has))))
  record(name, "rate", call = bquote(mean(.(has))))
  for (i in 1:2) {
    suppressWarnings(record(name, c("low", "high")[i],
      call = bquote(prop.test(sum(.(has)), length(.(has)), correct = FALSE)$conf.int[.(i)])))
  }
}

summaries <- function(name, x) {
  record(name, "n", call = bquote(length(.(x))))
  record(name, "mean", call = bquote(mean(.(x))))
  record(name, "sd", call = bquote(sd(.(x))))
  record(name, "median", call = bquote(median(.(x))))
  record(name, "q1", call = bquote(quantile(.(x), 0.25, type = 7)))
  record(name, "q3", call = bquote(quantile(.(x), 0.75, type = 7)))
}

difference <- function(name, x, y) {
  test <- bquote(t.test(.(y), .(x), paired = TRUE))
  d_av <- bquote(mean(.(y) - .(x)) / sqrt((var(.(x)) + var(.(y))) / 2))
  record(name, "n", call = bquote(length(.(y) - .(x))))
  record(name, "mean", call = bquote(.(test)$estimate))
  record(name, "sd", call = bquote(sd(.(y) - .(x))))
  record(name, "low", call = bquote(.(test)$conf.int[1]))
  record(name, "high", call = bquote(.(test)$conf.int[2]))
  record(name, "t", call = bquote(.(test)$statistic))
  record(name, "df", call = bquote(.(test)$parameter))
  record(name, "p", call = bquote(.(test)$p.value))
  record(name, "d_pre", call = bquote(mean(.(y) - .(x)) / sd(.(x))))
  record(name, "d_av", call = d_av)
  record(name, "d_z", call = bquote(mean(.(y) - .(x)) / sd(.(y) - .(x))))
  record(name, "hedges_g", call = bquote(.(d_av) * J(.(test)$parameter)))
}

crosstab <- function(name, x, y, levels) {
  for (i in levels) for (j in levels) {
    record(name, i, j, call = bquote(table(.(x), .(y))[.(i), .(j)]))
  }
}

change <- function(name, x, y, reliable, case, band, levels) {
  summaries(paste(name, "from"), x)
  summaries(paste(name, "to"), y)
  difference(paste(name, "difference"), x, y)
  rate(paste(name, "response"), bquote((2 * .(y) <= .(x))[.(x) > 0]))
  rate(paste(name, "partial_response"), bquote((4 * .(y) <= 3 * .(x) & 2 * .(y) > .(x))[.(x) > 0]))
  rate(paste(name, "reliable_improvement"), bquote(.(x) - .(y) >= .(reliable)))
  rate(paste(name, "reliable_deterioration"), bquote(.(y) - .(x) >= .(reliable)))
  rate(paste(name, "remission"), bquote((.(y) < 5)[.(x) >= .(case)]))
  rate(paste(name, "recovery"), bquote((.(y) < .(case))[.(x) >= .(case)]))
  rate(paste(name, "reliable_recovery"),
    bquote((.(y) < .(case) & .(x) - .(y) >= .(reliable))[.(x) >= .(case)]))
  crosstab(paste(name, "shift"), bquote(.(band)(.(x))), bquote(.(band)(.(y))), levels)
  for (b in levels) {
    inside <- bquote(.(band)(.(x)) == .(b))
    difference(paste(name, "by", b), bquote(.(x)[.(inside)]), bquote(.(y)[.(inside)]))
  }
}

change("phq-9", quote(phq1), quote(phq2), 6, 10, quote(phq_band), labels)
change("gad-7", quote(gad1), quote(gad2), 4, 8, quote(gad_band), labels[-4])

crosstab("item9", quote(item1), quote(item2), as.character(0:3))
record("item9 improved", call = quote(sum(item2 < item1)))
record("item9 worsened", call = quote(sum(item2 > item1)))
record("item9 new_onset", call = quote(sum(item1 == 0 & item2 >= 1)))
record("item9 gone", call = quote(sum(item1 >= 1 & item2 == 0)))

was <- phq1 >= 10 | gad1 >= 8
is <- phq2 >= 10 | gad2 >= 8
worse <- phq2 - phq1 >= 6 | gad2 - gad1 >= 4
better <- (phq1 - phq2 >= 6 | gad1 - gad2 >= 4) & !worse
rate("both recovery", quote((!is)[was]))
rate("both reliable_recovery", quote((!is & better)[was]))
rate("both reliable_improvement", quote(better))
rate("both reliable_deterioration", quote(worse))
rate("both no_change", quote(!better & !worse))

cat("[\n", paste(lines, collapse = ",\n"), "\n]\n", sep = "")
