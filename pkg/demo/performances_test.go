package demo_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
)

// some gives the first performances from a number on.
func some(from, n int) [][]demo.Story {
	var out [][]demo.Story
	for stories := range demo.Performances(7, from, now) {
		if out = append(out, stories); len(out) == n {
			break
		}
	}
	return out
}

func TestTheFirstPerformanceIsTheClinicButForItsReferences(t *testing.T) {
	got, want := some(0, 1)[0], demo.Clinic(7, now)
	for i := range got {
		got[i].Client.Reference, want[i].Client.Reference = "", ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPerformanceIsTheSameWhicheverWasTheFirst(t *testing.T) {
	if diff := cmp.Diff(some(0, 3)[2], some(2, 1)[0]); diff != "" {
		t.Error(diff)
	}
}

func TestNoIDAndNoReferenceComesTwiceInAnyPerformance(t *testing.T) {
	ids, references := map[uuid.UUID]bool{}, map[care.Private]bool{}
	add := func(id uuid.UUID) {
		if ids[id] || id.Version() != 4 {
			t.Fatalf("%s comes twice, or is no version 4 UUID", id)
		}
		ids[id] = true
	}
	last := care.Private("")
	for _, stories := range some(0, 5) {
		if len(stories) != demo.Cast() {
			t.Errorf("%d clients", len(stories))
		}
		for _, s := range stories {
			add(s.Client.ID)
			for _, x := range s.Assessments {
				add(x.ID)
			}
			for _, x := range s.Sessions {
				add(x.ID)
			}
			for _, x := range s.Courses {
				add(x.ID)
			}
			for _, x := range s.Consents {
				add(x.ID)
			}
			if references[s.Client.Reference] || s.Client.Reference <= last {
				t.Errorf("reference %q is not after the one before", string(s.Client.Reference))
			}
			last = s.Client.Reference
			references[last] = true
		}
	}
}

func TestMostAgreeToResearchAndSomeWithdraw(t *testing.T) {
	for _, seed := range seeds {
		said := map[string]int{}
		for _, s := range demo.Clinic(seed, now) {
			consents := care.Consents(slices.Clone(s.Consents))
			for i := range consents {
				consents[i].RecordedAt = consents[i].At
			}
			switch agreed, known := consents.Stands(care.ForResearch, now); {
			case agreed:
				said["agreed"]++
			case known:
				said["withdrew"]++
			default:
				said["unasked"]++
			}
		}
		if diff := cmp.Diff(map[string]int{"agreed": 54, "withdrew": 3, "unasked": 3}, said); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}
