package instrument_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// blank marks an item without an answer in the forms below.
const blank = -99

func get(t testing.TB, id string) *instrument.Definition {
	t.Helper()
	d, err := instrument.Embedded().Get(id)
	if err != nil {
		t.Fatalf("Get(%q): %v", id, err)
	}
	return d
}

func item(d *instrument.Definition, id string) (instrument.Item, bool) {
	for _, it := range d.Items {
		if it.ID == id {
			return it, true
		}
	}
	return instrument.Item{}, false
}

// fill answers the items prefix_1, prefix_2, ... in order.
func fill(prefix string, values ...int) instrument.Answers {
	a := instrument.Answers{}
	for i, v := range values {
		if v != blank {
			a[fmt.Sprintf("%s_%d", prefix, i+1)] = &v
		}
	}
	return a
}

// with adds one answer.
func with(a instrument.Answers, id string, value int) instrument.Answers {
	a[id] = &value
	return a
}

// same gives n equal answers.
func same(n, value int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = value
	}
	return out
}

func mustScore(t testing.TB, id string, in instrument.Input) instrument.Score {
	t.Helper()
	s, err := get(t, id).Score(in)
	if err != nil {
		t.Fatalf("Score(%s): %v", id, err)
	}
	return s
}

// number shows a total or "none".
func number(p *float64) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprint(*p)
}

func text(p *string) string {
	if p == nil {
		return "none"
	}
	return *p
}

// faults lists "pointer code" of an Invalid error.
func faults(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("%v is not a *fault.Error", err)
	}
	var out []string
	for _, d := range e.Details {
		out = append(out, d.Pointer+" "+d.Code)
		if d.Message == "" {
			t.Errorf("%s %s has no message", d.Pointer, d.Code)
		}
	}
	return out
}

// shared opens a file of the data folder beside the repository.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../../shared/data", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no %s: the shared data folder is not beside the repository", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func flag(code, item string, level int) instrument.Flag {
	return instrument.Flag{Code: code, Item: item, Level: &level}
}

func silent(code, item, reason string) instrument.Flag {
	return instrument.Flag{Code: code, Item: item, Reason: reason}
}
