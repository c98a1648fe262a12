package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// A dossier is what is known of a client and who is signed in may see. Each
// part is read as the API reads it, and leaves the same entry in the trail.
type dossier struct {
	client       care.Client
	defs         []*instrument.Definition
	trajectories []care.Trajectory
	courses      []care.Course
	sessions     []care.Session
	due          []care.DueForm
	standing     map[care.ConsentScope]care.Consent
	team         []care.Membership
}

// dossier reads what is known of the client that the path names.
func (v *visit) dossier() (dossier, error) {
	client, err := v.theClient()
	if err != nil {
		return dossier{}, err
	}
	d := dossier{client: client}
	of, ctx, who := v.site.Care, v.ctx(), v.who
	for _, part := range []struct {
		need auth.Permission
		read func() error
	}{
		{auth.ReadInstruments, func() (err error) { d.defs, err = of.InstrumentDefinitions(ctx, who); return err }},
		{auth.ReadTrajectories, func() (err error) {
			d.trajectories, err = of.Trajectories(ctx, who, client.ID, care.TrajectoryQuery{})
			return err
		}},
		{auth.ReadCare, func() (err error) { d.courses, err = of.Courses(ctx, who, client.ID, everySession); return err }},
		{auth.ReadCare, func() (err error) { d.sessions, err = of.Sessions(ctx, who, client.ID, everySession); return err }},
		{auth.ReadDueForms, func() (err error) { d.due, err = of.DueForms(ctx, who, client.ID); return err }},
		{auth.ReadConsents, func() error {
			page, err := of.Consents(ctx, who, client.ID, care.Page{Limit: 1}) // what stands comes with any page
			d.standing = page.Standing
			return err
		}},
	} {
		if !who.May(part.need) {
			continue
		}
		if err := part.read(); err != nil {
			return dossier{}, err
		}
	}
	if v.clinic.CareTeams && who.May(auth.ReadTeams) {
		d.team, err = of.Team(ctx, who, client.ID, false)
	}
	return d, err
}

// title is the name of an instrument that people know.
func (d *dossier) title(id string) string { return titleOf(d.defs, id) }

// lastDose is the last dosing session that has begun; nil: none has.
func (d *dossier) lastDose(now time.Time) *care.Session {
	for i, ses := range slices.Backward(d.sessions) {
		if ses.Kind == care.Dosing && !ses.StartedAt.After(now) {
			return &d.sessions[i]
		}
	}
	return nil
}

// person is what the head of a page says of a client.
type person struct {
	Age             string     // in words; empty: not recorded
	LastAt, NextAt  *time.Time // of sessions, in the client's zone
	Last, Next      string
	Dosed           bool
	DaysSinceDose   int
	DoseAt          *time.Time
	MergedInto      string // the record that stands for the person; empty: this one
	Zone            string
	Indication      string // of the course that goes on; empty: none does
	CourseSince     time.Time
	Sex             string
	BeforeTreatment bool // no session has been held
}

// person is the head of a page about the client.
func (d *dossier) person(t tongue, now time.Time) person {
	in := d.client.Zone()
	out := person{Age: t.age(d.client.BirthYear, now.In(in)), Zone: in.String(), BeforeTreatment: true}
	if d.client.Sex != "" {
		out.Sex = t.T(sexWord(d.client.Sex))
	}
	if d.client.MergedInto != nil {
		out.MergedInto = d.client.MergedInto.String()
	}
	for _, ses := range d.sessions {
		at := new(ses.StartedAt.In(in))
		name := t.sessionKind(string(ses.Kind)) + " " + strconv.Itoa(ses.Place)
		if !ses.StartedAt.After(now) {
			out.LastAt, out.Last, out.BeforeTreatment = at, name, false
		} else if out.NextAt == nil {
			out.NextAt, out.Next = at, name
		}
	}
	if dose := d.lastDose(now); dose != nil {
		out.Dosed, out.DaysSinceDose, out.DoseAt = true, d.client.DaysSince(dose.StartedAt, now), new(dose.StartedAt.In(in))
	}
	for _, c := range d.courses {
		if c.EndedOn == nil {
			out.Indication, out.CourseSince = c.Indication, day(c.StartedOn)
		}
	}
	return out
}

// age is in words, for the day of birth is not known.
func (t tongue) age(born *int, now time.Time) string {
	if born == nil {
		return ""
	}
	most := now.Year() - *born
	return t.T("%d or %d years", most-1, most)
}

// courseRow is a course of treatment.
type courseRow struct {
	Indication string
	Start      time.Time
	End        *time.Time // nil: it goes on
	Planned    *int
	Goals      string
	Edit       string // empty: not here
}

func (d *dossier) courseRows(edits bool) []courseRow {
	var out []courseRow
	for _, c := range slices.Backward(d.courses) {
		row := courseRow{Indication: c.Indication, Start: day(c.StartedOn), Planned: c.PlannedSessions, Goals: string(c.Goals)}
		if c.EndedOn != nil {
			row.End = new(day(*c.EndedOn))
		}
		if edits {
			row.Edit = "/courses/" + c.ID.String() + "/edit"
		}
		out = append(out, row)
	}
	return out
}

// consentRow is what stands for a scope.
type consentRow struct {
	Scope string
	State tag
	At    *time.Time // nil: nothing was said
	Text  string     // the version of the text that was put to the client
}

func (d *dossier) consentRows() []consentRow {
	var out []consentRow
	for _, o := range scopes {
		row := consentRow{Scope: o.Label, State: consentTags[""]}
		if said, known := d.standing[care.ConsentScope(o.Value)]; known {
			row.State, row.At, row.Text = consentTags[said.Status], new(said.At.In(d.client.Zone())), said.TextVersion
		}
		out = append(out, row)
	}
	return out
}

// teamRow is one member of the care team.
type teamRow struct {
	Name  string // empty: a key, or an account without a name
	Mine  bool
	Glass bool       // for a while, for a reason that was given
	Until *time.Time // nil: without an end
}

func (v *visit) teamRows(d *dossier) ([]teamRow, error) {
	ids := make([]uuid.UUID, len(d.team))
	for i, m := range d.team {
		ids[i] = m.Member
	}
	names, err := v.site.Keys.NamesOf(v.ctx(), v.who, ids)
	if err != nil {
		return nil, err
	}
	var out []teamRow
	for _, m := range d.team {
		row := teamRow{Name: string(names[m.Member]), Mine: m.Member == v.me.ID, Glass: m.Kind == care.Broken}
		if m.Until != nil {
			row.Until = new(m.Until.In(d.client.Zone()))
		}
		out = append(out, row)
	}
	return out, nil
}
