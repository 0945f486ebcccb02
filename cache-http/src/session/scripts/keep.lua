-- Lets a session outlive the next change of its user's mark. Marks are random: one that has this mark is this user's.
--
-- KEYS[1] the session
-- ARGV[1] the user's mark        ARGV[2] what the mark will be
--
-- Reply   1  it will
--         0  there is none that is alive by this mark

local it = redis.call('HMGET', KEYS[1], 'g', 'n')
if it[1] ~= ARGV[1] and it[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'g', ARGV[1], 'n', ARGV[2])
return 1
