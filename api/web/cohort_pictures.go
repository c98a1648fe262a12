package web

import (
	"html/template"
	"slices"

	"github.com/protrack/protrack/api/figure"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/instrument"
)

// show puts a figure on its page, with its picture.
func (d *figureData) show(v *visit, found shownFigure, def *instrument.Definition) error {
	frame, t := found.told.Common(), v.tongue()
	d.Figure, d.Frame = found, &frame
	d.Cells = t.T("Every number is shown.")
	if frame.SmallestCell != nil {
		d.Cells = t.T("Numbers are withheld where they would tell of fewer than %d people, and so are others from which those would follow.", *frame.SmallestCell)
	}
	asked := v.QueryParam
	if d.Title = asked("instrument"); def != nil {
		d.Title, d.Better = def.Title, word("A lower score is better.")
		if def.Direction == instrument.HigherIsBetter {
			d.Better = word("A higher score is better.")
		}
	}
	switch {
	case found.Change != nil:
		d.Picture = changePicture(t, *found.Change, d.Title)
	case found.Sessions != nil:
		d.Picture = sessionsPicture(t, *found.Sessions, d.Title)
	case found.Survival != nil:
		d.Event = t.survivalWords(*found.Survival, asked("relapse"))
		d.Picture = survivalPicture(t, *found.Survival, d.Title, d.Event)
	case found.Shift != nil:
		for _, id := range found.Shift.Bands {
			d.Bands = append(d.Bands, t.bandName(def, id))
		}
		d.Picture = shiftPicture(t, found.Shift.PairTable, d.Bands, found.Shift.Points, d.Title)
	case found.Item9 != nil:
		d.Bands = []string{"0", "1", "2", "3"}
		d.Picture = shiftPicture(t, found.Item9.PairTable, d.Bands, found.Item9.Points, t.T("Answers to item 9 of the PHQ-9"))
	case found.Expected != nil:
		for _, b := range found.Expected.Bands {
			d.Bands = append(d.Bands, t.bandName(def, b.Severity))
		}
		return d.track(v, *found.Expected, def)
	}
	return nil
}

// trackedClient is a client who is held against the others.
type trackedClient struct {
	ID, Reference, Name string
	Status, Severity    string
	Change              *float64
	Session             int
	N                   *int
}

// mostTracked is how many clients a page names: each is a record that is read.
const mostTracked = 50

// track names the clients who do worse than most, the worst first.
func (d *figureData) track(v *visit, f figure.Expected, def *instrument.Definition) error {
	if f.OffTrack == nil || !v.who.May(auth.ReadClients) {
		return nil
	}
	all := slices.Clone(*f.OffTrack)
	slices.SortStableFunc(all, func(a, b figure.OffTrackClient) int {
		rank := func(c figure.OffTrackClient) int {
			return slices.IndexFunc(trackWords, func(o option) bool { return o.Value == c.Status })
		}
		return rank(a) - rank(b)
	})
	d.OffTrackAll = len(all)
	t := v.tongue()
	for _, c := range all[:min(len(all), mostTracked)] {
		client, err := v.site.Care.Client(v.ctx(), v.who, c.ClientID)
		if err != nil {
			return err
		}
		d.OffTrack = append(d.OffTrack, trackedClient{
			ID: c.ClientID.String(), Reference: string(client.Reference), Name: string(client.DisplayName),
			Status: c.Status, Severity: t.bandName(def, c.Severity), Change: c.Change, Session: c.Session, N: c.N,
		})
	}
	return nil
}

// inPage is a picture as it stands in a page.
func inPage(svg []byte) template.HTML {
	return template.HTML(svg) //nolint:gosec // a picture of our own, whose texts it escapes
}

// ends are those of an interval.
func ends(ci *cohort.Interval) (from, to *float64) {
	if ci == nil {
		return nil, nil
	}
	return &ci[0], &ci[1]
}

// changePicture shows the mean change of all, and of each group.
func changePicture(t tongue, f figure.Change, title string) template.HTML {
	means := chart.Means{
		Apart: true,
		Title: t.T("%s: mean change", title), Axis: t.T("Points"), Words: t.T, Number: func(x float64) string { return t.Signed(x) },
		Summary: t.T("Mean change from %s to %s, with its 95 %% interval.", t.Point(f.Points.From), t.Point(f.Points.To)),
	}
	mean := func(label string, d figure.PairedDifference) chart.Mean {
		from, to := ends(d.CI95)
		return chart.Mean{Label: label, Mean: d.Mean, From: from, To: to, N: t.Count(d.N)}
	}
	means.Points = []chart.Mean{mean(t.T("All"), f.Difference)}
	for _, g := range f.Groups {
		means.Points = append(means.Points, mean(t.Group(g.Group), g.Difference))
	}
	return inPage(means.SVG(chart.Page))
}

// sessionsPicture shows the mean change from the baseline after each session.
func sessionsPicture(t tongue, f figure.Sessions, title string) template.HTML {
	if len(f.Sessions) == 0 {
		return ""
	}
	means := chart.Means{
		Title: t.T("%s: mean change since the baseline", title), Axis: t.T("Points"), Words: t.T, Number: func(x float64) string { return t.Signed(x) },
		Summary: t.T("Mean change from the baseline to the first score after each dosing session, with its 95 % interval."),
	}
	for _, s := range f.Sessions {
		from, to := ends(s.FromBaseline.CI95)
		means.Points = append(means.Points, chart.Mean{
			Label: t.T("Session %d", s.Number), Mean: s.FromBaseline.Mean, From: from, To: to, N: t.Count(s.FromBaseline.N),
		})
	}
	return inPage(means.SVG(chart.Page))
}

// survivalPicture shows how many have not had the event yet.
func survivalPicture(t tongue, f figure.Survival, title, summary string) template.HTML {
	if len(f.Curve) == 0 {
		return ""
	}
	curve := chart.Survival{
		Title: t.T("%s: days until a response", title), Axis: t.T("without a response yet"), Summary: summary, MedianDays: f.MedianDays, Words: t.T,
	}
	if f.Event == string(cohort.EventLossOfResponse) {
		curve.Title, curve.Axis = t.T("%s: days until the response is lost", title), t.T("still responding")
	}
	for _, s := range f.Curve {
		from, to := ends(s.CI95)
		curve.Steps = append(curve.Steps, chart.Step{
			Day: float64(s.Days), Share: s.Survival, From: from, To: to, Censored: s.Censored != nil && *s.Censored > 0,
		})
	}
	for _, r := range f.AtRisk {
		curve.Risk = append(curve.Risk, chart.Risk{Day: float64(r.Days), N: t.Count(r.N)})
	}
	return inPage(curve.SVG(chart.Page))
}

// shiftPicture shows who moved from where to where.
func shiftPicture(t tongue, table figure.PairTable, bands []string, points figure.Points, title string) template.HTML {
	shift := chart.Shift{
		Title: title, Summary: t.T("People by where they were at the first time, in rows, and at the second, in columns."),
		From: t.Point(points.From), To: t.Point(points.To), Bands: bands,
		Counts: table.Counts, Rows: table.Rows, Columns: table.Columns, Words: t.T,
	}
	return inPage(shift.SVG(chart.Page))
}
