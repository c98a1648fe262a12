package web

import (
	"bytes"
	"context"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/figure"
	query "github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
)

// A groupFigure is one figure of a group: what it is called, what it can be
// asked, and how it is found.
type groupFigure struct {
	Path  string // below /cohort, as in the API
	Title string
	about string
	asks  []string // the controls of its form, beside those that all have
	begin string   // the query that the list of figures leads to; empty: the form comes first
	find  func(context.Context, *research.Service, auth.Principal, *query.Reader) (shownFigure, error)
}

// shownFigure is a figure as the API tells it; one of them is not nil.
type shownFigure struct {
	Change       *figure.Change
	Sessions     *figure.Sessions
	Survival     *figure.Survival
	Recovery     *figure.Recovery
	Shift        *figure.Shift
	Item9        *figure.Item9
	Flow         *figure.Flow
	Expected     *figure.Expected
	Measures     *figure.Measures
	Significance *figure.Significance

	told interface{ Common() figure.Frame } // the same, whichever it is
}

// groupFigures are all of them, those first that are asked for most.
var groupFigures = []groupFigure{
	{
		Path: "change", Title: "Change", about: word("How much scores changed between two times, and how many people responded, remitted or got worse."),
		asks: []string{"instrument", "points", "groups", "rules"}, begin: "instrument=phq-9&from=baseline&to=last",
		find: finding(figure.AskChange, func(f *figure.Change) shownFigure { return shownFigure{Change: f} }),
	},
	{
		Path: "sessions", Title: "Across sessions", about: word("What each dosing session changed, and how much of it was held until the next."),
		asks: []string{"instrument"}, begin: "instrument=phq-9",
		find: finding(figure.AskSessions, func(f *figure.Sessions) shownFigure { return shownFigure{Sessions: f} }),
	},
	{
		Path: "survival", Title: "Time to response, and how long it lasts", about: word("After how many days people responded, or lost their response."),
		asks: []string{"instrument", "event", "rules"}, begin: "instrument=phq-9&event=response",
		find: finding(figure.AskSurvival, func(f *figure.Survival) shownFigure { return shownFigure{Survival: f} }),
	},
	{
		Path: "recovery", Title: "Recovery", about: word("Who recovered over PHQ-9 and GAD-7 together, as NHS Talking Therapies counts it."),
		asks: []string{"points"}, begin: "from=baseline&to=last",
		find: finding(figure.AskRecovery, func(f *figure.Recovery) shownFigure { return shownFigure{Recovery: f} }),
	},
	{
		Path: "shift", Title: "Shift between bands", about: word("From which band of severity people moved to which."),
		asks: []string{"instrument", "points"}, begin: "instrument=phq-9&from=baseline&to=last",
		find: finding(figure.AskShift, func(f *figure.Shift) shownFigure { return shownFigure{Shift: f} }),
	},
	{
		Path: "item9", Title: "Suicidal thoughts", about: word("How the answers to item 9 of the PHQ-9 moved."),
		asks: []string{"points"}, begin: "from=baseline&to=last",
		find: finding(figure.AskItem9, func(f *figure.Item9) shownFigure { return shownFigure{Item9: f} }),
	},
	{
		Path: "flow", Title: "Who was there, and who was lost", about: word("At each time, how many people were expected, seen and lost to follow-up."),
		asks: []string{"instrument", "at"}, begin: "instrument=phq-9",
		find: finding(figure.AskFlow, func(f *figure.Flow) shownFigure { return shownFigure{Flow: f} }),
	},
	{
		Path: "expected", Title: "Expected course", about: word("Which change your own clients have had by each session, from a like baseline, and who is off that track."),
		asks: []string{"instrument", "track"}, begin: "instrument=phq-9",
		find: finding(figure.AskExpected, func(f *figure.Expected) shownFigure { return shownFigure{Expected: f} }),
	},
	{
		Path: "measures", Title: "Quality measures", about: word("Remission and response as payers and registries measure them: HEDIS, CMS159 and MNCM."),
		asks: []string{"period"}, begin: "within_days=60",
		find: finding(figure.AskMeasures, func(f *figure.Measures) shownFigure { return shownFigure{Measures: f} }),
	},
	{
		Path: "significance", Title: "Clinical significance", about: word("Recovered, improved, unchanged or worse by the method of Jacobson and Truax, with norms that you name."),
		asks: []string{"instrument", "points", "norms"},
		find: finding(figure.AskSignificance, func(f *figure.Significance) shownFigure { return shownFigure{Significance: f} }),
	},
}

