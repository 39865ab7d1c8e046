-- What every script on a lease shares. A lease holds the name of its owner, and behind it a mark for each process that
-- waits to hear of its end.
local MARK = '!'

-- ownerOf returns who has a lease and the marks of those who wait; '' and '' where nobody has it. A key of another type is
-- garbage, and garbage is missing.
local function ownerOf(lease)
  if type(lease) ~= 'string' then return '', '' end
  return string.match(lease, '^([^!]*)(.*)$')
end
