-- Asks for the right to fill one key.
--
-- KEYS[1] the value        KEYS[2] its lease        KEYS[3] its hold        KEYS[4] its note of a failure
-- KEYS[5] the sweeps under way; in a cluster, where they are not on this server, it is left out
-- ARGV[1] lease record: the 16 bytes of the load's token, then its kind
-- ARGV[2] life of the lease in ms
-- ARGV[3] first 16 bytes of the value the caller cannot use, or '' for none
-- ARGV[4] '1': take the lease whatever value is there, else '0'
-- ARGV[5] '1': the caller waits if another load has the lease, else '0'
-- ARGV[6] '1': the caller has a value to serve while the note of a failure stands, else '0'
--
-- Reply   {0, ms, value}  a value the caller has not seen
--         {1, ms}         the lease is the caller's
--         {2, ms, kind}   another load or put has it
--         {3, ms}         stores are refused for now
--         {4, ms, left}   the origin has failed lately; for so many ms it is left alone
-- `ms` is this server's time. It is read first: a caller who may not read it leaves no lease behind.
--
-- A record whose 18th byte is `w` says that somebody waits: who ends the lease is to announce it. What follows that byte are the sweeps,
-- 16 bytes each, that were under way already: they do not refuse what is loaded under this lease.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A key of another type counts as absent; every other error is raised by asking again.
local function bytes(key, first, last)
  local reply = redis.pcall('GETRANGE', key, first, last)
  if type(reply) == 'string' then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return '' end
  return redis.call('GETRANGE', key, first, last)
end

if ARGV[4] ~= '1' then
  -- Nothing of ours is shorter than a token, so a shorter value is foreign and may be overwritten.
  local token = bytes(KEYS[1], 0, 15)
  if #token == 16 and token ~= ARGV[3] then
    return {0, now, redis.call('GET', KEYS[1])}
  end
end

local lease = ARGV[1]
-- Both are rare, so one look tells of both.
if redis.call('EXISTS', KEYS[3], KEYS[5] or KEYS[3]) > 0 then
  if redis.call('EXISTS', KEYS[3]) == 1 then return {3, now} end
  -- What is no list of sweeps, an error, has no elements; then this lease knows of none.
  local sweeps = redis.pcall('HGETALL', KEYS[5])
  lease = lease .. '-'
  for i = 1, #sweeps, 2 do lease = lease .. sweeps[i] end
end

if ARGV[6] == '1' then
  local left = redis.call('PTTL', KEYS[4])
  if left > 0 then return {4, now, left} end
end

if redis.call('SET', KEYS[2], lease, 'NX', 'PX', ARGV[2]) then return {1, now} end

local record = bytes(KEYS[2], 16, 17)
-- Every lease has a kind and a life: something else here would bar the key for ever.
if record == '' or redis.call('PTTL', KEYS[2]) == -1 then
  redis.call('SET', KEYS[2], lease, 'PX', ARGV[2])
  return {1, now}
end
if ARGV[5] == '1' and (record == 'l' or record == 'l-') then
  -- An account that may not do this is woken by its own clock.
  redis.pcall('SETRANGE', KEYS[2], 17, 'w')
end
return {2, now, string.sub(record, 1, 1)}
