-- lease takes the right to load an entry, if it is free and nobody has stored another entry since the caller looked, or
-- if it is mine already, or force is 1.
--
-- KEYS[1] lease, KEYS[2] entry (one slot)   ARGV owner, life ms, force, head of the entry that the caller saw
-- Reply: 1 if it is mine now, Redis's time, which is the load's start, the Redis type of what is under the entry's key.
-- Atomic because the start must not be later than the lease, and because a load that ended between the look and the
-- lease would be made once more for nothing. "Mine already" makes a repeated call harmless.
local HEAD = 35 -- envelope.HeadSize
local t = redis.call('TIME')
local now = t[1] .. string.sub('000000' .. t[2], -6)
local holder = redis.pcall('GET', KEYS[1])
-- a lease without a life is nobody's: it would never end
local taken = type(holder) == 'string' and redis.call('PTTL', KEYS[1]) ~= -1
if taken and holder ~= ARGV[1] and ARGV[3] ~= '1' then
  return {0, now, 'none'}
end
local kind = redis.call('TYPE', KEYS[2]).ok
if ARGV[3] ~= '1' and holder ~= ARGV[1] and (kind == 'string' or kind == 'none') then
  local head = ''
  if kind == 'string' then head = redis.call('GETRANGE', KEYS[2], 0, HEAD - 1) end
  if head ~= ARGV[4] then return {0, now, 'none'} end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, now, kind}
