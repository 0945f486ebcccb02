-- Evicts entries: value and lease go, so no load that runs now can store.
--
-- KEYS[3i-2] a value       KEYS[3i-1] its lease       KEYS[3i] its hold
-- ARGV[i]    how long stores of it are refused from now on in ms, 0 for not at all
--
-- Reply   how many values and leases there were
--
-- All deletions come before the first write: a server that is out of memory refuses a script's first
-- write, and lets it write once it has deleted.

local gone = 0
for i = 1, #KEYS, 3 do
  gone = gone + redis.call('UNLINK', KEYS[i], KEYS[i + 1])
end

for i, hold in ipairs(ARGV) do
  local wanted = tonumber(hold)
  if wanted > 0 then
    -- -2 is absent; -1 is one without an end. A hold is extended, never shortened.
    local left = redis.call('PTTL', KEYS[3 * i])
    if left ~= -1 and left < wanted then
      redis.call('SET', KEYS[3 * i], '', 'PX', hold)
    end
  end
end
return gone
