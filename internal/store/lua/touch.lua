-- touch reads a token for a load: it settles a lapsed hold, creates the token where it is missing, notes that a load
-- adopted it, and extends its life to what the entry will need.
--
-- KEYS[1] token   ARGV epoch, nonce for a new token, life ms, hold ms, ms by which the caller wrote a probation too short
-- Reply: the record, 1 if it was created here, Redis's time.
-- Atomic because between the look and the write a writer could invalidate, and the token would be written over.
local epoch, nonce, life, hold, short = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now = clock()
local r = read(KEYS[1], epoch)
local created, changed = 0, false
if r then changed = settle(r, now, nonce) end
if not r or (r.state == 't' and r.time == NEVER) then
  r = r or blank(now, hold)
  r.time, r.nonce = now, nonce
  created = 1
end
if short ~= '0' and created == 0 and r.probation > now then
  r.probation, changed = after(r.probation, short), true
end
if r.state == 't' and r.seen == '0' then
  r.seen, changed = '1', true
end
if created == 1 or changed then
  write(KEYS[1], r, epoch, life)
elseif redis.call('PTTL', KEYS[1]) < tonumber(life) then
  redis.call('PEXPIRE', KEYS[1], life)
end
return {text(r, epoch), created, now}
