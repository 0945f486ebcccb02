-- Holds a key.
--
-- KEYS[1] its hold
-- ARGV[1] how long stores of it are refused from now on, in ms
--
-- Reply   1

-- -2 is absent; -1 is one without an end. A hold is extended, never shortened.
local left = redis.call('PTTL', KEYS[1])
if left ~= -1 and left < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end
return 1
