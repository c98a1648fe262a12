package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// callers is how many send the same things at once.
const callers = 32

// long reports whether tests run at their full size.
func long() bool { return os.Getenv("PROTRACK_TEST_LONG") == "1" }

// storm makes clients and n assessments of them, oldest first. The total of
// the i-th falls from 27 in steps.
func storm(s *apitest.Server, clients, n int) (clientIDs []string, forms []object) {
	for i := range clients {
		clientIDs = append(clientIDs, s.Do("POST", "/v1/clients", object{"reference": fmt.Sprint("storm ", i)}).Want(http.StatusCreated).JSON()["id"].(string))
	}
	for i := range n {
		forms = append(forms, object{
			"client_id": clientIDs[i%clients], "id": newID(), "instrument": "phq-9", "timing": "follow_up",
			"completed_at": today.Add(time.Duration(i-n) * time.Hour), "total": 27 - i*27/n,
		})
	}
	return clientIDs, forms
}

// atOnce runs f for each caller at the same time.
func atOnce(t *testing.T, f func(caller int) error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			if err := f(i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// tally counts answers by id and status.
type tally struct {
	mu sync.Mutex
	of map[string]map[int]int
}

func (c *tally) add(id string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]map[int]int{}
	}
	if c.of[id] == nil {
		c.of[id] = map[int]int{}
	}
	c.of[id][status]++
}

// onceEach fails the test unless every form was stored by one caller and known
// to the others, and the trajectories are what the forms say.
func onceEach(t *testing.T, s *apitest.Server, answered *tally, clientIDs []string, forms []object) {
	t.Helper()
	wrong := 0
	for _, f := range forms {
		got := answered.of[f["id"].(string)]
		if got[201] != 1 || got[200] != callers-1 || len(got) != 2 {
			if wrong++; wrong < 5 {
				t.Errorf("answers by status: %v, where one is 201 and the others are 200", got)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d were not answered right", wrong, len(forms))
	}
	if rows := count(t, behind(t, s), "SELECT count(*) FROM assessment_versions"); rows != len(forms) {
		t.Errorf("%d rows are stored, where %d were sent", rows, len(forms))
	}
	for i, client := range clientIDs {
		own := (len(forms) - i + len(clientIDs) - 1) / len(clientIDs)
		last := forms[i+(own-1)*len(clientIDs)]
		tr := s.Do("GET", "/v1/clients/"+client+"/trajectory?instrument=phq-9", nil).Want(http.StatusOK).JSON()
		if n := len(tr["points"].([]any)); n != own {
			t.Errorf("a trajectory has %d points, want %d", n, own)
		}
		within(t, "baseline.", object{"total": float64(forms[i]["total"].(int)), "assessment_id": forms[i]["id"]}, tr["baseline"])
		within(t, "latest.", object{"total": float64(last["total"].(int)), "assessment_id": last["id"]}, tr["latest"])
	}
	for _, c := range listed(s.Do("GET", "/v1/caseload", nil).Want(http.StatusOK)) {
		tr := s.Do("GET", "/v1/clients/"+c["client_id"].(string)+"/trajectory?instrument=phq-9", nil).JSON()
		if c["change"] != tr["status"].(object)["change"] || c["n_points"] != float64(len(tr["points"].([]any))) {
			t.Errorf("the caseload and the trajectory differ: %v", c)
		}
	}
}

// TestAStormOfRetriedBatchesStoresEachFormOnce sends the same thousand forms
// from 32 front ends at once, each in an order of its own.
func TestAStormOfRetriedBatchesStoresEachFormOnce(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clientIDs, forms := storm(s, 10, 1000)
		var answered tally
		atOnce(t, func(caller int) error {
			shuffled := append([]object{}, forms...)
			rand.New(rand.NewPCG(1, uint64(caller))).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			r, err := s.Try(s.Clinic.Key[auth.App], "POST", "/v1/assessments/batch", object{"items": shuffled})
			if err != nil {
				return err
			}
			if r.Status != http.StatusOK {
				return fmt.Errorf("status %d: %.300s", r.Status, r.Body)
			}
			var batch struct {
				Results []struct {
					Index, Status int
					ID            string
				}
			}
			r.Decode(&batch)
			for _, one := range batch.Results {
				if one.ID != shuffled[one.Index]["id"] {
					return fmt.Errorf("result %d is of another form", one.Index)
				}
				answered.add(one.ID, one.Status)
			}
			return nil
		})
		onceEach(t, s, &answered, clientIDs, forms)
	})
}

