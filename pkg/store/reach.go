package store

import (
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// clientColumn names, for each table of clients' data, the column that says
// whose it is. Other tables hold nothing of a client.
var clientColumn = map[string]string{
	"clients": "id", "client_versions": "id",
	"courses": "client_id", "course_versions": "client_id", "sessions": "client_id", "session_versions": "client_id",
	"assessments": "client_id", "assessment_versions": "client_id", "progress": "client_id", "outlines": "client_id",
	"consents": "client_id", "corrections": "client_id", "client_tokens": "client_id", "erasures": "client_id",
	"care_team": "client_id", "snapshot_members": "client_id",
	"events": "client_id", "deliveries": "client_id", "alerts": "client_id", "alert_steps": "client_id", "contacts": "client_id", "messages": "client_id",
}

// ofNoClient are the tables that hold nothing of a client, or tell of clients
// what who may read them at all may know of all of them.
var ofNoClient = map[string]bool{
	"accounts": true, "api_keys": true, "recovery_codes": true, "sign_in_failures": true, "instrument_settings": true,
	"merges": true, "audit_entries": true, "audit_subjects": true, "audit_heads": true, "audit_checkpoints": true,
	"projects": true, "cohorts": true, "snapshots": true, "releases": true, "answers": true, "event_heads": true, "webhooks": true,
	"alert_settings": true, "message_settings": true,
}

var errNoReach = fault.New(fault.Forbidden, "This credential reaches no clients.")

// within narrows a query to the clients that the principal may see: those of
// others are as unknown as those of another clinic.
func within(db, fresh *gorm.DB, who auth.Principal, table, alias string) *gorm.DB {
	column, ofClients := clientColumn[table]
	if !ofClients {
		if who.Reach != auth.AllClients && !ofNoClient[table] {
			_ = db.AddError(errNoReach) // a new table: nobody has said whose it is
		}
		return db
	}
	if alias != table {
		column = alias + "." + column
	}
	switch who.Reach {
	case auth.AllClients:
		return db
	case auth.AssignedClients:
		return db.Where(column+" IN (?)", samePeople(fresh, who, fresh.Table("care_team").Select("client_id").
			Where("clinic_id = ? AND member = ? AND (until IS NULL OR until > ?)", who.Clinic, who.Actor, at(who.At))))
	case auth.OneClient:
		return db.Where(column+" IN (?)", samePeople(fresh, who, who.Client))
	case auth.NoClients:
	}
	_ = db.AddError(errNoReach)
	return db
}

// samePeople selects the records of the people that the clients are: who may
// see one record of a person may see those that are merged with it.
func samePeople(fresh *gorm.DB, who auth.Principal, clients any) *gorm.DB {
	return fresh.Table("clients").Select("id").Where("clinic_id = ?", who.Clinic).Where(samePerson, who.Clinic, clients)
}
