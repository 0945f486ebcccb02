-- Evicts or expires entries: value (or only its freshness) and lease go, so no load that runs now can store.
--
-- KEYS[4i-3] a value   KEYS[4i-2] its lease   KEYS[4i-1] its note of a failure   KEYS[4i] its hold
-- ARGV[1]    '1': the values stay and count as past their ttl, else '0'
-- ARGV[2]    the channel        ARGV[3] what is said there, '' for nothing
-- ARGV[i+3]  how long stores of it are refused from now on in ms, 0 for not at all
--
-- Reply   how many values and leases there were
--
-- All deletions come before the first write: a server that is out of memory refuses a script's first
-- write, and lets it write once it has deleted.

local EXPIRED_AT = 21

local function expire(value)
  local magic = redis.pcall('GETRANGE', value, 16, 17)
  if magic == '\202\196' and redis.call('STRLEN', value) > EXPIRED_AT then
    local set = redis.pcall('SETRANGE', value, EXPIRED_AT, '\1')
    if type(set) == 'table' and set.err then redis.call('UNLINK', value) end
  end
end

local gone = 0
for i = 1, #KEYS, 4 do
  gone = gone + redis.call('UNLINK', KEYS[i + 1], KEYS[i + 2])
  if ARGV[1] == '1' then
    expire(KEYS[i])
  else
    gone = gone + redis.call('UNLINK', KEYS[i])
  end
end

for i = 1, #KEYS / 4 do
  local hold = ARGV[i + 3]
  local wanted = tonumber(hold)
  if wanted > 0 then
    -- -2 is absent; -1 is one without an end. A hold is extended, never shortened.
    local left = redis.call('PTTL', KEYS[4 * i])
    if left ~= -1 and left < wanted then
      redis.call('SET', KEYS[4 * i], '', 'PX', hold)
    end
  end
end

if ARGV[3] ~= '' then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return gone
