package crash

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Row is what the processes write.
type Row struct {
	bun.BaseModel `bun:"table:crash_rows"`

	ID      int64 `bun:",pk"`
	Version int64 `bun:",notnull"`
}

// RowVersion is the version of a row, 0 if there is none.
type RowVersion struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (RowVersion) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "version:<id>", TTL: 10 * time.Minute}
}

// InvalidNodes names the row.
func (v RowVersion) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{RowChanged{ID: v.ID}} }

// RowChanged is one row.
type RowChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (RowChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Row)(nil)} }

func declarations() []cacheme.Declaration { return []cacheme.Declaration{RowVersion{}, RowChanged{}} }

func versionOf(ctx context.Context, db bun.IDB, id int64) (version int64, err error) {
	err = db.NewSelect().Model((*Row)(nil)).Column("version").Where("id = ?", id).Scan(ctx, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// write gives the rows of a deed a version.
func write(ctx context.Context, db bun.IDB, first, version int64) error {
	_, err := db.NewUpdate().Model((*Row)(nil)).Set("version = ?", version).
		Where("id >= ?", first).Where("id < ?", first+RowsOfDeed).Exec(ctx)
	return err
}
