-- watch keeps the record by which all processes see that Redis lost nothing, and agree on the hold time:
--
--   <since us>|<epoch>|<evicted keys>|<hold ms>
--
-- While epoch and the server's count of evicted keys stay the same and this key lives, nothing has been lost since
-- <since>: a flush takes the key away, an eviction changes the count, a restart changes the epoch.
--
-- KEYS[1] record   ARGV epoch, evicted keys, hold ms, life ms
-- Reply: since, the greater hold ms, Redis's time.
-- Atomic because two processes may find a change at once, and the greater hold must win.
local t = redis.call('TIME')
local now = t[1] .. string.sub('000000' .. t[2], -6)
local since, hold = now, tonumber(ARGV[3])
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'string' then
  local s, epoch, evicted, h = string.match(record, '^(%d+)|([^|]*)|(%-?%d+)|(%d+)$')
  if s then
    hold = math.max(hold, tonumber(h))
    if epoch == ARGV[1] and evicted == ARGV[2] then since = s end
  end
end
redis.call('SET', KEYS[1], since .. '|' .. ARGV[1] .. '|' .. ARGV[2] .. '|' .. string.format('%.0f', hold), 'PX', ARGV[4])
return {since, string.format('%.0f', hold), now}
