-- Creates a session, if there is none of its name.
--
-- KEYS[1] the session
-- ARGV[1] data        ARGV[2] life in ms        ARGV[3] its user, or ''        ARGV[4] the user's mark, or ''
-- ARGV[5] the store that writes
--
-- Reply   1  created
--         0  there is one, or was

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
redis.call('HSET', KEYS[1], 'd', ARGV[1], 'v', 1, 'w', ARGV[5], 'c', now, 's', now)
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'u', ARGV[3], 'g', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
