-- Prolongs a lease, if it still stands.
--
-- KEYS[1] the lease
-- ARGV[1] the 16 bytes of the load's token        ARGV[2] new life in ms
--
-- Reply   1  prolonged
--         0  the lease is gone or another's

local reply = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(reply) ~= 'string' and not string.find(reply.err, 'WRONGTYPE', 1, true) then return reply end
if reply ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
