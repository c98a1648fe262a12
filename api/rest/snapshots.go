package rest

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// SnapshotRequest freezes an export under a name. What is left out is as in the
// parameters of an export.
type SnapshotRequest struct {
	ID          *uuid.UUID `json:"id" validate:"omitempty,id" swaggertype:"string" format:"uuid"`
	Name        string     `json:"name" validate:"required" example:"2027-spring"` // unique in the clinic: lower-case letters, digits, dots, hyphens, underscores. The package's file and manifest bear it: put nobody's name in it
	Table       string     `json:"table" validate:"omitempty,oneof=assessments sessions clients trajectories" enums:"assessments,sessions,clients,trajectories"`
	Shape       string     `json:"shape" validate:"omitempty,oneof=assessment long wide" enums:"assessment,long,wide"`
	Format      string     `json:"format" validate:"omitempty,oneof=csv ndjson parquet dta xlsx sps" enums:"csv,ndjson,parquet,dta,xlsx,sps"`
	Profile     string     `json:"profile" validate:"omitempty,oneof=identified limited deidentified" enums:"identified,limited,deidentified"`
	Project     string     `json:"project"` // that the pseudonyms are made for. Its name is in the manifest and in the audit trail: put nobody's name in it
	Instruments []string   `json:"instruments" validate:"max=100"`
	From        *time.Time `json:"from" format:"date-time"`
	To          *time.Time `json:"to" format:"date-time"`
	CourseID    *uuid.UUID `json:"course_id" swaggertype:"string" format:"uuid"`
	Session     *int       `json:"session" validate:"omitempty,min=1"`
	Timing      string     `json:"timing" validate:"omitempty,oneof=baseline before after follow_up" enums:"baseline,before,after,follow_up"`
	Cohort      *uuid.UUID `json:"cohort" swaggertype:"string" format:"uuid"`
	AsOf        *time.Time `json:"as_of" format:"date-time"` // now, unless named
	Dates       string     `json:"dates" validate:"omitempty,oneof=shifted days" enums:"shifted,days"`
	Dialect     string     `json:"dialect" validate:"omitempty,oneof=research excel" enums:"research,excel"`
	NA          string     `json:"na" validate:"omitempty,oneof=NA" enums:"NA"`
	Values      string     `json:"values" validate:"omitempty,oneof=codes labels" enums:"codes,labels"`
} //	@name	SnapshotRequest

// id is the one that was chosen, or none.
func (r SnapshotRequest) id() uuid.UUID {
	if r.ID == nil {
		return uuid.Nil
	}
	return *r.ID
}

func (r SnapshotRequest) toResearch() research.Request {
	return research.Request{
		Table: research.Table(r.Table), Shape: research.Shape(r.Shape), Format: export.Format(r.Format), Profile: research.Profile(r.Profile),
		Project: r.Project, Instruments: r.Instruments,
		From: r.From, To: r.To, Course: r.CourseID, Session: r.Session, Timing: care.Timing(r.Timing), Cohort: r.Cohort, AsOf: r.AsOf,
		Dates: research.DateMode(r.Dates), Dialect: export.Dialect(r.Dialect), NA: r.NA, Labels: r.Values == "labels",
	}
}

// Snapshot is an export that was frozen under a name.
type Snapshot struct {
	ID        uuid.UUID      `json:"id" swaggertype:"string" format:"uuid"`
	Name      string         `json:"name"`
	Profile   string         `json:"profile" enums:"identified,limited,deidentified"`
	AsOf      time.Time      `json:"as_of" format:"date-time"`
	Manifest  jsontext.Value `json:"manifest" swaggertype:"object" extensions:"x-nullable"` // as it was first handed out, whatever a package says now; null and no signature for who may not pull it
	Signature string         `json:"signature"`                                             // of the manifest: a signed note
	CreatedAt time.Time      `json:"created_at" format:"date-time"`
	CreatedBy uuid.UUID      `json:"created_by" swaggertype:"string" format:"uuid"`
} //	@name	Snapshot

func snapshotFromResearch(s research.Snapshot) Snapshot {
	return Snapshot{
		ID: s.ID, Name: s.Name, Profile: string(s.Frozen.Request.Profile), AsOf: s.AsOf,
		Manifest: jsontext.Value(s.Manifest), Signature: string(s.Signature), CreatedAt: s.CreatedAt, CreatedBy: s.CreatedBy,
	}
}

// takeSnapshot freezes an export.
//
//	@Summary		Take a snapshot
//	@Description	Freezes what is asked for, as of when and by which versions, under a name. The package can be pulled again whenever it is needed: it is the same to the last byte unless somebody has withdrawn since, who is then named in its manifest by pseudonym, or another program writes other bytes, which the manifest then says.
//	@Tags			research
//	@Accept			json
//	@Produce		json
//	@Param			snapshot	body		SnapshotRequest	true	"What is to be frozen"
//	@Success		200,201		{object}	Snapshot
//	@Header			201			{string}	Location	"The snapshot"
//	@Failure		400,401,403,404,409,413,415,422,429,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/snapshots [post]
func (h *Handlers) takeSnapshot(c echo.Context, who auth.Principal) error {
	in, err := bind(c, func() SnapshotRequest { return SnapshotRequest{} })
	if err != nil {
		return err
	}
	snap, outcome, err := h.Files.Freeze(c, who, in.id(), in.Name, in.toResearch())
	if err != nil {
		return err
	}
	return stored(c, outcome, "/v1/snapshots/"+snap.ID.String(), snapshotFromResearch(snap))
}

// getSnapshot tells of a snapshot.
//
//	@Summary	Get a snapshot
//	@Tags		research
//	@Produce	json
//	@Param		snapshot_id	path		string	true	"Snapshot"	format(uuid)
//	@Success	200			{object}	Snapshot
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/snapshots/{snapshot_id} [get]
func (h *Handlers) getSnapshot(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "snapshot_id")
	if err != nil {
		return err
	}
	snap, err := h.Research.Snapshot(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, snapshotFromResearch(snap))
}

// listSnapshots lists the clinic's snapshots.
//
//	@Summary	List snapshots
//	@Tags		research
//	@Produce	json
//	@Param		limit	query		int		false	"Rows a page"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"Of the page before"
//	@Success	200		{object}	Page[Snapshot]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/snapshots [get]
func (h *Handlers) listSnapshots(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page("snapshots")
	if err := q.Err(); err != nil {
		return err
	}
	list, err := h.Research.Snapshots(c.Request().Context(), who, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, list, page, snapshotFromResearch, func(s research.Snapshot) care.Position { return care.Position{ID: s.ID} }))
}

// pullSnapshot answers with the package of a snapshot.
//
//	@Summary		Pull the package of a snapshot
//	@Description	The same bytes each time, unless somebody has withdrawn since: its manifest then lists their pseudonyms as withdrawn. Where nobody has, and this server's program writes other bytes than the first one did, the manifest says so in differs_from_first: the first program, and the files whose SHA-256 is another. protrack snapshot verify checks it offline. It is sent as an export is.
//	@Tags			research
//	@Produce		application/zip
//	@Param			snapshot_id	path		string	true	"Snapshot"	format(uuid)
//	@Success		200			{file}		file
//	@Header			200			{string}	Content-Disposition	"Names the file by the snapshot"
//	@Failure		400,401,403,404,409,422,429,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/snapshots/{snapshot_id}/package [get]
func (h *Handlers) pullSnapshot(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "snapshot_id")
	if err != nil {
		return err
	}
	return h.Files.Package(c, who, id)
}