// TestAStormOfRetriedFormsStoresEachOnce sends one form at a time.
func TestAStormOfRetriedFormsStoresEachOnce(t *testing.T) {
	n := 60
	if long() {
		n = 1000
	}
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clientIDs, forms := storm(s, 5, n)
		var answered tally
		atOnce(t, func(caller int) error {
			for _, i := range rand.New(rand.NewPCG(2, uint64(caller))).Perm(len(forms)) {
				id := forms[i]["id"].(string)
				r, err := s.Try(s.Clinic.Key[auth.App], "POST", "/v1/clients/"+forms[i]["client_id"].(string)+"/assessments", with(forms[i], "client_id", drop))
				if err != nil {
					return err
				}
				answered.add(id, r.Status)
				if where := r.Header.Get("Location"); (r.Status == 201) != (where == "/v1/assessments/"+id) {
					return fmt.Errorf("%d with Location %q", r.Status, where)
				}
			}
			return nil
		})
		onceEach(t, s, &answered, clientIDs, forms)
	})
}

// TestTheSameIDWithOtherContentIsStoredOnce lets 32 front ends claim one id
// for 32 different forms.
func TestTheSameIDWithOtherContentIsStoredOnce(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clientIDs, _ := storm(s, 2, 0)
		for range 5 {
			id := newID()
			var answered tally
			atOnce(t, func(caller int) error {
				form := with(baseline(), "id", id, "answers", drop, "total", caller%28, "completed_at", today.Add(-time.Duration(caller)*time.Minute))
				r, err := s.Try(s.Clinic.Key[auth.App], "POST", "/v1/clients/"+clientIDs[caller%2]+"/assessments", form)
				if err == nil {
					answered.add(id, r.Status)
				}
				return err
			})
			same(t, "answers by status", map[int]int{201: 1, 409: callers - 1}, answered.of[id])
		}
		if rows := count(t, behind(t, s), "SELECT count(*) FROM assessment_versions"); rows != 5 {
			t.Errorf("%d rows are stored instead of 5", rows)
		}
	})
}

// TestEveryCreateCanBeRetried sends each kind of thing twice, and then with
// other content.
func TestEveryCreateCanBeRetried(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		client := s.Do("POST", "/v1/clients", object{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
		for _, c := range []struct {
			path, single string
			body         object
			other        object
		}{
			{"/v1/clients", "/v1/clients/", object{"reference": "P-2"}, object{"reference": "P-3"}},
			{"/v1/clients/" + client + "/courses", "/v1/courses/", object{"indication": "PTSD", "started_on": "2026-03-02"}, object{"goals": "x"}},
			{"/v1/clients/" + client + "/sessions", "/v1/sessions/", dosing(), object{"number": 7}},
			{"/v1/clients/" + client + "/assessments", "/v1/assessments/", baseline(), object{"mode": "clinician"}},
		} {
			id := newID()
			body := with(c.body, "id", id)
			first := s.Do("POST", c.path, body).Want(http.StatusCreated)
			again := s.Do("POST", c.path, body).Want(http.StatusOK)
			same(t, c.path+" again", string(first.Body), string(again.Body))
			if first.Header.Get("Location") != c.single+id || again.Header.Get("Location") != "" || first.Header.Get("ETag") != `"1"` || again.Header.Get("ETag") != `"1"` {
				t.Errorf("%s: headers %v, then %v", c.path, first.Header, again.Header)
			}
			read := s.Do("GET", c.single+id, nil).Want(http.StatusOK)
			same(t, c.single, string(first.Body), string(read.Body))
			for name, value := range c.other {
				problemOf(t, s.Do("POST", c.path, with(body, name, value)).Want(http.StatusConflict))
			}
		}
	})
}
