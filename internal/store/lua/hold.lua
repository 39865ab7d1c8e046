-- hold adds a holder to a token, or renews it. Until it is released or lapses the token equals nothing.
--
-- KEYS[1] token   ARGV epoch, nonce, owner, hold ms, channel of near caches
-- Reply: the record, Redis's time.
-- Atomic because the token before and the other holders must survive. The key outlives its deadline by a hold time.
local epoch, nonce, owner, hold = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now = clock()
local r = read(KEYS[1], epoch)
if r then settle(r, now, nonce) else r = blank(now, hold) end
tell(r, KEYS[1], ARGV[5])
r.state = 'h'
r.holders[owner] = after(now, hold)
write(KEYS[1], r, epoch, 2 * tonumber(hold))
return {text(r, epoch), now}
