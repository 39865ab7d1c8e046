-- wait marks a lease: whoever ends it is to tell so.
--
-- KEYS[1] lease
-- Reply: 1 if somebody has it.
-- Atomic because a mark on a lease that has just ended would make a key that never ends.
if ownerOf(redis.pcall('GET', KEYS[1])) == '' then return 0 end
redis.call('APPEND', KEYS[1], MARK)
return 1
