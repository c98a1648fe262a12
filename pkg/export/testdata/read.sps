* Encoding: UTF-8.
* Run this in the folder that data.csv is in.

PRESERVE.
SET DECIMAL=DOT.

GET DATA
  /TYPE=TXT
  /FILE="data.csv"
  /ENCODING='UTF8'
  /ARRANGEMENT=DELIMITED
  /DELCASE=LINE
  /DELIMITERS=","
  /QUALIFIER='"'
  /FIRSTCASE=2
  /VARIABLES=
    client A6
    phq9_1 F12.0
    phq9_2 F12.0
    total F12.0
    severity A8
    dose F16.4
    remitted F1.0
    taken_at A27
    born_on SDATE10
    steps F12.0
    remark A26.

RESTORE.

RENAME VARIABLES (taken_at=iso_8601_8).
COMPUTE taken_at=NUMBER(SUBSTR(iso_8601_8,1,10),SDATE10)+NUMBER(SUBSTR(iso_8601_8,12,2),F2.0)*3600+NUMBER(SUBSTR(iso_8601_8,15,2),F2.0)*60
  +NUMBER(REPLACE(SUBSTR(iso_8601_8,18),"Z",""),F9.0).
FORMATS taken_at (DATETIME20).

MATCH FILES FILE=*
  /KEEP=
    client
    phq9_1
    phq9_2
    total
    severity
    dose
    remitted
    taken_at
    born_on
    steps
    remark.

FILE LABEL "Assessments, ""wide"", as of März".

VARIABLE LABELS
  client "The client's pseudonym"
  phq9_1 "Little interest or pleasure, ""anhedonia"""
  phq9_2 "Feeling down"
  total "Total score"
  severity "Severity"
  dose "Dose"
  remitted "In remission"
  taken_at "When it was taken"
  born_on "Date of birth"
  steps "Steps counted"
  remark "What the clinician wrote".

VALUE LABELS
  phq9_1
    0 "Not at all"
    1 "Several days"
    2 "More than half the days"
    3 "Nearly every day"
  /
  phq9_2
    0 "Not at all"
    1 "Several days"
    2 "More than half the days"
    3 "Nearly every day"
  /
  severity
    "minimal" "Minimal"
    "severe" "Schwer | sévère".

VARIABLE LEVEL
  client (NOMINAL)
  phq9_1 (ORDINAL)
  phq9_2 (ORDINAL)
  total (SCALE)
  severity (NOMINAL)
  dose (SCALE)
  remitted (NOMINAL)
  taken_at (SCALE)
  born_on (SCALE)
  steps (SCALE)
  remark (NOMINAL).

EXECUTE.
