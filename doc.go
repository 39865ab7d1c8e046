// Package cacheme is a declarative cache for services that use bun and Redis.
package cacheme
