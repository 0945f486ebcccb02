-- Gives leases back, those that still stand, and tells who waits for one. Deletes only, so it works when memory is full.
--
-- KEYS[i]  a lease
-- ARGV[1]  the channel
-- ARGV[2i] the 16 bytes of the token it was taken with        ARGV[2i+1] what is said there
--
-- Reply   how many were given back

local given = 0
for i, lease in ipairs(KEYS) do
  local reply = redis.pcall('GETRANGE', lease, 0, 17)
  if type(reply) ~= 'string' and not string.find(reply.err, 'WRONGTYPE', 1, true) then return reply end
  if type(reply) == 'string' and string.sub(reply, 1, 16) == ARGV[2 * i] then
    given = given + redis.call('DEL', lease)
    if #reply > 17 then redis.pcall('PUBLISH', ARGV[1], ARGV[2 * i + 1]) end
  end
end
return given
