package store

// ParseRecord is the parser of what the scripts write.
func ParseRecord(text string, epoch Epoch, now uint64) Dependency {
	return parseRecord(text, epoch, now)
}
