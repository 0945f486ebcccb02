-- Marks values as past their ttl.
--
-- KEYS[i] a value
--
-- Reply   how many there were

local marked = 0
for _, value in ipairs(KEYS) do
  local magic = redis.pcall('GETRANGE', value, 16, 17)
  if magic == '\202\196' and redis.call('STRLEN', value) > 21 then
    local set = redis.pcall('SETRANGE', value, 21, '\1')
    -- Refused when memory is full: then it goes.
    if type(set) == 'table' and set.err then redis.call('UNLINK', value) end
    marked = marked + 1
  end
end
return marked
