package bunhooks_test

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/sqltx"
)

func TestInstall_says_what_is_wrong(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	open := func() *bun.DB {
		db := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New())
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	for _, c := range []struct {
		name        string
		install     func() (*bun.DB, error)
		node, field string
		reason      string
	}{
		{"a nil database", func() (*bun.DB, error) { return bunhooks.Install(nil, w.cache) }, "", "", "nil database"},
		{"a nil cache", func() (*bun.DB, error) { return bunhooks.Install(open(), nil) }, "", "", "nil cache"},
		{"installed twice", func() (*bun.DB, error) {
			db := open()
			if _, err := bunhooks.Install(db, w.cache); err != nil {
				t.Error(err)
			}
			return bunhooks.Install(db, w.cache)
		}, "", "", "already"},
		{"installed in what the first Install returned", func() (*bun.DB, error) {
			db, err := bunhooks.Install(open(), w.cache)
			if err != nil {
				t.Error(err)
			}
			return bunhooks.Install(db, w.cache)
		}, "", "", "already"},
		{"a model at which bun panics", func() (*bun.DB, error) {
			// Its join model would have to be registered with bun.
			cache := suite.NewCache(t, suite.Embedded(t).Client(), suite.Patient(cacheme.Options{}), UserChanged{})
			return bunhooks.Install(open(), cache)
		}, "UserChanged", "Model", "no model for bun"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := c.install()
			var wrong *bunhooks.InstallError
			if !errors.As(err, &wrong) || db != nil {
				t.Fatalf("Install() = %v, %v, want an *InstallError alone", db, err)
			}
			if !strings.HasSuffix(wrong.Node, c.node) || c.node == "" && wrong.Node != "" || wrong.Field != c.field || !strings.Contains(wrong.Reason, c.reason) {
				t.Errorf("Install() = %+v, want node %q, field %q, and %q as the reason", wrong, c.node, c.field, c.reason)
			}
			for _, part := range []string{"bunhooks: ", c.node, wrong.Reason} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Error() = %q, which lacks %q", err, part)
				}
			}
		})
	}
}

func TestInstall_tells_a_database_that_is_gone(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	db := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New())
	w.must(db.Close())
	_, err := bunhooks.Install(db, w.cache)
	var wrong *bunhooks.InstallError
	if err == nil || errors.As(err, &wrong) {
		t.Errorf("Install() in a closed database = %v, want what the database said", err)
	}
}

// The naming rule is the whole process's, so that a process of its own has to be asked.
func TestInstall_tells_a_naming_rule_that_makes_another_table(t *testing.T) {
	t.Parallel()
	if os.Getenv("BUNHOOKS_INFLECTOR") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), "BUNHOOKS_INFLECTOR=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	schema.SetTableNameInflector(func(name string) string { return "shop_" + name })
	cache := suite.NewCache(t, suite.Embedded(t).Client(), suite.Patient(cacheme.Options{}), UnnamedChanged{})
	db := bun.NewDB(sql.OpenDB(bunhooks.WrapConnector(newFile(t))), sqlitedialect.New())
	t.Cleanup(func() { _ = db.Close() })
	_, err := bunhooks.Install(db, cache)
	var wrong *bunhooks.InstallError
	if !errors.As(err, &wrong) || wrong.Field != "Model" || !strings.Contains(wrong.Reason, "table:shop_") {
		t.Errorf("Install() = %v, want an *InstallError with the table's new name", err)
	}
}

// Unnamed leaves the name of its table to bun.
type Unnamed struct {
	ID int64 `bun:",pk"`
}

type UnnamedChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (UnnamedChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Unnamed)(nil)} }

func TestNewQueryHook_installs_itself_in_the_database_that_it_is_added_to(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	w.db = bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New()).
		WithQueryHook(bunhooks.NewQueryHook(w.cache, w.log.option()))
	t.Cleanup(func() { _ = w.db.Close() })
	w.makesWrong("an update", w.exec("UPDATE books SET author_id = 5 WHERE id = 1"), w.all(), w.book(1), w.list(1), w.list(5))
	if n := w.log.count("cacheme"); n != 0 {
		t.Errorf("%d lines in the log, want none", n)
	}
}

func TestNewQueryHook_without_a_cache_logs_it_and_leaves_the_database_alone(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	db := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New()).
		WithQueryHook(bunhooks.NewQueryHook(nil, w.log.option()))
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(background); err != nil {
		t.Error(err)
	}
	if n := w.log.count("level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log, want 1", n)
	}
}

func TestOpen_wraps_the_connections_of_a_driver(t *testing.T) {
	t.Parallel()
	db, err := bunhooks.Open(sqliteshim.ShimName, string(newFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(background); err != nil {
		t.Error(err)
	}
	if c, err := sqltx.Of(background, db); c == nil || err != nil {
		t.Errorf("sqltx.Of(Open()) = %v, %v, want a connector", c, err)
	}
	if _, err := bunhooks.Open("no such driver", ""); err == nil {
		t.Error("Open() of a driver that nobody registered: no error")
	}
}

func TestWarnings_are_told_once_with_the_remedy(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	cache := suite.NewCache(t, suite.Embedded(t).Client(), suite.Patient(cacheme.Options{}), UserChanged{})
	pool := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New())
	pool.RegisterModel((*UserBook)(nil))
	db, err := bunhooks.Install(pool, cache, w.log.option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for range 3 {
		w.must(func() error {
			_, err := db.NewCreateTable().Model((*User)(nil)).IfNotExists().Exec(background)
			return err
		}())
	}
	if n := w.log.count("no invalid node names a join table"); n != 1 {
		t.Errorf("%d warnings of a join table that nobody watches, want 1", n)
	}
	if n := w.log.count("table=user_books"); n != 1 {
		t.Errorf("%d warnings name the table, want 1", n)
	}
}
