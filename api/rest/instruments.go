package rest

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/instrument"
)

// InstrumentSummary is one instrument in the list.
type InstrumentSummary struct {
	ID            string   `json:"id" example:"phq-9"`
	Version       string   `json:"version" example:"1.0.0"`
	Title         string   `json:"title"`
	Language      string   `json:"language" example:"en"`
	Measures      string   `json:"measures" example:"depression"`
	Direction     string   `json:"direction" enums:"lower_is_better,higher_is_better"`
	RecallWindows []string `json:"recall_windows"` // the default first
	ItemCount     int      `json:"item_count" example:"10"`
	ScoringOnly   bool     `json:"scoring_only"` // the wording may not be redistributed
} //	@name	InstrumentSummary

// ScoreRequest is a filled form that is scored and not stored.
type ScoreRequest struct {
	Answers       map[string]*int    `json:"answers,omitempty" validate:"max=500"` // item id to answer; null or absent is missing
	Declined      []string           `json:"declined,omitempty" validate:"max=500"`
	Total         *float64           `json:"total,omitempty"` // instead of answers
	MissingPolicy string             `json:"missing_policy,omitempty" validate:"omitempty,oneof=complete prorate" enums:"complete,prorate" default:"complete"`
	Sex           string             `json:"sex,omitempty" validate:"omitempty,oneof=female male other unknown" enums:"female,male,other,unknown"` // where a rule depends on it
	Cutpoints     map[string]float64 `json:"cutpoints,omitempty" validate:"max=50"`                                                                // screen id to one of its alternatives
} //	@name	ScoreRequest

// Score is what a form says. What the rules do not give is null.
type Score struct {
	Instrument        string              `json:"instrument" example:"phq-9"`
	InstrumentVersion string              `json:"instrument_version" example:"1.0.0"`
	Rule              string              `json:"rule" example:"phq-9-sum-1"` // name and version of the scoring rule
	Total             *float64            `json:"total" extensions:"x-nullable" example:"14"`
	Severity          *string             `json:"severity" extensions:"x-nullable" example:"moderate"` // null where the instrument has no bands
	Subscales         map[string]*float64 `json:"subscales,omitempty"`
	ItemsAnswered     *int                `json:"items_answered" extensions:"x-nullable" example:"9"` // null where only a total is known
	ItemsMissing      *int                `json:"items_missing" extensions:"x-nullable" example:"0"`
	Prorated          bool                `json:"prorated"`
	MissingPolicy     string              `json:"missing_policy" enums:"complete,prorate"`
	Screens           map[string]any      `json:"screens"` // a word, true, false, or null where it is not certain
	Cutpoints         map[string]float64  `json:"cutpoints,omitempty"`
	Flags             []Flag              `json:"flags"`
} //	@name	Score

// Flag is a single answer, or its absence, that somebody should see whatever
// the total.
type Flag struct {
	Code   string `json:"code" example:"suicidal_ideation"`
	Item   string `json:"item" example:"phq9_9"`
	Level  *int   `json:"level,omitempty" example:"2"`                                                        // the answer
	Reason string `json:"reason,omitempty" enums:"declined,skipped,unknown,contradiction" example:"declined"` // why there is no answer, or none to believe
} //	@name	Flag

func scoreFromInstrument(s instrument.Score) Score {
	out := Score{
		Instrument: s.Instrument, InstrumentVersion: s.InstrumentVersion, Rule: s.Rule, Total: s.Total, Severity: s.Severity,
		Subscales: s.Subscales, ItemsAnswered: s.ItemsAnswered, ItemsMissing: s.ItemsMissing, Prorated: s.Prorated,
		MissingPolicy: string(s.MissingPolicy), Screens: s.Screens, Cutpoints: s.Cutpoints, Flags: flagsFromInstrument(s.Flags),
	}
	if out.Screens == nil {
		out.Screens = map[string]any{}
	}
	return out
}

func flagsFromInstrument(flags []instrument.Flag) []Flag {
	out := make([]Flag, len(flags))
	for i, f := range flags {
		out[i] = Flag(f)
	}
	return out
}

// listInstruments lists the newest version of every instrument.
//
//	@Summary	List instruments
//	@Tags		instruments
//	@Produce	json
//	@Success	200	{object}	Page[InstrumentSummary]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/instruments [get]
func (h *Handlers) listInstruments(c echo.Context, who auth.Principal) error {
	defs, err := h.Care.InstrumentDefinitions(c.Request().Context(), who)
	if err != nil {
		return err
	}
	out := Page[InstrumentSummary]{Items: make([]InstrumentSummary, len(defs))}
	for i, d := range defs {
		out.Items[i] = InstrumentSummary{
			ID: d.ID, Version: d.Version, Title: d.Title, Language: d.Language, Measures: d.Measures,
			Direction: string(d.Direction), RecallWindows: d.RecallWindows, ItemCount: len(d.Items), ScoringOnly: d.ScoringOnly,
		}
	}
	return ok(c, out)
}

// getInstrument returns a definition, in the format of its file.
//
//	@Summary	Get an instrument
//	@Tags		instruments
//	@Produce	json
//	@Param		instrument	path		string	true	"Instrument"	example(phq-9)
//	@Param		version		query		string	false	"A version that a score names; absent: the newest"
//	@Success	200			{object}	instrument.Definition
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/instruments/{instrument} [get]
func (h *Handlers) getInstrument(c echo.Context, who auth.Principal) error {
	q := query(c)
	version := q.Text("version", "")
	if err := q.Err(); err != nil {
		return err
	}
	def, err := h.Care.InstrumentDefinition(c.Request().Context(), who, c.Param("instrument"), version)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", strconv.Quote(def.Version))
	return ok(c, def)
}

// scoreInstrument scores a form and stores nothing.
//
//	@Summary		Score a form
//	@Description	Stores nothing. Missing answers are never counted as 0.
//	@Tags			instruments
//	@Accept			json
//	@Produce		json
//	@Param			instrument	path		string			true	"Instrument"	example(phq-9)
//	@Param			form		body		ScoreRequest	true	"The form"
//	@Success		200			{object}	Score
//	@Failure		400,401,403,404,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/instruments/{instrument}/score [post]
func (h *Handlers) scoreInstrument(c echo.Context, who auth.Principal) error {
	in, err := bind(c, func() ScoreRequest { return ScoreRequest{} })
	if err != nil {
		return err
	}
	score, err := h.Care.Score(c.Request().Context(), who, c.Param("instrument"), instrument.Input{
		Answers: in.Answers, Declined: in.Declined, Total: in.Total, Policy: instrument.MissingPolicy(in.MissingPolicy),
		Sex: instrument.Sex(in.Sex), Cutpoints: in.Cutpoints,
	})
	if err != nil {
		return err
	}
	return ok(c, scoreFromInstrument(score))
}
