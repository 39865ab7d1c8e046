-- fill stores a loaded entry and gives the lease back, only if the lease is still mine.
--
-- KEYS[1] entry, KEYS[2] lease (one slot)   ARGV owner, store 1 or 0, entry, life ms, until us or 0
-- Reply: 1 if the lease was mine, 1 if the entry was stored.
-- Atomic because a removal, a flush, an eviction or a takeover takes the lease away, and what was loaded before it
-- must not come back. Never "add if absent": a flush would let an old value in.
local holder = redis.pcall('GET', KEYS[2])
if holder ~= ARGV[1] then return {0, 0} end
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '1' then return {1, 0} end
local life = tonumber(ARGV[4])
if ARGV[5] ~= '0' then
  local t = redis.call('TIME')
  life = math.min(life, math.floor((tonumber(ARGV[5]) - (tonumber(t[1]) * 1000000 + tonumber(t[2]))) / 1000))
end
if life < 1 then return {1, 0} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', string.format('%.0f', life))
return {1, 1}
