-- release ends a hold with the outcome of its transaction.
--
-- KEYS[1] token   ARGV epoch, nonce, owner, hold ms, outcome: commit | rollback | doubt, channel of near caches
-- Reply: the record, or an empty text where no token is left; Redis's time.
-- Atomic because other holders, the last write and the token before are judged together. A commit that finds its hold gone
-- invalidates all the same: somebody may have loaded and stored since. A rollback that finds it gone does nothing.
-- A doubt is a COMMIT without an answer: certainly dirty, but held to its deadline, since it may yet arrive.
local epoch, nonce, owner, hold, outcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now = clock()
local r = read(KEYS[1], epoch)
local mine = r ~= nil and r.holders[owner] ~= nil
if outcome == 'rollback' and not mine then
  return {r and text(r, epoch) or '', now}
end
r = r or blank(now, hold)
if outcome ~= 'rollback' then
  tell(r, KEYS[1], ARGV[6])
  wrong(r, now)
  r.writer = nonce
end
if outcome == 'doubt' then
  r.state = 'h'
  if not mine then r.holders[owner] = after(now, hold) end
else
  r.holders[owner] = nil
  finish(r, now)
end
if r.state == 't' and r.time == NEVER then
  redis.call('DEL', KEYS[1]) -- the token before was no token
  return {'', now}
end
write(KEYS[1], r, epoch, 2 * tonumber(hold))
return {text(r, epoch), now}
