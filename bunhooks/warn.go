package bunhooks

import (
	"log/slog"
	"sync"
)

// warner tells each thing once, however often it happens. A logger that panics does not harm the write that it tells of.
type warner struct {
	logger *slog.Logger
	told   sync.Map
}

func (w *warner) once(what, message string, args ...any) {
	if _, told := w.told.LoadOrStore(what, true); !told {
		defer func() { _ = recover() }()
		w.logger.Warn(message, args...)
	}
}