// finding asks for a figure and says which it is.
func finding[F interface{ Common() figure.Frame }](
	ask func(context.Context, *research.Service, auth.Principal, *query.Reader) (F, error), of func(*F) shownFigure,
) func(context.Context, *research.Service, auth.Principal, *query.Reader) (shownFigure, error) {
	return func(ctx context.Context, r *research.Service, who auth.Principal, q *query.Reader) (shownFigure, error) {
		f, err := ask(ctx, r, who, q)
		if err != nil {
			return shownFigure{}, err
		}
		out := of(&f)
		out.told = f
		return out, nil
	}
}

// figureData is the page of one figure.
type figureData struct {
	Path, About string
	Asks        map[string]bool // which controls it has
	Choices     figureChoices
	Figure      shownFigure
	Frame       *figure.Frame // nil: nothing was asked yet
	Cohort      string        // the name of the cohort that it is about; empty: none was chosen
	Cells       string        // why numbers are withheld, or that none is
	CSV         string        // where the same numbers are as a file
	Title       string        // of the instrument
	Better      string        // which way it gets better
	Bands       []string      // of the instrument, as Shift orders them
	Event       string        // what survival waits for
	Picture     template.HTML
	OffTrack    []trackedClient
	OffTrackAll int // how many do worse than most; OffTrack may be fewer
}

// cohortFigure shows a figure, or its form alone where nothing is asked yet.
func (s *Site) cohortFigure(v *visit) error {
	name, file := strings.CutSuffix(v.Param("figure"), ".csv")
	i := slices.IndexFunc(groupFigures, func(f groupFigure) bool { return f.Path == name })
	if i < 0 {
		return fault.New(fault.NotFound, "There is no such page.")
	}
	f, asked := groupFigures[i], given(v.QueryParams())
	if file {
		return s.figureFile(v, f, asked)
	}
	page, data, def, err := s.figureView(v, f, asked)
	if err != nil {
		return err
	}
	if len(asked) == 0 {
		return v.render("cohort_figure", page)
	}
	found, err := s.findFigure(v, f, asked)
	if err == nil {
		err = data.show(v, found, def)
	}
	if err != nil {
		return v.again("cohort_figure", page, err)
	}
	data.CSV = "/cohort/" + f.Path + ".csv?" + asked.Encode()
	page.Data = data
	return v.render("cohort_figure", page)
}

// findFigure computes a figure, in its turn.
func (s *Site) findFigure(v *visit, f groupFigure, asked url.Values) (shownFigure, error) {
	done, err := s.Limits.Figuring(v.ctx())
	if err != nil {
		return shownFigure{}, err
	}
	defer done()
	return f.find(v.ctx(), s.Research, v.who, query.Of(dated(asked, "index_from", "index_to")))
}

// figureFile answers with the figure as the API writes it in CSV.
func (s *Site) figureFile(v *visit, f groupFigure, asked url.Values) error {
	found, err := s.findFigure(v, f, asked)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := figure.CSV(v.ctx(), &out, f.Path, found.told); err != nil {
		return err
	}
	v.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+figure.CSVName(f.Path)+`"`)
	v.answer = answer{status: http.StatusOK, page: out.Bytes(), kind: export.CSV.ContentType()}
	return nil
}

// given is what was asked: a form sends its empty fields as well.
func given(all url.Values) url.Values {
	out := url.Values{}
	for name, values := range all {
		if values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return strings.TrimSpace(v) == "" }); len(values) > 0 {
			out[name] = values
		}
	}
	return out
}

// dated is what was asked with some of its days as times: those of a form are
// the first instants of a day in UTC.
func dated(asked url.Values, days ...string) url.Values {
	out := maps.Clone(asked)
	for _, name := range days {
		if day := out.Get(name); len(out[name]) == 1 && len(day) == len(dateLayout) {
			out[name] = []string{day + "T00:00:00Z"}
		}
	}
	return out
}

// figureView is the page of a figure before it is found, with its form.
func (s *Site) figureView(v *visit, f groupFigure, asked url.Values) (view, figureData, *instrument.Definition, error) {
	data := figureData{Path: f.Path, About: f.about, Asks: map[string]bool{}}
	for _, a := range f.asks {
		data.Asks[a] = true
	}
	fields := asked
	if len(asked) == 0 {
		fields = url.Values{"instrument": {"phq-9"}, "from": {"baseline"}, "to": {"last"}}
	}
	page := view{Title: f.Title, Form: form{values: fields}}
	def, err := data.Choices.fill(v, fields)
	if err != nil {
		return page, data, nil, err
	}
	for _, c := range data.Choices.Cohorts {
		if c.Value != "" && c.Value == asked.Get("cohort") {
			data.Cohort = c.Label
		}
	}
	page.Data = data
	return page, data, def, nil
}
