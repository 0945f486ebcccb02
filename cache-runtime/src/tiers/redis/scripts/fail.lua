-- Gives a lease back after a load that failed, and notes that it did, if the lease still stands.
--
-- KEYS[1] the lease        KEYS[2] the note of a failure
-- ARGV[1] the 16 bytes of the load's token        ARGV[2] life of the note in ms
-- ARGV[3] the channel                             ARGV[4] what is said there if somebody waits for the lease
--
-- Reply   1  given back, and noted if that was not refused
--         0  the lease is gone or another's: nothing noted
--
-- The deletion comes first: a server that is out of memory lets a script write once it has deleted.

local reply = redis.pcall('GETRANGE', KEYS[1], 0, 17)
if type(reply) ~= 'string' then
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return 0 end
  return reply
end
if string.sub(reply, 1, 16) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.pcall('SET', KEYS[2], '', 'PX', ARGV[2])
if string.sub(reply, 18, 18) == 'w' then redis.pcall('PUBLISH', ARGV[3], ARGV[4]) end
return 1
