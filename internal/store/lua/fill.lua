-- fill stores loaded entries and gives their leases back, each only if its lease is still mine, and tells those who wait
-- in other processes.
--
-- KEYS entry and lease of each (one slot on a cluster)
-- ARGV channel of those who wait, channel of near caches; of each: owner, store 0, 1, or 2 where near caches have to drop
-- what they have, entry, life ms, until us or 0
-- Reply: of each 0 if the lease was not mine, 1 if it was and nothing was stored, 2 if the entry was stored.
-- Atomic because a removal, a flush, an eviction or a takeover takes the lease away, and what was loaded before it
-- must not come back. Never "add if absent": a flush would let an old value in.
local leases, ended, told, reply = {}, {}, {}, {}
for i = 2, #KEYS, 2 do leases[#leases + 1] = KEYS[i] end

local now
local function left(life, till)
  if till == '0' then return life end
  now = now or redis.call('TIME')
  return math.min(life, math.floor((tonumber(till) - (tonumber(now[1]) * 1000000 + tonumber(now[2]))) / 1000))
end

local function fill(i, lease)
  local key, at = KEYS[2 * i - 1], 5 * i - 2
  local holder, marks = ownerOf(lease)
  if holder ~= ARGV[at] then return 0 end
  ended[#ended + 1] = KEYS[2 * i]
  if marks ~= '' then told[#told + 1] = key end
  if ARGV[at + 1] == '0' then return 1 end
  local life = left(tonumber(ARGV[at + 3]), ARGV[at + 4])
  if life < 1 then return 1 end
  redis.call('SET', key, ARGV[at + 2], 'PX', string.format('%.0f', life))
  if ARGV[at + 1] == '2' then redis.pcall('PUBLISH', ARGV[2], key) end
  return 2
end

for i, lease in ipairs(redis.call('MGET', unpack(leases))) do reply[i] = fill(i, lease) end
if #ended > 0 then redis.call('DEL', unpack(ended)) end
for _, key in ipairs(told) do redis.call('PUBLISH', ARGV[1], key) end
return reply
