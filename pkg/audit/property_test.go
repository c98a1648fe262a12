package audit_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/audit"
)

// drawEntry gives any entry that Check lets pass, with the nth id.
func drawEntry(t *rapid.T, n int) audit.Entry {
	word := rapid.StringMatching(`[a-zäß"\\<>&]{0,8}`)
	noun := rapid.StringMatching(`[a-z]{1,5}`)
	ids := rapid.Custom(func(t *rapid.T) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
	e := audit.Entry{
		ID: id(n), At: time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, "at")).UTC(),
		Actor: ids.Draw(t, "actor"), ActorKind: rapid.SampledFrom([]string{"key", "account", "nobody"}).Draw(t, "kind"),
		Role: word.Draw(t, "role"), Address: word.Draw(t, "address"), Request: word.Draw(t, "request"),
		Action:  noun.Draw(t, "noun") + "." + noun.Draw(t, "verb"),
		Outcome: rapid.SampledFrom([]audit.Outcome{audit.Done, audit.Refused}).Draw(t, "outcome"),
		Target:  word.Draw(t, "target"), TargetID: ids.Draw(t, "target id"), Client: ids.Draw(t, "client"),
		Details: audit.Details{
			Reason: word.Draw(t, "reason"),
			Note:   rapid.MapOfN(word, word, 0, 3).Draw(t, "note"),
			Changes: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) audit.Change {
				return audit.Change{
					Field:  noun.Draw(t, "field"),
					Before: rapid.Ptr(word, true).Draw(t, "before"), After: rapid.Ptr(word, true).Draw(t, "after"),
				}
			}), 0, 3).Draw(t, "changes"),
		},
	}
	if rapid.Bool().Draw(t, "several") {
		e = e.WithClients(rapid.SliceOfN(ids, 0, 4).Draw(t, "clients"))
	}
	return e
}

func drawChain(t *rapid.T, least int) ([]audit.Sealed, audit.Head) {
	n := rapid.IntRange(least, 30).Draw(t, "n")
	list := make([]audit.Entry, n)
	for i := range list {
		list[i] = drawEntry(t, i+1)
		if err := list[i].Check(); err != nil {
			t.Fatal(err)
		}
	}
	return audit.Head{Clinic: clinic}.Link(list, start)
}

func TestAnyChainVerifies(t *testing.T) {
	signer, known, _ := key(t)
	rapid.Check(t, func(r *rapid.T) {
		whole, head := drawChain(r, 1)
		var checkpoints []string
		for _, s := range whole {
			if rapid.Bool().Draw(r, "signed") {
				checkpoints = append(checkpoints, sign(t, signer, s))
			}
		}
		if report := verify(whole, &head, checkpoints, known); !report.OK() || report.Checkpoints != len(checkpoints) {
			r.Fatalf("%+v", report)
		}
		var file bytes.Buffer
		if err := audit.WriteExport(&file, clinic, start, stream(whole), checkpoints, nil); err != nil {
			r.Fatal(err)
		}
		report, err := audit.VerifyExport(&file, []note.Verifier{known})
		if err != nil || !report.OK() || report.Entries != int64(len(whole)) {
			r.Fatalf("%+v, %v", report, err)
		}
	})
}

func TestAnyDetailsAreReadAsTheyWereStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t, 1)
		back, err := audit.ParseDetails(e.Details.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		stored := e
		stored.Details = back
		if e.Hash([32]byte{}, clinic, 1) != stored.Hash([32]byte{}, clinic, 1) {
			t.Fatalf("%+v was stored as %+v", e.Details, back)
		}
	})
}

// A mutation changes one thing of the ith and the jth entry (i < j) and says
// which entries a report must name. It may name more.
type mutation func(t *rapid.T, c *tampering, i, j int) []int64

