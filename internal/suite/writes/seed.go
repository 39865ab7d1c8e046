package writes

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// models in an order in which each comes after what it refers to.
func models() []any {
	return []any{
		(*User)(nil), (*Author)(nil), (*Book)(nil), (*UserBook)(nil), (*Follow)(nil), (*Membership)(nil),
		(*Chapter)(nil), (*Note)(nil), (*Shop)(nil), (*Coupon)(nil), (*Ticket)(nil), (*Till)(nil), (*AuditLine)(nil),
	}
}

// tables of the models, in their order.
func tables() []string {
	return []string{
		"users", "authors", "books", "user_books", "follows", "memberships",
		"chapters", "notes", "shops", "coupons", "tickets", "tills", "audit_lines",
	}
}

// generatedFrom is above every id of the seed and of the nodes, so that an id from the database is none of theirs.
const generatedFrom = 100

var (
	ticketOne = uuid.UUID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	ticketTwo = uuid.UUID{0xff, 0xee, 0xdd, 0xcc, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}
	ticketNew = uuid.UUID{0xab, 0xcd}
)

// rows is the world as each write finds it.
func rows() []any {
	return []any{
		&[]User{{ID: 1, Name: "Ann"}, {ID: 2, Name: "Bob"}, {ID: 3, Name: "Cy"}},
		&[]Author{{ID: 1, Name: "Austen"}, {ID: 2, Name: "Bronte"}, {ID: 3, Name: "Nobody"}},
		&[]Book{
			{ID: 1, Title: "Emma", Price: 10, AuthorID: 1, OwnerID: 1},
			{ID: 2, Title: "Persuasion", Price: 12, AuthorID: 1, OwnerID: 2},
			{ID: 3, Title: "Shirley", Price: 9, AuthorID: 2, OwnerID: 1},
			{ID: 4, Title: "Villette", Price: 11, AuthorID: 2, OwnerID: 3},
		},
		&[]UserBook{{UserID: 1, BookID: 1}, {UserID: 1, BookID: 2}, {UserID: 2, BookID: 2}, {UserID: 2, BookID: 3}, {UserID: 3, BookID: 4}},
		&[]Follow{{FollowerID: 1, FollowedID: 2}, {FollowerID: 2, FollowedID: 3}},
		&[]Membership{
			{ID: 1, UserID: 1, AuthorID: 1, Role: "fan"},
			{ID: 2, UserID: 2, AuthorID: 1, Role: "fan"},
			{ID: 3, UserID: 2, AuthorID: 2, Role: "chair"},
			{ID: 4, UserID: 3, AuthorID: 2, Role: "fan"},
		},
		&[]Chapter{{BookID: 1, Number: 1, Title: "I"}, {BookID: 1, Number: 2, Title: "II"}, {BookID: 2, Number: 1, Title: "I"}, {BookID: 3, Number: 1, Title: "I"}},
		&[]Note{
			{ID: 1, UserID: 1, Body: "milk"},
			{ID: 2, UserID: 1, Body: "ink"},
			{ID: 3, UserID: 2, Body: "tea"},
			{ID: 4, UserID: 2, Body: "gone", DeletedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		},
		&[]Shop{{ID: 1, Name: "corner"}, {ID: 2, Name: "station"}},
		&[]Coupon{{Code: "SPRING", Percent: 10}, {Code: "all", Percent: 20}, {Code: "a:b", Percent: 5}},
		&[]Ticket{{ID: ticketOne, Seat: "1A", Code: "SPRING"}, {ID: ticketTwo, Seat: "2B", Code: "all"}},
		&[]Till{{ID: 1}},
	}
}

// create makes the tables, whatever is there. The view is still to come.
func create(ctx context.Context, d Dialect, db *bun.DB) error {
	all := models()
	before := []string{"DROP VIEW IF EXISTS shop_names"}
	if d == MariaDB {
		// Texts are equal when their bytes are, as in the other databases; one column is left as it usually is here.
		before = append(before, "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
	}
	if err := run(ctx, db, before); err != nil {
		return err
	}
	for i := range all {
		if _, err := db.NewDropTable().Model(all[len(all)-1-i]).IfExists().Exec(ctx); err != nil {
			return err
		}
	}
	for _, model := range all {
		q := db.NewCreateTable().Model(model).WithForeignKeys()
		// bun makes no foreign key of a column of the primary key, unless the table joins two that it has met.
		switch model.(type) {
		case *Chapter:
			q.ForeignKey("(book_id) REFERENCES books (id) ON DELETE CASCADE")
		case *Follow:
			q.ForeignKey("(follower_id) REFERENCES users (id) ON DELETE CASCADE")
			q.ForeignKey("(followed_id) REFERENCES users (id) ON DELETE CASCADE")
		}
		if _, err := q.Exec(ctx); err != nil {
			return err
		}
	}
	return run(ctx, db, after(d))
}

// view is made last, by itself.
const view = "CREATE VIEW shop_names AS SELECT id, name FROM shops"

// after is what a database needs besides its tables.
func after(d Dialect) []string {
	texts := map[Dialect][]string{
		SQLite: {"CREATE TRIGGER till_counts AFTER UPDATE ON tills BEGIN UPDATE shops SET name = 'counted' WHERE id = 1; END"},
		Postgres: {
			"CREATE OR REPLACE FUNCTION till_counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE shops SET name = 'counted' WHERE id = 1; RETURN NULL; END $$",
			"CREATE TRIGGER till_counts AFTER UPDATE ON tills FOR EACH ROW EXECUTE FUNCTION till_counts()",
		},
		MariaDB: {
			"CREATE TRIGGER till_counts AFTER UPDATE ON tills FOR EACH ROW UPDATE shops SET name = 'counted' WHERE id = 1",
			"ALTER TABLE memberships MODIFY role varchar(255) COLLATE utf8mb4_general_ci",
		},
	}[d]
	for _, table := range []string{"users", "authors", "books", "memberships", "notes", "shops", "audit_lines"} {
		text := map[Dialect]string{
			SQLite:   "INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)",
			Postgres: "ALTER SEQUENCE %s_id_seq RESTART WITH %d",
			MariaDB:  "ALTER TABLE %s AUTO_INCREMENT = %d",
		}[d]
		texts = append(texts, fmt.Sprintf(text, table, generatedFrom))
	}
	return texts
}

func run(ctx context.Context, db *bun.DB, texts []string) error {
	for _, text := range texts {
		if _, err := db.DB.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// plant fills the tables with the rows of the world, whatever they hold.
func plant(ctx context.Context, db *bun.DB) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		all := tables()
		for i := range all {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+all[len(all)-1-i]); err != nil {
				return err
			}
		}
		for _, some := range rows() {
			if _, err := tx.NewInsert().Model(some).Returning("NULL").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// row is a row of a table as text, by column. NULL is absent.
type row map[string]string

// fetch returns all rows of a table; none if there is no such table. Each version of the schema has a text of its own,
// for drivers keep the plan of a text.
func fetch(ctx context.Context, db *bun.DB, table string, version int) ([]row, error) {
	found, err := db.DB.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s /* %d */", table, version))
	if err != nil {
		if text := err.Error(); strings.Contains(text, "no such table") || strings.Contains(text, "does not exist") || strings.Contains(text, "doesn't exist") {
			return nil, nil
		}
		return nil, err
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var all []row
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for found.Next() {
		if err := found.Scan(dest...); err != nil {
			return nil, err
		}
		r := make(row, len(columns))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
			case []byte:
				r[columns[i]] = string(v)
			case time.Time:
				r[columns[i]] = v.UTC().Format(time.RFC3339Nano)
			default:
				r[columns[i]] = fmt.Sprint(v)
			}
		}
		all = append(all, r)
	}
	return all, found.Err()
}
