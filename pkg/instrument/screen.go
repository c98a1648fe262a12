package instrument

// The kinds of Screen.
const (
	// Cutpoint compares the total: a bool.
	Cutpoint = "cutpoint"
	// Syndrome counts symptoms, one of which must be a core symptom: the id of
	// a Level, or Otherwise.
	Syndrome = "syndrome"
	// Clusters needs so many symptoms in each group of items: a bool.
	Clusters = "clusters"
)

// Screen is a yes-or-no or named result beside the total. It is provisional:
// a reason to look closer, not a diagnosis.
type Screen struct {
	ID     string `json:"id"` // key in Score.Screens
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Source string `json:"source"`

	// For Cutpoint: true where the total is at least AtLeast, or, where a
	// higher total is better, at most AtMost. BySex stands in place of
	// AtLeast. A caller may choose one of Alternatives instead.
	AtLeast      *float64        `json:"at_least,omitempty"`
	AtMost       *float64        `json:"at_most,omitempty"`
	BySex        map[Sex]float64 `json:"by_sex,omitempty"`
	Alternatives []float64       `json:"alternatives,omitempty"`

	// For Syndrome: without a symptom named in Core the result is Otherwise,
	// else the first of Levels whose Count is reached.
	Symptoms  []Symptom `json:"symptoms,omitempty"`
	Core      []string  `json:"core,omitempty"`
	Levels    []Level   `json:"levels,omitempty"`
	Otherwise string    `json:"otherwise,omitempty"`

	// For Clusters: true where every one is met.
	Clusters []Cluster `json:"clusters,omitempty"`
}

// Symptom is an item that counts as present from AtLeast points on.
type Symptom struct {
	Item    string `json:"item"`
	AtLeast int    `json:"at_least"`
}

// Level is a result of a Syndrome from Count symptoms on; levels are listed
// from the highest Count down.
type Level struct {
	ID    string `json:"id"`
	Count int    `json:"count"`
}

// Cluster is met when Count of its items have AtLeast points.
type Cluster struct {
	Title   string   `json:"title,omitempty"`
	Items   []string `json:"items"`
	AtLeast int      `json:"at_least"`
	Count   int      `json:"count"`
}

// screenPlan is a Screen with its items resolved to positions.
type screenPlan struct {
	symptoms []symptomPlan
	clusters [][]symptomPlan
}

type symptomPlan struct {
	item    int
	atLeast int
	core    bool
}

// result evaluates the screen. It gives nil unless every way of filling the
// missing answers leads to the same result, except that a cut-point follows
// the total where there is one.
func (s *Screen) result(p *screenPlan, f *form, total *float64, cut []float64) any {
	switch s.Kind {
	case Cutpoint:
		return s.compare(f, total, cut)
	case Syndrome:
		low, high := s.level(f.count(p.symptoms, false)), s.level(f.count(p.symptoms, true))
		if f.totalOnly || low != high {
			return nil
		}
		return low
	default:
		low, high := s.met(p, f, false), s.met(p, f, true)
		if f.totalOnly || low != high {
			return nil
		}
		return low
	}
}

// compare decides a cut-point, cut holding every threshold that may apply:
// one, or one a sex where the sex is unknown.
func (s *Screen) compare(f *form, total *float64, cut []float64) any {
	low, high := f.low, f.high
	if total != nil {
		low, high = *total, *total
	}
	all, none := true, true
	for _, c := range cut {
		if s.AtMost != nil {
			all, none = all && high <= c, none && low > c
		} else {
			all, none = all && low >= c, none && high < c
		}
	}
	switch {
	case all:
		return true
	case none:
		return false
	}
	return nil
}

// level names the result for a number of symptoms.
func (s *Screen) level(n int, core bool) string {
	if core {
		for _, l := range s.Levels {
			if n >= l.Count {
				return l.ID
			}
		}
	}
	return s.Otherwise
}

func (s *Screen) met(p *screenPlan, f *form, highest bool) bool {
	for i, c := range p.clusters {
		if n, _ := f.count(c, highest); n < s.Clusters[i].Count {
			return false
		}
	}
	return true
}

// count counts the symptoms present, missing items taken at their highest or
// their lowest.
func (f *form) count(symptoms []symptomPlan, highest bool) (n int, core bool) {
	for _, s := range symptoms {
		low, high := f.bounds(s.item)
		if highest {
			low = high
		}
		if low >= s.atLeast {
			n++
			core = core || s.core
		}
	}
	return n, core
}

// cutpoints gives the thresholds that may apply to this client.
func (s *Screen) cutpoints(in *Input) []float64 {
	if c, ok := in.Cutpoints[s.ID]; ok {
		return []float64{c}
	}
	if s.AtMost != nil {
		return []float64{*s.AtMost}
	}
	if s.AtLeast != nil {
		return []float64{*s.AtLeast}
	}
	if c, ok := s.BySex[in.Sex]; ok {
		return []float64{c}
	}
	all := make([]float64, 0, len(s.BySex))
	for _, c := range s.BySex {
		all = append(all, c)
	}
	return all
}
