-- A sign of life, through the server and back.
--
-- KEYS[1] the server's memory of the beats: as long as it is there, nothing was lost
-- ARGV[1] 16 random bytes, should it be lost        ARGV[2] the caller's own channel        ARGV[3] what is said there
--
-- Reply   what the server remembers
--
-- It writes each time, so that a server that has become a replica refuses. The first write is one that needs no memory: a server
-- that is out of it refuses the SET of a script's first write, and the caches of a full server are to hear of each other all the same.
-- A refused message is an error here, because who may not publish cannot be heard either.

redis.call('PEXPIRE', KEYS[1], 86400000)
local known = redis.pcall('GET', KEYS[1])
if type(known) ~= 'string' then
  known = ARGV[1]
  redis.call('SET', KEYS[1], known, 'PX', 86400000)
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return known
