-- Frees values that are dead, unless another was stored meanwhile.
--
-- KEYS[i] a value
-- ARGV[i] the 16 bytes of its token
--
-- Reply   how many are gone

local gone = 0
for i, value in ipairs(KEYS) do
  if redis.pcall('GETRANGE', value, 0, 15) == ARGV[i] then gone = gone + redis.call('UNLINK', value) end
end
return gone
