package trajectory

import "github.com/google/uuid"

// sessionChanges gives every session in order of time, with or without scores.
func (c *course) sessionChanges() []SessionChange {
	before, after := c.sessionScores()
	out := make([]SessionChange, 0, len(c.sessions))
	var previous *Assessment // the after of the most recent session that has one
	for _, s := range c.sessions {
		change := SessionChange{SessionID: s.ID, CourseID: s.CourseID, Number: s.Number, Kind: s.Kind, At: s.StartedAt}
		b, a := before[s.ID], after[s.ID]
		if b != nil {
			change.Before, change.BeforeID = b.Total, new(b.ID)
		}
		if a != nil {
			change.After, change.AfterID = a.Total, new(a.ID)
		}
		if b != nil && a != nil {
			if b.At.After(a.At) {
				change.RecallNote = "The assessment before the session was completed after the one that followed it, so the two are not compared."
			} else {
				change.Change, change.RecallOverlap, change.RecallNote, change.Excluded =
					c.difference(*b, *a, "the assessment before the session")
			}
		}
		if previous != nil && b != nil {
			if !previous.At.Before(b.At) {
				change.SincePreviousNote = "The assessment after the previous session was not completed before this one, so the two are not compared."
			} else {
				change.SincePreviousAfter, change.SincePreviousOverlap, change.SincePreviousNote, change.SincePreviousExcluded =
					c.difference(*previous, *b, "the assessment after the previous session")
			}
		}
		if a != nil {
			previous = a
		}
		out = append(out, change)
	}
	return out
}

// sessionScores finds each session's last scored "before" and first scored
// "after": the two that stand nearest to it.
func (c *course) sessionScores() (before, after map[uuid.UUID]*Assessment) {
	before = make(map[uuid.UUID]*Assessment, len(c.sessions))
	after = make(map[uuid.UUID]*Assessment, len(c.sessions))
	for i := range c.assessments {
		a := &c.assessments[i]
		if a.Total == nil || a.SessionID == nil {
			continue
		}
		switch a.Timing {
		case TimingBefore:
			before[*a.SessionID] = a
		case TimingAfter:
			if after[*a.SessionID] == nil {
				after[*a.SessionID] = a
			}
		}
	}
	return before, after
}

// difference is later - earlier with what the windows do to it.
func (c *course) difference(earlier, later Assessment, by string) (points, overlap *float64, note string, excluded bool) {
	points, _ = change(*earlier.Total, *later.Total)
	r := c.recall(earlier, later, by)
	return points, r.overlap, r.note, c.options.excludes(r.overlap)
}
