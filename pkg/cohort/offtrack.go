package cohort

import (
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/trajectory"
)

// TrackStatus says how a client does beside others like them.
type TrackStatus string

// The statuses. Worse than three in four is a reason to look, worse than nine
// in ten one to act: a project decision, for a clinic's own bands.
const (
	OnTrack        TrackStatus = "on_track"
	TrackWatch     TrackStatus = "watch"     // the change is worse than that of 75 in 100
	TrackOff       TrackStatus = "off_track" // worse than that of 90 in 100
	TrackNotJudged TrackStatus = "not_judged"
)

// Track is a client's latest change beside what was expected.
type Track struct {
	Status   TrackStatus
	Change   *float64 // points, after the session minus baseline
	Session  int      // the last dosing session with a score after it; 0: none
	Severity string   // at baseline
	// Band is how the change compares, from better to worse: "best_10", "10_25",
	// "25_50", "50_75", "75_90" or "worst_10". A change on a percentile is in the
	// better band. Empty where nothing can be compared.
	Band  string
	N     Count // people compared with
	Words string
}

// bandNames go from the best changes to the worst.
var bandNames = []string{"best_10", "10_25", "25_50", "50_75", "75_90", "worst_10"}

// OffTrack compares a client with the bands: those of the figure in full, or as
// they may be shown. The client may be one of those whom the bands are from.
func OffTrack(e Expected, c Case) Track {
	p, reason := ExpectedQuery{Instrument: e.Instrument, Window: e.Window}.progress(c)
	switch reason {
	case string(NotTreated):
		return Track{Status: TrackNotJudged, Words: "No dose was given yet."}
	case reasonNoBaseline:
		return Track{Status: TrackNotJudged, Words: "There is no baseline score."}
	}
	return e.track(p)
}

// Tracks compares everybody whom the bands are from with them, in the order in
// which they came.
func (e Expected) Tracks() iter.Seq2[uuid.UUID, Track] {
	return func(yield func(uuid.UUID, Track) bool) {
		for _, p := range e.people {
			if !yield(p.person, e.track(p)) {
				return
			}
		}
	}
}

// track compares the latest change of a person with the bands.
func (e Expected) track(p progress) Track {
	t := Track{Status: TrackNotJudged, Severity: e.severity(p.baseline)}
	if len(p.changes) == 0 {
		t.Words = "There is no score after a session yet."
		return t
	}
	latest := p.changes[len(p.changes)-1]
	t.Session, t.Change = latest.session, &latest.points
	i := slices.IndexFunc(e.Cells, func(x ExpectedCell) bool { return x.Session == t.Session && x.Severity == t.Severity })
	if i < 0 || e.Cells[i].Percentiles == nil {
		t.Words = fmt.Sprintf("Too few people with this severity at baseline have a score after session %d.", t.Session)
		return t
	}
	t.N = e.Cells[i].N
	t.place(*e.Cells[i].Percentiles, e.Direction)
	return t
}

// place finds the band that the change is in.
func (t *Track) place(p Percentiles, d trajectory.Direction) {
	bounds, change := []float64{p.P10, p.P25, p.P50, p.P75, p.P90}, *t.Change
	if d == trajectory.HigherIsBetter { // turned over, so that a greater change is worse
		bounds, change = []float64{-p.P90, -p.P75, -p.P50, -p.P25, -p.P10}, -change
	}
	at := 0
	for at < len(bounds) && change > bounds[at] {
		at++
	}
	t.Band = bandNames[at]
	of := fmt.Sprintf("that of %d people with this severity at baseline after session %d", *t.N, t.Session)
	switch at {
	case 5:
		t.Status, t.Words = TrackOff, "The change is worse than the 90th percentile of "+of+"."
	case 4:
		t.Status, t.Words = TrackWatch, "The change is worse than the 75th percentile of "+of+"."
	default:
		t.Status, t.Words = OnTrack, "The change is not worse than the 75th percentile of "+of+"."
	}
}
