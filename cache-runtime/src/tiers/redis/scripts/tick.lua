-- Moves the logical clock on, for who keeps labels elsewhere.
--
-- KEYS[1] the logical clock
-- ARGV[1] an era, should the clock be lost        ARGV[2] by how much, 0 to read it
--
-- Reply   `era:n`, as it is now

local clock = redis.pcall('GET', KEYS[1])
local era, n = string.match(type(clock) == 'string' and clock or '', '^(%x+):(%d+)$')
if era and ARGV[2] == '0' then return clock end
if not era then era, n = ARGV[1], 0 end
clock = era .. ':' .. string.format('%.0f', n + ARGV[2])
redis.call('SET', KEYS[1], clock)
return clock
