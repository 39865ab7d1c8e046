package admin

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/migrate"
)

// Migrations make the table of the audit, cacheme_audit, and the triggers that keep its records as they are. Run them with
// tables of their own, so that their names do not stand among the application's:
//
//	m := migrate.NewMigrator(db, admin.Migrations,
//		migrate.WithTableName("cacheme_migrations"), migrate.WithLocksTableName("cacheme_migration_locks"))
//
// The triggers let a record be completed once, and refuse every other change of it and its deletion, whoever asks. That
// they hold nobody back who may drop a trigger, and on MariaDB and MySQL no TRUNCATE, is the database's law. Rolling back
// drops the table with all records.
var Migrations = migrations()

func migrations() *migrate.Migrations {
	m := migrate.NewMigrations()
	m.Add(migrate.Migration{Name: "20261122000001", Comment: "cacheme_audit", Up: run(func(t texts) []string { return t.create }), Down: run(func(t texts) []string { return t.drop })})
	m.Add(migrate.Migration{Name: "20261122000002", Comment: "cacheme_audit_kept", Up: run(func(t texts) []string { return t.keep }), Down: run(func(t texts) []string { return t.unkeep })})
	return m
}

// run makes a migration of the texts for whatever database it meets.
func run(of func(texts) []string) func(context.Context, *migrate.Migrator, *migrate.Migration) error {
	return func(ctx context.Context, m *migrate.Migrator, _ *migrate.Migration) error {
		t, err := textsOf(m.DB())
		if err != nil {
			return err
		}
		for _, statement := range of(t) {
			if _, err := m.DB().ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("admin: migrate the audit: %w", err)
			}
		}
		return nil
	}
}

// texts are what a database is told, in its own SQL. They are frozen with the migration: a later one changes what they made.
type texts struct{ create, drop, keep, unkeep []string }

func textsOf(db *bun.DB) (texts, error) {
	switch name := db.Dialect().Name(); name {
	case dialect.SQLite:
		return sqliteTexts, nil
	case dialect.PG:
		return postgresTexts, nil
	case dialect.MySQL:
		return mysqlTexts, nil
	default:
		return texts{}, fmt.Errorf("admin: the audit needs SQLite, PostgreSQL, MariaDB or MySQL, and not %v", name)
	}
}
