-- Marks a value as past its ttl.
--
-- KEYS[1] the value
--
-- Reply   1, or 0 if it is no value of ours

local magic = redis.pcall('GETRANGE', KEYS[1], 16, 17)
if magic ~= '\202\196' or redis.call('STRLEN', KEYS[1]) <= 21 then return 0 end
local set = redis.pcall('SETRANGE', KEYS[1], 21, '\1')
-- Refused when memory is full: then it goes.
if type(set) == 'table' and set.err then redis.call('UNLINK', KEYS[1]) end
return 1
