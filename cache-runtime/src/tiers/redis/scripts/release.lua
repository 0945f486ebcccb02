-- Gives leases back, those that still stand. Deletes only, so it works when memory is full.
--
-- KEYS[i] a lease
-- ARGV[i] the 16 bytes of the token it was taken with
--
-- Reply   how many were given back

local given = 0
for i, lease in ipairs(KEYS) do
  local reply = redis.pcall('GETRANGE', lease, 0, 15)
  if type(reply) ~= 'string' and not string.find(reply.err, 'WRONGTYPE', 1, true) then return reply end
  if reply == ARGV[i] then given = given + redis.call('DEL', lease) end
end
return given
