package rest

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// ExpectedFigure is the change from baseline that the clinic's own clients have
// had, by baseline severity and session number.
type ExpectedFigure struct {
	FigureFrame
	Instrument string            `json:"instrument" example:"phq-9"`
	Least      int               `json:"least" example:"20"` // people; of fewer no percentile is read
	Enrolled   *int              `json:"enrolled" extensions:"x-nullable"`
	N          *int              `json:"n" extensions:"x-nullable"` // people with a baseline who were treated
	Excluded   []FigureReason    `json:"excluded"`                  // the others
	Thirds     []float64         `json:"thirds"`                    // totals that cut the baselines in three, where the instrument has no bands
	Bands      []ExpectedBand    `json:"bands"`
	OffTrack   *[]OffTrackClient `json:"off_track" extensions:"x-nullable"` // who does worse than most, or the client asked about; null: it was not asked
	Withheld   bool              `json:"withheld"`
} //	@name	ExpectedFigure

// ExpectedBand is one severity after one session.
type ExpectedBand struct {
	Severity    string               `json:"severity" example:"moderate"` // band of the instrument, or a third of the baselines
	Session     int                  `json:"session" example:"3"`
	N           *int                 `json:"n" extensions:"x-nullable"`
	Percentiles *ExpectedPercentiles `json:"percentiles" extensions:"x-nullable"` // null: too few people, or withheld
	Windows     []RecallWindows      `json:"recall_windows"`                      // of the baseline, and of the score after the session
	Words       string               `json:"words"`
	Withheld    bool                 `json:"withheld"`
} //	@name	ExpectedBand

// ExpectedPercentiles are those of the change in points, later minus earlier.
type ExpectedPercentiles struct {
	P10 float64 `json:"p10"`
	P25 float64 `json:"p25"`
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
	P90 float64 `json:"p90"`
} //	@name	ExpectedPercentiles

// OffTrackClient is how the latest change of a client is beside that of others
// with a like baseline.
type OffTrackClient struct {
	ClientID uuid.UUID `json:"client_id" swaggertype:"string" format:"uuid"`
	Status   string    `json:"status" enums:"on_track,watch,off_track,not_judged"` // watch: worse than three in four; off_track: than nine in ten
	Change   *float64  `json:"change" extensions:"x-nullable"`                     // points since baseline
	Session  int       `json:"session"`
	Severity string    `json:"severity"`                                               // at baseline
	Band     string    `json:"band" enums:"best_10,10_25,25_50,50_75,75_90,worst_10,"` // empty: nothing can be compared
	N        *int      `json:"n" extensions:"x-nullable"`                              // people compared with
	Words    string    `json:"words"`
} //	@name	OffTrackClient

func expectedFigure(e cohort.Expected, off []research.Tracked) ExpectedFigure {
	out := ExpectedFigure{
		Least: e.Least, Enrolled: e.Enrolled, N: e.N, Excluded: reasonsOf(e.LeftOut), Thirds: append([]float64{}, e.Thirds...),
		Bands: convert(e.Cells, func(x cohort.ExpectedCell) ExpectedBand {
			windows := windowsOf(x.Windows)
			return ExpectedBand{
				Severity: x.Severity, Session: x.Session, N: x.N, Percentiles: (*ExpectedPercentiles)(x.Percentiles), Windows: windows, Words: x.Words,
				Withheld: hidden(x.N) || windowsHidden(windows),
			}
		}),
	}
	if off != nil {
		out.OffTrack = new(convert(off, func(t research.Tracked) OffTrackClient {
			return OffTrackClient{
				ClientID: t.Client, Status: string(t.Status), Change: t.Change, Session: t.Session, Severity: t.Severity, Band: t.Band, N: t.N, Words: t.Words,
			}
		}))
	}
	out.Withheld = hidden(e.Enrolled, e.N) || reasonsHidden(out.Excluded)
	return out
}

// cohortExpected tells which change to expect, and who is off track.
//
//	@Summary		Expected response
//	@Description	Percentiles of change from baseline by baseline severity and session number, from the clinic's own clients; refused where they are few. With off_track=true, for who may read the caseload: the clients who do worse than most, which leaves an entry in the audit trail of each. With client_id: how this one does, whether well or not.
//	@Tags			research
//	@Produce		json,text/csv
//	@Param			instrument		query		string	true	"Instrument"	example(phq-9)
//	@Param			least			query		int		false	"Read percentiles of so many people at least"	minimum(20)	default(20)
//	@Param			off_track		query		boolean	false	"List who does worse than most"	default(false)
//	@Param			client_id		query		string	false	"How this client does beside the others, in off_track"	format(uuid)
//	@Param			recall_window	query		string	false	"Only assessments with this recall window"	example(P14D)
//	@Param			cohort			query		string	false	"A saved cohort"			format(uuid)
//	@Param			as_of			query		string	false	"What was known at this time"	format(date-time)
//	@Param			population		query		string	false	"Whom it is about; absent: the clinic's clients for who may read the caseload"	Enums(clinic, research)
//	@Param			cells			query		string	false	"Whether numbers of few people are withheld"	Enums(withheld, all)	default(withheld)
//	@Param			format			query		string	false	"Form of the answer"	Enums(json, csv)	default(json)
//	@Success		200				{object}	ExpectedFigure
//	@Failure		401,403,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/cohort/expected [get]
func (h *Handlers) cohortExpected(c echo.Context, who auth.Principal) error {
	q := query(c)
	asked := cohort.ExpectedQuery{Instrument: q.instrument(), Window: q.window(), Least: q.least()}
	tracking := research.Tracking{Worse: q.flag("off_track"), Client: q.id("client_id")}
	if tracking.Worse && tracking.Client != nil {
		q.fault("client_id", "beside_off_track", "Ask of one client, or who does worse than most.")
	}
	return sendFigure(c, q, "expected", func(ctx context.Context, f research.FigureQuery) (ExpectedFigure, error) {
		found, off, frame, err := h.Research.Expected(ctx, who, f, asked, tracking)
		out := expectedFigure(found, off)
		out.FigureFrame, out.Instrument = frameOf(frame), asked.Instrument
		return out, err
	})
}

// mostAsked is more people than any clinic compares.
const mostAsked = 1_000_000

// least reads how many people a percentile needs.
func (p *params) least() int {
	n, err := strconv.Atoi(p.text("least", strconv.Itoa(cohort.LeastForBands)))
	if err != nil || n < cohort.LeastForBands || n > mostAsked {
		p.fault("least", "out_of_range", "At least 20 people are needed.")
	}
	return n
}
