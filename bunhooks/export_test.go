package bunhooks

// Told notes that Redis has been told of a row, as a COMMIT does.
func (o *Outbox) Told(id string) { o.told(id) }
