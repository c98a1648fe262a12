package web

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// snapshotRow is one snapshot of the list.
type snapshotRow struct {
	ID, Name, Table, Shape, Format, Profile, Project string
	By                                               string
	AsOf, CreatedAt                                  time.Time
	MayPull                                          bool // who sees it may have what it holds
}

func (v *visit) snapshotRow(snap research.Snapshot, by auth.Personal) snapshotRow {
	r, t := snap.Frozen.Request, v.tongue()
	row := snapshotRow{
		ID: snap.ID.String(), Name: snap.Name, Table: t.called(tableChoices, string(r.Table)), Format: t.called(formatChoices, string(r.Format)),
		Project: r.Project, By: string(by), AsOf: snap.AsOf, CreatedAt: snap.CreatedAt, MayPull: len(snap.Manifest) > 0,
	}
	if r.Table == research.Assessments {
		row.Shape = t.called(shapeChoices, string(r.Shape))
		if r.Shape == research.Assessment {
			row.Shape = t.T(shapeChoices[0].Label)
		}
	}
	for _, p := range profileChoices {
		if p.Value == string(r.Profile) {
			row.Profile = t.T(p.Label)
		}
	}
	return row
}

const snapshotList = "snapshots"

// list reads a page of the clinic's snapshots.
func (d *exportsData) list(v *visit) error {
	after, err := v.after(snapshotList)
	if err != nil {
		return err
	}
	all, err := v.site.Research.Snapshots(v.ctx(), v.who, care.Page{After: care.Position{ID: after}, Limit: rowsOnAPage + 1})
	if err != nil {
		return err
	}
	if after != uuid.Nil {
		d.First = exportsPath
	}
	if len(all) > rowsOnAPage {
		all = all[:rowsOnAPage]
		d.Next = nextAfter(exportsPath, snapshotList, all[rowsOnAPage-1].ID)
	}
	var takers []uuid.UUID
	for _, snap := range all {
		takers = append(takers, snap.CreatedBy)
	}
	names, err := v.site.Keys.NamesOf(v.ctx(), v.who, takers)
	if err != nil {
		return err
	}
	for _, snap := range all {
		d.Snapshots = append(d.Snapshots, v.snapshotRow(snap, names[snap.CreatedBy]))
	}
	return nil
}

// snapshotFormData is the form of a snapshot.
type snapshotFormData struct{ Choices exportChoices }

func (v *visit) snapshotFormView() (view, error) {
	choices, err := v.exportChoices()
	return view{Title: "Take a snapshot", Data: snapshotFormData{Choices: choices}}, err
}

// newSnapshot shows the form of a snapshot.
func (s *Site) newSnapshot(v *visit) error {
	if err := v.who.Require(auth.TakeSnapshots); err != nil {
		return err
	}
	page, err := v.snapshotFormView()
	if err != nil {
		return err
	}
	page.Form = formOf("id", s.Care.NewID().String(), "table", string(research.Assessments), "format", string(export.CSV), "profile", string(research.Deidentified))
	return v.render("snapshot_form", page)
}

// takeSnapshot freezes an export under a name, once.
func (s *Site) takeSnapshot(v *visit) error {
	r := v.reading()
	id := r.id()
	request, err := v.snapshotAsked()
	if err == nil {
		err = r.err(nil)
	}
	if err == nil {
		_, _, err = s.Files.Freeze(v.Context, v.who, id, v.typed("name"), request)
	}
	if err != nil {
		page, failed := v.snapshotFormView()
		if failed != nil {
			return failed
		}
		return v.again("snapshot_form", page, spoken(err))
	}
	return v.done(exportsPath+"/snapshots/"+id.String(), "The snapshot was taken.")
}

// snapshotData is one snapshot.
type snapshotData struct {
	Row                 snapshotRow
	Manifest, Signature string // empty for who may not pull the package
}

// snapshot shows what was frozen.
func (s *Site) snapshot(v *visit) error {
	id, err := v.snapshotID()
	if err != nil {
		return err
	}
	snap, err := s.Research.Snapshot(v.ctx(), v.who, id)
	if err != nil {
		return err
	}
	by, err := s.Keys.NameOf(v.ctx(), v.who, snap.CreatedBy)
	if err != nil {
		return err
	}
	data := snapshotData{Row: v.snapshotRow(snap, by), Signature: string(snap.Signature)}
	if len(snap.Manifest) > 0 {
		var out bytes.Buffer
		if err := json.Indent(&out, snap.Manifest, "", "  "); err != nil {
			return err
		}
		data.Manifest = out.String()
	}
	return v.render("snapshot", view{Title: snap.Name, Data: data})
}

// pullSnapshot answers with the package of a snapshot.
func (s *Site) pullSnapshot(v *visit) error {
	id, err := v.snapshotID()
	if err != nil {
		return err
	}
	return v.hand(func() error { return s.Files.Package(v.Context, v.who, id) })
}
