package rest

import (
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// exportTable answers with a table of the clinic's record.
//
//	@Summary		Export a table
//	@Description	The people who agree to research, as far as the profile lets them be known. Rows are read from one snapshot of the record and sent as they are read. The trailers Protrack-Rows and Protrack-SHA256 say what a whole file is; a file that cannot be finished is cut off, which every client reports as an error. CSV, NDJSON, Stata and SPSS files are packed with gzip or zstd on request. Whoever asks may have one export under way at a time, a clinic two and a server three: one more is answered 429. 409 says that this server has no definition of an instrument, or of an item, that was answered. A reader who takes less than 16 KiB a second is cut off. Protrack-Generated-At is where the next changed_since begins: without exports:limited only such a time will do.
//	@Tags			research
//	@Produce		text/csv,application/x-ndjson,application/vnd.apache.parquet,application/x-stata-dta,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,text/plain,application/zip
//	@Param			table			path		string		true	"What it is of"	Enums(assessments, sessions, clients, trajectories)
//	@Param			format			query		string		false	"Format of the file"	Enums(csv, ndjson, parquet, dta, xlsx, sps)	default(csv)
//	@Param			shape			query		string		false	"Shape of assessments: a row for each item, for each assessment (the default), or for each client"	Enums(long, assessment, wide)
//	@Param			profile			query		string		false	"How much of who a client is it holds"	Enums(identified, limited, deidentified)	default(deidentified)
//	@Param			project			query		string		false	"Project that the pseudonyms are made for. Its name is in manifests and in the audit trail: put nobody's name in it"	default(default)
//	@Param			instrument		query		[]string	false	"Instruments; all that the clinic has answers to, unless named"	collectionFormat(multi)
//	@Param			from			query		string		false	"Completed then or later"	format(date-time)
//	@Param			to				query		string		false	"Completed before then"	format(date-time)
//	@Param			course_id		query		string		false	"Of this course of treatment"	format(uuid)
//	@Param			session			query		int			false	"At the session of this number"	minimum(1)
//	@Param			timing			query		string		false	"Taken at this time"	Enums(baseline, before, after, follow_up)
//	@Param			cohort			query		string		false	"Of the people of this cohort"	format(uuid)
//	@Param			changed_since	query		string		false	"Recorded then or later"	format(date-time)
//	@Param			as_of			query		string		false	"As it was known then"	format(date-time)
//	@Param			dates			query		string		false	"De-identified times: moved by a constant of the client (the default), or left out"	Enums(shifted, days)
//	@Param			dialect			query		string		false	"Of CSV: for statistics programs, or for spreadsheets"	Enums(research, excel)	default(research)
//	@Param			na				query		string		false	"How CSV and Excel write what is missing; empty, unless asked for"	Enums(NA)
//	@Param			values			query		string		false	"Codes or their labels"	Enums(codes, labels)	default(codes)
//	@Param			package			query		bool		false	"A ZIP of the data, its codebook, scripts that read it, and a manifest"	default(false)
//	@Success		200				{file}		file
//	@Header			200				{string}	Content-Disposition	"Names the file by its table, shape and date"
//	@Header			200				{string}	Protrack-Generated-At	"All that was recorded before is in it: where the next changed_since begins"
//	@Header			200				{string}	Protrack-As-Of	"Up to when the record is shown"
//	@Failure		400,401,403,404,409,422,429,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/exports/{table} [get]
func (h *Handlers) exportTable(c echo.Context, who auth.Principal) error {
	return h.Files.Table(c, who, research.Table(c.Param("table")), query(c).Reader)
}

// getCodebook says what the columns of an export mean.
//
//	@Summary		Get the codebook of an export
//	@Description	Every column with its label, values, units, source, the version of its instrument and the licence of its wording, as an export with the same parameters has them: it takes those of an export, of which some say nothing about columns. redcap is a REDCap data dictionary. Where the columns depend on who is in the export, as those of the shape wide do, the audit trail says who was; that, a cohort, changed_since and as_of count as an export that is under way.
//	@Tags			research
//	@Produce		text/csv,json
//	@Param			format			query		string		false	"Form of the answer"	Enums(csv, json, redcap)	default(csv)
//	@Param			table			query		string		false	"What the export is of"	Enums(assessments, sessions, clients, trajectories)	default(assessments)
//	@Param			shape			query		string		false	"Shape of assessments"	Enums(long, assessment, wide)
//	@Param			profile			query		string		false	"How much of who a client is it holds"	Enums(identified, limited, deidentified)	default(deidentified)
//	@Param			instrument		query		[]string	false	"Instruments; all that the clinic has answers to, unless named"	collectionFormat(multi)
//	@Param			dates			query		string		false	"De-identified times: moved (the default), or left out"	Enums(shifted, days)
//	@Param			project			query		string		false	"Project that the pseudonyms are made for"	default(default)
//	@Param			from			query		string		false	"Completed then or later"	format(date-time)
//	@Param			to				query		string		false	"Completed before then"	format(date-time)
//	@Param			course_id		query		string		false	"Of this course of treatment"	format(uuid)
//	@Param			session			query		int			false	"At the session of this number"	minimum(1)
//	@Param			timing			query		string		false	"Taken at this time"	Enums(baseline, before, after, follow_up)
//	@Param			cohort			query		string		false	"Of the people of this cohort"	format(uuid)
//	@Param			changed_since	query		string		false	"Recorded then or later"	format(date-time)
//	@Param			as_of			query		string		false	"As it was known then"	format(date-time)
//	@Param			dialect			query		string		false	"Of CSV: for statistics programs, or for spreadsheets"	Enums(research, excel)
//	@Param			na				query		string		false	"How CSV and Excel write what is missing"	Enums(NA)
//	@Param			values			query		string		false	"Codes or their labels"	Enums(codes, labels)	default(codes)
//	@Param			package			query		bool		false	"As a package"	default(false)
//	@Success		200				{object}	object
//	@Failure		401,403,409,422,429,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/exports/codebook [get]
func (h *Handlers) getCodebook(c echo.Context, who auth.Principal) error {
	return h.Files.Codebook(c, who, query(c).Reader)
}
