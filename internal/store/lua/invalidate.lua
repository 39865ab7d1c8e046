-- invalidate gives a dependency a new token, or makes a held one wrong.
--
-- KEYS[1] token   ARGV epoch, nonce, hold ms, channel of near caches
-- Reply: the record, Redis's time.
-- Atomic because a hold may be placed or released meanwhile. A probation that runs goes on: what is known of one
-- lost hold says nothing about another.
local epoch, nonce, hold = ARGV[1], ARGV[2], ARGV[3]
local now = clock()
local r = read(KEYS[1], epoch)
if r then settle(r, now, nonce) else r = blank(now, hold) end
tell(r, KEYS[1], ARGV[4])
wrong(r, now)
if r.state == 'h' then
  r.writer = nonce
else
  r.time, r.nonce = now, nonce
end
write(KEYS[1], r, epoch, 2 * tonumber(hold))
return {text(r, epoch), now}
