-- Tells of a session without counting as a sight of it.
--
-- KEYS[1] the session
--
-- Reply   {u, g, n, created, seen, ms left, now}, with '' for what it has not
--         {}  there is none

local it = redis.call('HMGET', KEYS[1], 'v', 'u', 'g', 'n', 'c', 's')
if not it[1] then return {} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
return {it[2] or '', it[3] or '', it[4] or '', tonumber(it[5] or 0), tonumber(it[6] or 0), redis.call('PTTL', KEYS[1]), now}
