package rest

import (
	"archive/zip"
	"bytes"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// RecordPackage is everything that is kept about a client. Lists hold every
// version, in the order in which they were recorded; of the versions of one id
// the last one stands.
type RecordPackage struct {
	Format      string    `json:"format" enums:"protrack-record"`
	Version     int       `json:"version" example:"1"` // of the format
	GeneratedAt time.Time `json:"generated_at" format:"date-time"`
	ClientID    uuid.UUID `json:"client_id" swaggertype:"string" format:"uuid"`

	Clients     []Client           `json:"clients"` // who the client is; of merged records, theirs too
	Courses     []Course           `json:"courses"`
	Sessions    []Session          `json:"sessions"`
	Assessments []Assessment       `json:"assessments"`
	Instruments []RecordInstrument `json:"instruments"` // the wording of what was answered
	Consents    []Consent          `json:"consents"`
	Corrections []Correction       `json:"corrections"`
	Alerts      []AlertWithHistory `json:"alerts"`
	Team        []RecordMember     `json:"care_team"`
	Tokens      []RecordToken      `json:"tokens"` // of the client's own front end
	Merges      []RecordMerge      `json:"merges"`
	Disclosures []Disclosure       `json:"disclosures"` // the newest first
} //	@name	Record

// RecordInstrument is the wording of one version of an instrument.
type RecordInstrument struct {
	ID      string       `json:"id" example:"phq-9"`
	Version string       `json:"version" example:"1.0.0"`
	Title   string       `json:"title"`
	Items   []RecordItem `json:"items"`
} //	@name	RecordInstrument

// RecordItem is one question with its answers.
type RecordItem struct {
	ID      string         `json:"id" example:"phq9_1"`
	Text    string         `json:"text"` // empty where the wording may not be handed on
	Options []RecordOption `json:"options"`
} //	@name	RecordItem

// RecordOption is one answer that a question offers.
type RecordOption struct {
	Value int    `json:"value"`
	Text  string `json:"text"`
} //	@name	RecordOption

// RecordMember is one member of the client's care team.
type RecordMember struct {
	ClientID uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	Member   uuid.UUID  `json:"member" swaggertype:"string" format:"uuid"`
	Kind     string     `json:"kind" enums:"assigned,break_glass"`
	Since    time.Time  `json:"since" format:"date-time"`
	Until    *time.Time `json:"until" format:"date-time" extensions:"x-nullable"`
	Reason   string     `json:"reason"`
	Note     string     `json:"note"`
} //	@name	RecordMember

// RecordToken is a token of the client's own front end.
type RecordToken struct {
	ID        uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	ClientID  uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	CreatedAt time.Time  `json:"created_at" format:"date-time"`
	ExpiresAt time.Time  `json:"expires_at" format:"date-time"`
	RevokedAt *time.Time `json:"revoked_at" format:"date-time" extensions:"x-nullable"`
} //	@name	RecordToken

// RecordMerge says that two records were taken for those of one person.
type RecordMerge struct {
	Survivor  uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"` // the record that stands for the person
	Duplicate uuid.UUID  `json:"duplicate_id" swaggertype:"string" format:"uuid"`
	Reason    string     `json:"reason"`
	MergedAt  time.Time  `json:"merged_at" format:"date-time"`
	UndoneAt  *time.Time `json:"undone_at" format:"date-time" extensions:"x-nullable"`
} //	@name	RecordMerge

func packageFromCare(r care.Record) RecordPackage {
	out := RecordPackage{
		Format: "protrack-record", Version: 1, GeneratedAt: r.GeneratedAt, ClientID: r.Client.ID,
		Clients: convert(r.Clients, clientFromCare), Courses: convert(r.Courses, courseFromCare),
		Sessions: convert(r.Sessions, sessionFromCare), Assessments: convert(r.Assessments, assessmentFromCare),
		Consents: convert(r.Consents, consentFromCare), Corrections: convert(r.Corrections, correctionFromCare), Alerts: recordAlerts(r),
		Tokens: convert(r.Tokens, func(t care.RecordedToken) RecordToken {
			return RecordToken{ID: t.ID, ClientID: t.ClientID, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt}
		}),
		Team: convert(r.Team, func(m care.Membership) RecordMember {
			return RecordMember{
				ClientID: m.ClientID, Member: m.Member, Kind: string(m.Kind), Since: m.Since, Until: m.Until, Reason: m.Reason, Note: string(m.Note),
			}
		}),
		Merges: convert(r.Merges, func(m care.Merge) RecordMerge {
			return RecordMerge{Survivor: m.Survivor, Duplicate: m.Duplicate, Reason: string(m.Reason), MergedAt: m.MergedAt, UndoneAt: m.UndoneAt}
		}),
		Disclosures: convert(r.Disclosures, disclosureFromCare), Instruments: []RecordInstrument{},
	}
	for _, id := range slices.Sorted(maps.Keys(r.Instruments)) {
		for _, version := range slices.Sorted(maps.Keys(r.Instruments[id])) {
			out.Instruments = append(out.Instruments, recordInstrument(r.Instruments[id][version]))
		}
	}
	return out
}

func recordInstrument(def *care.Questionnaire) RecordInstrument {
	out := RecordInstrument{ID: def.ID, Version: def.Version, Title: def.Title, Items: []RecordItem{}}
	for _, item := range def.Items {
		in := RecordItem{ID: item.ID, Text: item.Text, Options: []RecordOption{}}
		for _, o := range def.Options(item) {
			in.Options = append(in.Options, RecordOption{Value: o.Value, Text: o.Text})
		}
		out.Items = append(out.Items, in)
	}
	return out
}

// convert applies a converter to every element; none gives an empty list.
func convert[S, T any](in []S, to func(S) T) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = to(v)
	}
	return out
}

