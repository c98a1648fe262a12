package main_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// verdict is what the database has of what the writers know. All of it should
// be zero.
type verdict struct {
	Lost        int // acknowledged assessments that are not there
	Altered     int // there, with other content
	Twice       int // listed or stored more than once, or in a second version
	Unsent      int // there, and never sent
	LostClients int // acknowledged clients that are not there or have another reference
	LostSession int // acknowledged sessions that are not there
	Progress    int // clients whose row in the caseload is not what their trajectory says
}

// stored is an assessment as the server shows it.
type stored struct {
	form
	Version int
	Status  string
	Score   struct{ Total *float64 }
}

// judge compares the running server with the ledger. The writers have stopped.
func judge(t *testing.T, base string, book *ledger) verdict {
	t.Helper()
	var v verdict
	known := map[uuid.UUID]string{}
	for _, c := range list[struct {
		ID        uuid.UUID
		Reference string
	}](t, base, adminKey, "/v1/clients") {
		known[c.ID] = c.Reference
	}
	seen := map[uuid.UUID]bool{}
	for id, reference := range book.clients {
		if known[id] == "" {
			if book.created[id] {
				v.LostClients++
			}
			continue
		}
		if known[id] != reference {
			v.LostClients++
		}
		for _, s := range list[stored](t, base, adminKey, "/v1/clients/"+id.String()+"/assessments") {
			v.weigh(t, book, s, seen)
		}
		for _, s := range list[struct{ ID uuid.UUID }](t, base, adminKey, "/v1/clients/"+id.String()+"/sessions") {
			seen[s.ID] = true
		}
	}
	for id := range book.sessions {
		if book.created[id] && !seen[id] {
			v.LostSession++
		}
	}
	for id := range book.acked {
		if !seen[id] {
			v.Lost++
		}
	}
	for id := range known {
		if book.clients[id] == "" {
			v.Unsent++
		}
	}
	v.progress(t, base, known)
	return v
}

// weigh compares one stored assessment with what was sent.
func (v *verdict) weigh(t *testing.T, book *ledger, s stored, seen map[uuid.UUID]bool) {
	t.Helper()
	sent, was := book.sent[s.ID]
	switch {
	case !was:
		v.Unsent++
	case seen[s.ID], s.Version != 1:
		v.Twice++
	case s.Status != "recorded", s.Score.Total == nil, *s.Score.Total != sent.total(), !cmp.Equal(sent, s.form):
		v.Altered++
		t.Log(cmp.Diff(sent, s.form))
	}
	seen[s.ID] = true
}

// mark is a score that a trajectory or a caseload refers to.
type mark struct {
	AssessmentID uuid.UUID `json:"assessment_id"`
	At           time.Time
	Total        float64
}

// standing is what a trajectory and a caseload say alike.
type standing struct {
	Baseline, Latest, Best *mark
	Status                 string
	Change, PercentChange  *float64
	Reliable, Response     *string
	Remission, Recovery    *bool
	Relapsed               bool
	Points, Scored         int
}

// progress holds the read model against the trajectories.
func (v *verdict) progress(t *testing.T, base string, clients map[uuid.UUID]string) {
	t.Helper()
	for _, instrument := range []string{"phq-9", "gad-7"} {
		rows := map[uuid.UUID]standing{}
		for _, c := range list[caseloadRow](t, base, adminKey, "/v1/caseload?instrument="+instrument) {
			rows[c.ClientID] = c.standing()
		}
		for id := range clients {
			var tr trajectoryAnswer
			get(t, base, adminKey, "/v1/clients/"+id.String()+"/trajectory?instrument="+instrument, &tr)
			if len(tr.Points) == 0 {
				continue
			}
			if d := cmp.Diff(tr.standing(), rows[id]); d != "" {
				v.Progress++
				t.Logf("%s: -trajectory +caseload\n%s", instrument, d)
			}
		}
	}
}

type caseloadRow struct {
	ClientID               uuid.UUID `json:"client_id"`
	Baseline, Latest, Best *mark
	Status                 string
	Change                 *float64
	PercentChange          *float64 `json:"percent_change"`
	Reliable, Response     *string
	Remission, Recovery    *bool
	Relapsed               bool
	Points                 int `json:"n_points"`
	Scored                 int `json:"n_scored"`
}

func (c caseloadRow) standing() standing {
	return standing{
		c.Baseline, c.Latest, c.Best, c.Status, c.Change, c.PercentChange,
		c.Reliable, c.Response, c.Remission, c.Recovery, c.Relapsed, c.Points, c.Scored,
	}
}

type trajectoryAnswer struct {
	Baseline, Latest, Best *mark
	Points                 []struct{}
	Status                 struct {
		Summary             string
		Change              *float64
		PercentChange       *float64 `json:"percent_change"`
		Reliable, Response  *string
		Remission, Recovery *bool
		Relapsed            bool
		Scored              int `json:"n_scored"`
	}
}

func (a trajectoryAnswer) standing() standing {
	s := a.Status
	return standing{
		a.Baseline, a.Latest, a.Best, s.Summary, s.Change, s.PercentChange,
		s.Reliable, s.Response, s.Remission, s.Recovery, s.Relapsed, len(a.Points), s.Scored,
	}
}

// rows counts behind the server's back, and asks SQLite whether its file is
// sound. The server has stopped.
func rows(t *testing.T, url string) map[string]int {
	t.Helper()
	db := behind(t, url)
	got := map[string]int{}
	for name, query := range map[string]string{
		"assessments": "SELECT count(*) FROM assessments",
		"versions":    "SELECT count(*) FROM assessment_versions",
		"clients":     "SELECT count(*) FROM clients",
		"sessions":    "SELECT count(*) FROM session_versions",
	} {
		var n int
		if err := db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		got[name] = n
	}
	if strings.HasPrefix(url, "sqlite://") {
		for query, want := range map[string]string{
			"SELECT group_concat(integrity_check) FROM pragma_integrity_check": "ok",
			"SELECT count(*) FROM pragma_foreign_key_check":                    "0",
		} {
			var answer string
			if err := db.QueryRowContext(context.Background(), query).Scan(&answer); err != nil || answer != want {
				t.Errorf("%s: %q %v", query, answer, err)
			}
		}
	}
	return got
}

// counts is what rows should find where every operation was acknowledged.
func (l *ledger) counts() map[string]int {
	return map[string]int{
		"assessments": len(l.sent), "versions": len(l.sent), "clients": len(l.clients), "sessions": len(l.sessions),
	}
}
