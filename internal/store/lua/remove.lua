-- remove takes an entry away, and with it its lease, so that a load under way cannot store what it loaded before.
--
-- KEYS[1] entry, KEYS[2] lease (one slot)   ARGV channel of near caches
-- Reply: 1 if there was an entry.
-- Atomic because near caches have to hear of what was removed, whoever dies meanwhile.
redis.call('UNLINK', KEYS[2])
local removed = redis.call('UNLINK', KEYS[1])
redis.pcall('PUBLISH', ARGV[1], KEYS[1])
return removed
