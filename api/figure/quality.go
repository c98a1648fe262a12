package figure

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/research"
)

// Expected is the change from baseline that the clinic's own clients have
// had, by baseline severity and session number.
type Expected struct {
	Frame
	Instrument string            `json:"instrument" example:"phq-9"`
	Least      int               `json:"least" example:"20"` // people; of fewer no percentile is read
	Enrolled   *int              `json:"enrolled" extensions:"x-nullable"`
	N          *int              `json:"n" extensions:"x-nullable"` // people with a baseline who were treated
	Excluded   []Reason          `json:"excluded"`                  // the others
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

func expectedFigure(e cohort.Expected, off []research.Tracked) Expected {
	out := Expected{
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

// mostAsked is more people than any clinic compares.
const mostAsked = 1_000_000

// least reads how many people a percentile needs.
func (p parameters) least() int {
	n, err := strconv.Atoi(p.Text("least", strconv.Itoa(cohort.LeastForBands)))
	if err != nil || n < cohort.LeastForBands || n > mostAsked {
		p.Fault("least", "out_of_range", "At least 20 people are needed.")
	}
	return n
}

// Measures are the quality measures of depression care, of the PHQ-9.
type Measures struct {
	Frame
	Enrolled *int             `json:"enrolled" extensions:"x-nullable"`
	Index    *int             `json:"index" extensions:"x-nullable"` // people with an index event
	Measures []QualityMeasure `json:"measures"`
	Words    string           `json:"words"` // what holds for all of them
	Withheld bool             `json:"withheld"`
} //	@name	MeasuresFigure

// QualityMeasure is one measure. Its rates are of those with an index event
// whose window has closed.
type QualityMeasure struct {
	ID        string `json:"id" example:"hedis-drr-e"`
	Title     string `json:"title"`
	NotClosed *int   `json:"not_closed" extensions:"x-nullable"` // people whose window is still open
	FollowUp  Rate   `json:"follow_up"`                          // with a score in the window
	Remission Rate   `json:"remission"`
	Response  *Rate  `json:"response" extensions:"x-nullable"` // null: no part of the measure
	Words     string `json:"words"`
	Source    string `json:"source"`
	Withheld  bool   `json:"withheld"`
} //	@name	QualityMeasure

func qualityMeasure(m cohort.Measure) QualityMeasure {
	out := QualityMeasure{
		ID: m.ID, Title: m.Title, NotClosed: m.NotClosed, FollowUp: rateOf(m.FollowUp), Remission: rateOf(m.Remission),
		Words: m.Words, Source: m.Source, Withheld: hidden(m.NotClosed),
	}
	if m.Response != nil {
		out.Response = new(rateOf(*m.Response))
	}
	return out
}

func (p parameters) measures() cohort.MeasuresQuery {
	out := cohort.MeasuresQuery{WithinDays: 60}
	if question.Choice(p.Reader, "within_days", "60", "60", "30") == "30" {
		out.WithinDays = 30
	}
	for name, into := range map[string]*time.Time{"index_from": &out.From, "index_to": &out.To} {
		if t := p.Time(name); t != nil {
			*into = *t
		}
	}
	if !out.From.IsZero() && !out.To.IsZero() && !out.From.Before(out.To) {
		p.Fault("index_to", "before_start", "The period ends before it starts.")
	}
	return out
}

// AskExpected tells which change to expect, and who is off track.
func AskExpected(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Expected, error) {
	p := parameters{q}
	asked := cohort.ExpectedQuery{Instrument: p.instrument(), Window: p.window(), Least: p.least()}
	tracking := research.Tracking{Worse: p.Flag("off_track"), Client: p.ID("client_id")}
	if tracking.Worse && tracking.Client != nil {
		p.Fault("client_id", "beside_off_track", "Ask of one client, or who does worse than most.")
	}
	f, err := p.figure()
	if err != nil {
		return Expected{}, err
	}
	found, off, frame, err := r.Expected(ctx, who, f, asked, tracking)
	out := expectedFigure(found, off)
	out.Frame, out.Instrument = frameOf(frame), asked.Instrument
	return out, err
}

// AskMeasures tells the quality measures of depression care.
func AskMeasures(ctx context.Context, r *research.Service, who auth.Principal, q *question.Reader) (Measures, error) {
	p := parameters{q}
	asked := p.measures()
	f, err := p.figure()
	if err != nil {
		return Measures{}, err
	}
	found, frame, err := r.Measures(ctx, who, f, asked)
	return Measures{
		Frame: frameOf(frame), Enrolled: found.Enrolled, Index: found.Index, Measures: convert(found.Measures, qualityMeasure),
		Words: found.Words, Withheld: hidden(found.Enrolled, found.Index),
	}, err
}
