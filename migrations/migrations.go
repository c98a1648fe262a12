// Package migrations holds the database schema as versioned SQL, the same
// file names for each dialect. A file that was released is never edited.
package migrations

import "embed"

// Files holds sqlite/*.sql and postgres/*.sql.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
