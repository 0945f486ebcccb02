-- Stores a loaded value, if the lease it was loaded under still stands.
--
-- KEYS[1] the value        KEYS[2] its lease        KEYS[3] its hold        KEYS[4] its note of a failure
-- KEYS[5] the sweeps under way; in a cluster, where they are not on this server, it is left out
-- ARGV[1] the 16 bytes of the load's token
-- ARGV[2] schema version of the new value
-- ARGV[3] life of the value in ms
-- ARGV[4] the envelope
-- ARGV[5] the channel      ARGV[6] what is said there
-- ARGV[7] '1': it is said to everybody; '0': only if somebody waits for the lease
--
-- Reply   1  stored, lease given back
--         0  the lease is gone or another's, or older than a sweep that may mean this key: nothing stored
--         2  an entry of a higher schema version is there: nothing stored, lease given back
--         3  stores are refused for now: nothing stored, lease given back

-- A key of another type counts as absent; every other error is raised by asking again.
local function bytes(key, first, last)
  local reply = redis.pcall('GETRANGE', key, first, last)
  if type(reply) == 'string' then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return '' end
  return redis.call('GETRANGE', key, first, last)
end

-- An eviction deletes the lease, so this comparison is what keeps a value loaded before it out.
local lease = bytes(KEYS[2], 0, -1)
if string.sub(lease, 1, 16) ~= ARGV[1] then return 0 end
local awaited = string.sub(lease, 18, 18) == 'w'

local function give_back(tell)
  redis.call('DEL', KEYS[2])
  -- Whoever may not publish may store all the same.
  if tell then redis.pcall('PUBLISH', ARGV[5], ARGV[6]) end
end

-- A sweep looks at each key once. It may have looked for this value already and not yet for this lease, so what was loaded before it
-- began is not stored while it runs. A field is the sweep, and its value what all keys begin with that it can mean.
local function is_older_than_a_sweep()
  local sweeps = redis.pcall('HGETALL', KEYS[5])
  -- What is of another type is no sweep's; what may not be read might be one.
  if sweeps.err then return not string.find(sweeps.err, 'WRONGTYPE', 1, true) end
  for i = 1, #sweeps, 2 do
    local begins = string.sub(KEYS[1], 1, #sweeps[i + 1]) == sweeps[i + 1]
    if begins and not string.find(lease, sweeps[i], 19, true) then return true end
  end
  return false
end

-- Both are rare, so one look tells of both.
if redis.call('EXISTS', KEYS[3], KEYS[5] or KEYS[3]) > 0 then
  if redis.call('EXISTS', KEYS[3]) == 1 then
    give_back(awaited)
    return 3
  end
  if is_older_than_a_sweep() then
    give_back(awaited)
    return 0
  end
end

-- The envelope: a token of 16 bytes, magic CA C4, and at 22 the schema version, four bytes, high first.
local header = bytes(KEYS[1], 16, 25)
if #header == 10 and string.sub(header, 1, 2) == '\202\196' then
  local a, b, c, d = string.byte(header, 7, 10)
  if ((a * 256 + b) * 256 + c) * 256 + d > tonumber(ARGV[2]) then
    give_back(awaited)
    return 2
  end
end

redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
-- The origin has answered. Not before the first write: a server that is out of memory lets a script write that has deleted.
redis.call('DEL', KEYS[4])
give_back(awaited or ARGV[7] == '1')
return 1
