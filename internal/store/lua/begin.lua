-- begin takes the right to load entries, and reads the tokens for their loads.
--
-- It takes a lease if it is free and nobody has stored another entry since the caller looked, or if it is his already, or
-- by force. Of a token it settles a lapsed hold, creates it where it is missing, notes that a load adopted it, and extends
-- its life to what the entry will need.
--
-- KEYS lease and entry of each load, then the tokens (one slot on a cluster)
-- ARGV number of loads, epoch, nonce for new tokens, hold ms, ms by which the caller wrote probations too short;
--      of each load: owner, life ms, force 1 or 0, head of the entry that the caller saw;
--      of each token: life ms, negative where the caller knows that it lives that long if it is there
-- Reply: Redis's time, which is the start of the loads; the record of tokens created here; of each load 0 if the lease was
-- refused, 1 if it is the caller's, 2 if it is and what is under the entry's key is nothing, or of another Redis type; of each token its
-- record, or 0 if it was created here; its life ms, 0 where that was not asked for.
-- Atomic because a start must not be later than its lease, because a load that ended between the look and the lease
-- would be made once more for nothing, and because between the look at a token and its writing a writer could
-- invalidate, and would be written over. "His already" makes a repeated call harmless.
local HEAD = 35 -- envelope.HeadSize
local SPARE = 8 -- a life that is extended is extended by an eighth of itself more, so that the next loads need not
local loads, epoch, nonce, hold, short = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now = clock()
local asked, entries = {}, {}
for i = 1, loads do asked[i], entries[i] = KEYS[2 * i - 1], KEYS[2 * i] end
for i = 2 * loads + 1, #KEYS do asked[#asked + 1] = KEYS[i] end
local found = redis.call('MGET', unpack(asked))
local empty = loads == 0 or redis.call('EXISTS', unpack(entries)) == 0

local given = {} -- leases that this call has given: two of its loads may want one entry

-- A lease without an end is nobody's, nor is one with an end that is far beyond that of any loader's: somebody else wrote it, or
-- the clock was set back under it, and whoever is alive renews his.
local FAR = 20 -- times the caller's own; processes may differ
local function believable(left, own) return left ~= -1 and left <= FAR * own end

local function lease(i)
  local key, at = KEYS[2 * i - 1], 4 * i + 2
  local owner, force, seen = ARGV[at], ARGV[at + 2] == '1', ARGV[at + 3]
  local holder, marks = ownerOf(given[key] or found[i])
  local taken = holder ~= '' and (given[key] or believable(redis.call('PTTL', key), tonumber(ARGV[at + 1])))
  if taken and holder ~= owner and not force then return 0 end
  local head = ''
  if not empty then head = redis.pcall('GETRANGE', entries[i], 0, HEAD - 1) end
  -- an empty text is no entry either, and no look tells it from a key that is not there
  local garbage = type(head) ~= 'string' or head == '' and not empty and redis.call('EXISTS', entries[i]) == 1
  if not force and holder ~= owner and not garbage then
    if head ~= seen then return 0 end
  end
  given[key] = owner .. marks
  redis.call('SET', key, given[key], 'PX', ARGV[at + 1])
  return garbage and 2 or 1
end

local fresh = blank(now, hold) -- the token that is created where one is missing
fresh.time, fresh.nonce, fresh.seen = now, nonce, '1'
fresh = text(fresh, epoch)

local function touch(key, record, life)
  local r, changed, left = parse(record, epoch), false, 0
  local known = string.sub(life, 1, 1) == '-'
  if known then life = string.sub(life, 2) end
  if not r or (r.state == 't' and r.time == NEVER) then
    redis.call('SET', key, fresh, 'PX', life)
    return 0, 0
  end
  changed = settle(r, now, nonce)
  if short ~= '0' and r.probation > now then
    r.probation, changed = after(r.probation, short), true
  end
  if r.state == 't' and r.seen == '0' then
    r.seen, changed = '1', true
  end
  if not known then
    left = redis.call('PTTL', key)
    if left < tonumber(life) then
      left = math.floor(life + life / SPARE)
      if not changed then redis.call('PEXPIRE', key, string.format('%.0f', left)) end
    end
  end
  if changed then
    record = text(r, epoch)
    if known then
      redis.call('SET', key, record, 'KEEPTTL')
    else
      redis.call('SET', key, record, 'PX', string.format('%.0f', left))
    end
  end
  return record, left
end

local taken, records, lives = {}, {}, {}
for i = 1, loads do taken[i] = lease(i) end
for i = 1, #KEYS - 2 * loads do
  records[i], lives[i] = touch(KEYS[2 * loads + i], found[loads + i], ARGV[5 + 4 * loads + i])
end
return {now, fresh, taken, records, lives}
