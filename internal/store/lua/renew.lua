-- renew extends a lease that is still mine.
--
-- KEYS[1] lease   ARGV owner, life ms
-- Reply: 1 if it was mine.
-- Atomic because another owner's lease must not be touched.
local holder = ownerOf(redis.pcall('GET', KEYS[1]))
if holder ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
