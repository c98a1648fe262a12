package rest

import (
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/trajectory"
)

// CaseloadItem is one client in the caseload, measured from the first score.
type CaseloadItem struct {
	ClientID       uuid.UUID     `json:"client_id" swaggertype:"string" format:"uuid"`
	Reference      string        `json:"reference"`
	DisplayName    string        `json:"display_name"`
	Instrument     string        `json:"instrument" example:"phq-9"`
	Status         string        `json:"status" enums:"relapsed,deteriorated,remission,response,improved,unchanged,not_judged,baseline_only,no_baseline,not_measured"`
	Baseline       *CaseloadMark `json:"baseline" extensions:"x-nullable"`
	Latest         *CaseloadMark `json:"latest" extensions:"x-nullable"`
	Best           *CaseloadMark `json:"best" extensions:"x-nullable"`
	LatestSeverity *string       `json:"latest_severity" extensions:"x-nullable" example:"mild"`
	Change         *float64      `json:"change" extensions:"x-nullable"`
	PercentChange  *float64      `json:"percent_change" extensions:"x-nullable"`
	Reliable       *string       `json:"reliable" enums:"improved,unchanged,deteriorated" extensions:"x-nullable"`
	Response       *string       `json:"response" enums:"response,partial,none" extensions:"x-nullable"`
	Remission      *bool         `json:"remission" extensions:"x-nullable"`
	Recovery       *bool         `json:"recovery" extensions:"x-nullable"`
	Relapsed       bool          `json:"relapsed"`                               // lost a response that was reached; see regained
	Regained       bool          `json:"regained"`                               // and has it back at the latest score
	RecallOverlap  *float64      `json:"recall_overlap" extensions:"x-nullable"` // share of the latest one's recall window that the baseline's covers
	WindowDiffers  bool          `json:"window_differs"`                         // latest and baseline were asked with different recall windows
	Rules          string        `json:"rules" example:"nhs-tt"`                 // empty where the instrument has none
	Points         int           `json:"n_points"`                               // assessments that stand
	Scored         int           `json:"n_scored"`
	LastAssessedAt *time.Time    `json:"last_assessed_at" format:"date-time" extensions:"x-nullable"`
	LastFlags      []Flag        `json:"last_flags"` // what the last assessment flagged

	LastDoseAt        *time.Time `json:"last_dose_at" format:"date-time" extensions:"x-nullable"` // when the last dosing session began that has begun
	OpenAlerts        int        `json:"open_alerts"`                                             // that nobody acknowledged; 0 says nothing of the client
	DaysSinceLastDose *int       `json:"days_since_last_dose" extensions:"x-nullable"`            // days of the calendar in the client's time zone: 0 is today
} //	@name	CaseloadItem

func caseloadItem(instrument string) func(care.Case) CaseloadItem {
	return func(c care.Case) CaseloadItem {
		out := CaseloadItem{
			ClientID: c.Client.ID, Reference: string(c.Client.Reference), DisplayName: string(c.Client.DisplayName),
			Instrument: instrument, Status: care.NotMeasured, LastFlags: []Flag{},
			LastDoseAt: c.LastDoseAt, DaysSinceLastDose: c.DaysSinceLastDose, OpenAlerts: c.OpenAlerts,
		}
		p := c.Progress
		if p == nil {
			return out
		}
		out.Status, out.Change, out.PercentChange = p.Status, p.Change, p.PercentChange
		out.Reliable, out.Response, out.Remission, out.Recovery = p.Reliable, p.Response, p.Remission, p.Recovery
		out.Regained, out.RecallOverlap, out.WindowDiffers = p.Regained, p.RecallOverlap, p.WindowDiffers
		out.Relapsed, out.Rules, out.Points, out.Scored = p.Relapsed, p.RuleSet, p.Points, p.Scored
		out.LastAssessedAt, out.LastFlags = &p.LastAt, flagsFromInstrument(p.LastFlags)
		out.Baseline = progressMark(p.BaselineID, p.BaselineAt, p.BaselineTotal)
		out.Latest = progressMark(p.LatestID, p.LatestAt, p.LatestTotal)
		out.Best = progressMark(p.BestID, p.BestAt, p.BestTotal)
		out.LatestSeverity = p.LatestSeverity
		return out
	}
}

// CaseloadMark is a score that the caseload refers to.
type CaseloadMark struct {
	AssessmentID uuid.UUID `json:"assessment_id" swaggertype:"string" format:"uuid"`
	At           time.Time `json:"at" format:"date-time"`
	Total        float64   `json:"total" example:"18"`
} //	@name	CaseloadMark

func progressMark(id *uuid.UUID, at *time.Time, total *float64) *CaseloadMark {
	if id == nil || at == nil || total == nil {
		return nil
	}
	return &CaseloadMark{AssessmentID: *id, At: *at, Total: *total}
}

// listCaseload lists the clinic's clients with their progress.
//
//	@Summary		List the caseload
//	@Description	From the read model: the cost does not grow with the clients' histories. Clients without the value come last in every order.
//	@Tags			trajectories
//	@Produce		json
//	@Param			instrument	query		string	false	"Instrument"	default(phq-9)
//	@Param			status		query		string	false	"Only this status"	Enums(relapsed, deteriorated, remission, response, improved, unchanged, not_judged, baseline_only, no_baseline, not_measured)
//	@Param			search		query		string	false	"Only clients whose reference or display name holds this, whatever its case and its accents"
//	@Param			sort		query		string	false	"Order; a leading - turns it round"	Enums(reference, -reference, change, -change, percent_change, -percent_change, latest, -latest, last_at, -last_at)	default(reference)
//	@Param			limit		query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Success		200			{object}	Page[CaseloadItem]
//	@Failure		401,403,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/caseload [get]
func (h *Handlers) listCaseload(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := caseloadQuery(q)
	page := q.page(caseloadList + q.Text("sort", string(care.ByReference)))
	if err := q.Err(); err != nil {
		return err
	}
	cases, err := h.Care.Caseload(c.Request().Context(), who, asked, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, cases, page, caseloadItem(asked.Instrument), asked.Position))
}

func caseloadQuery(q *params) care.CaseloadQuery {
	out := care.CaseloadQuery{Instrument: q.Text("instrument", "phq-9"), Search: q.Text("search", "")}
	out.Status = string(choice(q, "status", "", trajectory.SummaryRelapsed, trajectory.SummaryDeteriorated,
		trajectory.SummaryRemission, trajectory.SummaryResponse, trajectory.SummaryImproved, trajectory.SummaryUnchanged,
		trajectory.SummaryNotJudged, trajectory.SummaryBaselineOnly, trajectory.SummaryNoBaseline, trajectory.Summary(care.NotMeasured)))
	sort := q.Text("sort", string(care.ByReference))
	if sort[0] == '-' {
		out.Descending, sort = true, sort[1:]
	}
	switch out.Sort = care.CaseloadSort(sort); out.Sort {
	case care.ByReference, care.ByChange, care.ByPercentChange, care.ByLatestTotal, care.ByLastAt:
	default:
		q.Fault("sort", "oneof", "The order is one of: reference, change, percent_change, latest, last_at, each with or without a leading -.")
	}
	return out
}