var mutations = map[string]mutation{
	"alter a field": func(t *rapid.T, c *tampering, i, _ int) []int64 {
		all := alterations()
		field := rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "field")
		before := c.chain[i].Entry.Hash([32]byte{}, clinic, 1)
		all[field](&c.chain[i].Entry)
		if c.chain[i].Entry.Hash([32]byte{}, clinic, 1) == before {
			t.Skip("it has this value already")
		}
		return []int64{int64(i + 1)}
	},
	"alter a hash": func(t *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain[i].Hash[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return []int64{int64(i + 1)}
	},
	"change the clients": func(_ *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain[i].Clients = append(slices.Clone(c.chain[i].Clients), id(1<<30))
		return []int64{int64(i + 1)}
	},
	"remove": func(_ *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain = slices.Delete(c.chain, i, i+1)
		return []int64{int64(i + 1)}
	},
	"remove a range": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain = slices.Delete(c.chain, i, j)
		return []int64{int64(i + 1)}
	},
	"remove and renumber": func(_ *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain = slices.Delete(c.chain, i, i+1)
		c.renumber()
		return []int64{int64(i + 1)}
	},
	"swap": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain[i], c.chain[j] = c.chain[j], c.chain[i]
		c.renumber()
		return []int64{int64(i + 1), int64(j + 1)}
	},
	"move a line": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		moved := c.chain[i]
		c.chain = slices.Insert(slices.Delete(c.chain, i, i+1), j, moved)
		return []int64{int64(i + 1)}
	},
	"move and renumber": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		moved := c.chain[i]
		c.chain = slices.Insert(slices.Delete(c.chain, i, i+1), j, moved)
		c.renumber()
		return []int64{int64(i + 1), int64(j + 1)}
	},
	"copy a line": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain = slices.Insert(c.chain, j, c.chain[i])
		return []int64{int64(i + 1)}
	},
	"copy and renumber": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain = slices.Insert(c.chain, j, c.chain[i])
		c.renumber()
		return []int64{int64(j + 1)}
	},
	"put another's content in": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain[j].Entry = c.chain[i].Entry
		return []int64{int64(j + 1)}
	},
	"truncate": func(_ *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain = c.chain[:i]
		return []int64{int64(i + 1)}
	},
	"truncate, and set the head back": func(_ *rapid.T, c *tampering, i, _ int) []int64 {
		c.chain, c.head = c.chain[:i], &audit.Head{Clinic: clinic, Seq: int64(i)}
		if i > 0 {
			c.head.Hash = c.chain[i-1].Hash
		}
		return []int64{int64(i + 1)}
	},
	"alter and link anew": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain[i].Request += "x"
		c.relink(i + 1)
		return []int64{int64(j + 1)} // which has a checkpoint
	},
	"remove and link anew": func(_ *rapid.T, c *tampering, i, j int) []int64 {
		c.chain = slices.Delete(c.chain, i, i+1)
		c.relink(i + 1)
		return []int64{int64(j + 1)}
	},
}

// Each mutation is tried on chains whose jth and last entry have a checkpoint.
func TestAnyMutationIsFoundAndNamed(t *testing.T) {
	signer, known, _ := key(t)
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				whole, head := drawChain(r, 3)
				n := len(whole)
				i := rapid.IntRange(0, n-2).Draw(r, "i")
				j := rapid.IntRange(i+1, n-1).Draw(r, "j")
				c := tampering{copied(whole), &head, []string{sign(t, signer, whole[j]), sign(t, signer, whole[n-1])}}
				named := mutate(r, &c, i, j)
				report := verify(c.chain, c.head, c.checkpoints, known)
				for _, seq := range named {
					if !slices.ContainsFunc(report.Faults, func(f audit.Fault) bool { return f.Seq == seq }) {
						r.Fatalf("entry %d is not named in %+v", seq, report.Faults)
					}
				}
				if first := report.Faults[0].Seq; first < int64(i+1) {
					r.Fatalf("entry %d is named, and nothing was done before %d: %+v", first, i+1, report.Faults)
				}
				if report.OK() {
					r.Fatal("nothing was found")
				}
			})
		})
	}
}
