-- Frees a value that is dead, unless another was stored meanwhile.
--
-- KEYS[1] the value
-- ARGV[1] the 16 bytes of its token
--
-- Reply   1, or 0 if it was another

if redis.pcall('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
