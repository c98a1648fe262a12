package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// openPostgres opens one pool for reading and writing.
func openPostgres(ctx context.Context, cfg Config) (*DB, error) {
	conf, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		// pgx's text repeats the URL without its password; say less.
		return nil, errors.New("the PostgreSQL URL cannot be read")
	}
	conf.RuntimeParams["application_name"], conf.RuntimeParams["timezone"] = "protrack", "UTC"
	pool := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(prepareSession))
	size := max(16, 4*runtime.NumCPU())
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(30 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(errors.New("PostgreSQL does not answer"), err, pool.Close())
	}
	probe := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(prepareSession))
	probe.SetMaxOpenConns(1)
	g, err := gorm.Open(translating{postgres.New(postgres.Config{Conn: pool}), postgresAway}, gormConfig(cfg))
	if err != nil {
		return nil, errors.Join(err, pool.Close(), probe.Close())
	}
	d := &DB{read: g, write: g, dialect: postgresDialect, keys: cfg.FieldKeys, probe: probe, inPlace: func() error { return nil }}
	d.dialect.migrator = sessionLockedMigrator
	d.owner = func() (*sql.DB, error) { return openOwner(cfg) }
	d.renew = func() {
		pool.SetMaxIdleConns(0) // what was opened before there was a role to take
		pool.SetMaxIdleConns(size)
	}
	return d, d.checkDurability(ctx, cfg)
}

// openOwner opens connections of the user who owns the schema.
func openOwner(cfg Config) (*sql.DB, error) {
	if cfg.OwnerURL == "" {
		cfg.OwnerURL = cfg.URL
	}
	conf, err := pgx.ParseConfig(cfg.OwnerURL)
	if err != nil {
		return nil, errors.New("the PostgreSQL URL of the schema's owner cannot be read")
	}
	return stdlib.OpenDB(*conf), nil
}

// liftPostgresTrigger disables a trigger, as the table's owner may.
func liftPostgresTrigger(tx *gorm.DB, table, trigger string) (func() error, error) {
	alter := "ALTER TABLE " + table + " %s TRIGGER " + trigger
	restore := func() error { return tx.Exec(fmt.Sprintf(alter, "ENABLE")).Error }
	return restore, tx.Exec(fmt.Sprintf(alter, "DISABLE")).Error
}

// asOwner is the database as the owner of its schema uses it, and what closes that.
func (d *DB) asOwner() (*DB, func(), error) {
	if d.owner == nil {
		return d, func() {}, nil
	}
	pool, err := d.owner()
	if err != nil {
		return nil, nil, err
	}
	config := gormConfig(Config{})
	config.Logger = d.write.Logger
	g, err := gorm.Open(translating{postgres.New(postgres.Config{Conn: pool}), postgresAway}, config)
	if err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return d.on(g), func() { _ = pool.Close() }, nil
}

// prepareSession sets what each connection must have, for a role's or a
// database's default could say otherwise; by statements, for PgBouncer refuses
// them among the parameters. Who may be protrack_app becomes it: that role owns
// nothing, and row-level security binds it.
func prepareSession(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SET synchronous_commit = on`)
	if err != nil {
		return err
	}
	var member bool
	// From PostgreSQL 16 on, a member may lack the right to take the role.
	err = c.QueryRow(ctx, `SELECT coalesce((SELECT pg_has_role(current_user, oid,
		CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) FROM pg_roles WHERE rolname = 'protrack_app'), false)
		AND EXISTS (SELECT FROM information_schema.role_table_grants WHERE grantee = 'protrack_app' AND table_schema = current_schema() AND table_name = 'clinics')`).Scan(&member)
	if err == nil && member {
		_, err = c.Exec(ctx, `SET ROLE protrack_app`)
	}
	return err
}

// checkWall refuses to work where row-level security does not bind the role.
func checkWall(ctx context.Context, pool *sql.DB) error {
	var open []string
	rows, err := pool.QueryContext(ctx, `SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
		AND c.relname <> 'goose_db_version' AND NOT row_security_active(c.oid) ORDER BY 1`)
	if err != nil {
		return fmt.Errorf("check row-level security: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return fmt.Errorf("check row-level security: %w", err)
		}
		open = append(open, table)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check row-level security: %w", err)
	}
	var granted bool
	if err := pool.QueryRowContext(ctx, `SELECT has_table_privilege('clients', 'SELECT')`).Scan(&granted); err != nil {
		return fmt.Errorf("check the database user's rights: %w", err)
	}
	if !granted {
		return errors.New("this database user may not use the tables: grant it protrack_app")
	}
	if len(open) > 0 {
		return fmt.Errorf("row-level security does not bind this database user on %s: connect as a user that is neither superuser nor BYPASSRLS, or grant it protrack_app", strings.Join(open, ", "))
	}
	return nil
}

// checkDurability warns where the server may lose what it acknowledged.
func (d *DB) checkDurability(ctx context.Context, cfg Config) error {
	for _, name := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := d.read.WithContext(ctx).Raw("SELECT current_setting(?)", name).Scan(&value).Error; err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if value != "on" {
			cfg.Log.WarnContext(ctx, "PostgreSQL may lose acknowledged answers in a power cut", "setting", name, "value", value)
		}
	}
	return nil
}
