-- Reads a session, and remembers that it was read.
--
-- KEYS[1] the session: a hash of d (data), v (how often it was written), w (by which store last), c and s (when it was created and last seen, ms),
--         and, where it has a user, u (who), g and n (the marks of which one has to be the user's); or x alone, where one was ended
-- ARGV[1] how many ms late the last sight may be noted
--
-- Reply   {d, ms left, v, u, g, n}, with '' for what it has not
--         {}  there is none

local it = redis.call('HMGET', KEYS[1], 'd', 'v', 's', 'u', 'g', 'n')
if not it[1] then return {} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if now - tonumber(it[3] or 0) >= tonumber(ARGV[1]) then
  -- A session is readable where nothing can be written.
  redis.pcall('HSET', KEYS[1], 's', string.format('%.0f', now))
end
return {it[1], redis.call('PTTL', KEYS[1]), tonumber(it[2]), it[4] or '', it[5] or '', it[6] or ''}
