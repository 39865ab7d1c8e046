-- What every script on a token shares. A token key holds one record:
--
--   t|<epoch>|<time>|<nonce>|<seen>                              a token
--   t|<epoch>|<time>|<nonce>|<seen>|<first>|<base>|<probation>   ... with a past
--   h|<epoch>|<time>|<nonce>|<seen>|<first>|<base>|<probation>|<writer>|<owner>:<deadline>,...
--
-- time, first, probation and deadline are Redis's microseconds in 16 digits, so that they compare as text: numbers
-- lose digits when they become text, and differently so in different Lua engines. nonce and base are 11 characters.
-- first, base and probation are empty where there are none, which keeps most tokens a third smaller.
-- While held (h), time and nonce are the token before. epoch names the run of Redis: a record of another run is
-- missing. seen is 1 once a load adopted the token. first says when what was loaded under the token <base> became
-- wrong; base is ZERO where that is not known. A load that began before probation is not trusted beyond it. writer is
-- the nonce of the last write that made a held token wrong, CLEAN where none did: the token that comes of it has the
-- nonce of that write, whoever ends the hold. The first character of a nonce says what made it: W a write that left a
-- record, N one that did not, L a hold that lapsed, T a load that found no token.
local NEVER, ZERO, CLEAN = '0000000000000000', 'AAAAAAAAAAA', '0'

local function clock()
  local t = redis.call('TIME')
  return t[1] .. string.sub('000000' .. t[2], -6)
end

local function after(us, ms)
  return string.format('%.0f', tonumber(us) + tonumber(ms) * 1000)
end

-- fresh record: nobody has a token here yet, and a hold may have been lost with it
local function blank(now, hold)
  return {state = 't', time = NEVER, nonce = ZERO, seen = '0', first = NEVER, base = ZERO,
          probation = after(now, hold), writer = CLEAN, holders = {}}
end

local function parse(text, epoch)
  if type(text) ~= 'string' then return nil end
  local state, run, time, nonce, seen, past = string.match(text, '^([th])|([^|]*)|(%d+)|([^|]*)|(%d)(.*)$')
  -- of another run, or not of our making: times of other lengths would not compare as text
  if run ~= epoch or #time ~= 16 or #nonce ~= 11 or (state == 'h' and past == '') then return nil end
  local r = {state = state, time = time, nonce = nonce, seen = seen, first = NEVER, base = ZERO,
             probation = NEVER, writer = CLEAN, holders = {}}
  if past ~= '' then
    local held
    local first, base, probation
    first, base, probation, held = string.match(past, '^|(%d*)|([^|]*)|(%d*)(.*)$')
    if not first then return nil end
    if first ~= '' then r.first = first end
    if base ~= '' then r.base = base end
    if probation ~= '' then r.probation = probation end
    if #r.first ~= 16 or #r.base ~= 11 or #r.probation ~= 16 then return nil end
    if state == 'h' then
      local list
      r.writer, list = string.match(held, '^|([^|]*)|(.*)$')
      if not list or (r.writer ~= CLEAN and #r.writer ~= 11) then return nil end
      for owner, deadline in string.gmatch(list, '([^:,]+):(%d+)') do
        if #deadline ~= 16 then return nil end
        r.holders[owner] = deadline
      end
      if next(r.holders) == nil then return nil end -- nothing would ever end such a hold
    elseif held ~= '' then
      return nil
    end
  end
  return r
end

-- pcall: a key of another type is garbage, and garbage is missing
local function read(key, epoch) return parse(redis.pcall('GET', key), epoch) end

local function unless(none, value)
  if value == none then return '' end
  return value
end

local function text(r, epoch)
  local s = r.state .. '|' .. epoch .. '|' .. r.time .. '|' .. r.nonce .. '|' .. r.seen
  if r.state == 't' and r.first == NEVER and r.probation == NEVER then return s end
  s = s .. '|' .. unless(NEVER, r.first) .. '|' .. unless(ZERO, r.base) .. '|' .. unless(NEVER, r.probation)
  if r.state == 't' then return s end
  local holders = {}
  for owner, deadline in pairs(r.holders) do holders[#holders + 1] = owner .. ':' .. deadline end
  return s .. '|' .. r.writer .. '|' .. table.concat(holders, ',')
end

-- A key's life is never shortened: somebody may rely on it.
local function write(key, r, epoch, ttl)
  ttl = math.max(tonumber(ttl), redis.call('PTTL', key))
  redis.call('SET', key, text(r, epoch), 'PX', string.format('%.0f', ttl))
end

-- wrong notes when what was loaded under the current token became wrong. Several invalidations with no load between
-- them count from the first: nobody can hold a value from in between.
local function wrong(r, now)
  if r.seen == '1' or r.first == NEVER then
    r.first, r.base, r.seen = now, r.nonce, '0'
  end
end

-- finish ends the hold with its last holder: what a write made wrong becomes that write's new token, clean the token
-- before.
local function finish(r, now)
  if next(r.holders) ~= nil then return end
  r.state = 't'
  if r.writer ~= CLEAN then
    r.time, r.nonce, r.writer = now, r.writer, CLEAN
  end
end

-- settle removes the holders whose deadline has passed by Redis's own clock. A deadline that passes counts as
-- committed, and nobody knows when: base ZERO, so that nothing older is served stale.
local function settle(r, now, nonce)
  local gone = false
  for owner, deadline in pairs(r.holders) do
    if deadline <= now then
      r.holders[owner] = nil
      gone = true
    end
  end
  if gone then
    r.writer, r.first, r.base, r.seen = 'L' .. string.sub(nonce, 2), now, ZERO, '0'
    finish(r, now)
  end
  return gone
end

-- tell says to near caches that what was read under the token is not to be trusted any more. While it is held they have
-- heard that already, and cannot have come to trust it since. pcall: who may not publish writes all the same; near caches
-- find out by themselves that they do not hear what is published.
local function tell(r, key, channel)
  if r.state ~= 'h' then redis.pcall('PUBLISH', channel, key) end
end
