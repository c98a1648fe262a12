package chart

import "slices"

// spread moves values that are in order apart, so that each keeps its gap from
// the one before it, all lie between low and high, and the squares of the moves
// are as small as they can be (isotonic regression by pooling). Gaps that do
// not fit become smaller. gaps[0] does not count.
func spread(want, gaps []float64, low, high float64) []float64 {
	offset := offsets(gaps, high-low)
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for i, w := range want {
		pools = append(pools, pool{w - offset[i], 1})
		for k := len(pools) - 1; k > 0 && pools[k-1].sum/float64(pools[k-1].n) > pools[k].sum/float64(pools[k].n); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	out := make([]float64, 0, len(want))
	for _, p := range pools {
		for range p.n {
			last := offset[len(offset)-1]
			out = append(out, min(max(p.sum/float64(p.n), low), high-last)+offset[len(out)])
		}
	}
	return out
}

// offsets are the sums of the gaps, which become smaller where there is no room.
func offsets(gaps []float64, room float64) []float64 {
	out := make([]float64, len(gaps))
	for i := 1; i < len(gaps); i++ {
		out[i] = out[i-1] + gaps[i]
	}
	if n := len(out); n > 0 && out[n-1] > room {
		share := max(room, 0) / out[n-1]
		for i := range out {
			out[i] *= share
		}
	}
	return out
}

// equalGaps are n times the same gap.
func equalGaps(n int, gap float64) []float64 { return slices.Repeat([]float64{gap}, n) }