// downloadRecord hands out everything about a client.
//
//	@Summary		Download a client's record
//	@Description	Everything that is kept about the client, in every version: as JSON for programs, as one page for people, or both in a ZIP.
//	@Tags			rights
//	@Produce		json,html,application/zip
//	@Param			client_id	path		string	true	"Client"	format(uuid)
//	@Param			format		query		string	false	"Form of the answer"	Enums(json, html, zip)	default(json)
//	@Success		200			{object}	RecordPackage
//	@Failure		401,403,404,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/record [get]
func (h *Handlers) downloadRecord(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	format := choice(q, "format", care.RecordJSON, care.RecordJSON, care.RecordHTML, care.RecordZIP)
	if err := q.Err(); err != nil {
		return err
	}
	record, err := h.Care.Record(c.Request().Context(), who, client, format)
	if err != nil {
		return err
	}
	switch format {
	case care.RecordHTML:
		return sendPage(c, record)
	case care.RecordZIP:
		return sendArchive(c, record)
	case care.RecordJSON:
	}
	return ok(c, packageFromCare(record))
}

func sendPage(c echo.Context, record care.Record) error {
	page, err := recordPage(record)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, recordPolicy)
	return c.HTMLBlob(http.StatusOK, page)
}

// readme explains the archive to whoever opens it.
const readme = `This archive holds everything that the clinic keeps about one client in
Protrack, in every version, as it was when the archive was made.

record.html   to be read or printed: open it in a browser
record.json   the same for programs: "format" is "protrack-record"; lists hold
              every version, and of one id the last version stands; times are
              UTC as in RFC 3339; missing answers are absent or null, never 0

It holds health data. Keep it where nobody else can read it.
`

func sendArchive(c echo.Context, record care.Record) error {
	page, err := recordPage(record)
	if err != nil {
		return err
	}
	machine, err := json.Marshal(packageFromCare(record), json.Deterministic(true), json.FormatNilMapAsNull(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, f := range []struct {
		name string
		text []byte
	}{{"README.txt", []byte(readme)}, {"record.html", page}, {"record.json", machine}} {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: record.GeneratedAt})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.text); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	// The id, and no name: a file's name is seen by many.
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="record-`+record.Client.ID.String()+`.zip"`)
	return c.Blob(http.StatusOK, "application/zip", out.Bytes())
}
