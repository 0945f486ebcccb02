-- Gives a lease back, if it still stands, and tells who waits for it. Deletes only, so it works when memory is full.
--
-- KEYS[1] the lease
-- ARGV[1] the channel        ARGV[2] the 16 bytes of the token it was taken with        ARGV[3] what is said there
--
-- Reply   1, or 0 if it did not stand any more

local reply = redis.pcall('GETRANGE', KEYS[1], 0, 17)
if type(reply) ~= 'string' then
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return 0 end
  return reply
end
if string.sub(reply, 1, 16) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
if string.sub(reply, 18, 18) == 'w' then redis.pcall('PUBLISH', ARGV[1], ARGV[3]) end
return 1
