-- Takes the lease of one key by force, before a put's body runs. Whoever had it cannot store any more.
--
-- KEYS[1] the lease        KEYS[2] the hold        KEYS[3] the sweeps under way, as in acquire.lua
-- ARGV[1] lease record: the 16 bytes of the put's token, then its kind
-- ARGV[2] life of the lease in ms
--
-- Reply   {1, ms}  the lease is the caller's
--         {3, ms}  stores are refused for now; no lease was taken, the put will evict
-- `ms` is this server's time.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local lease = ARGV[1]
if redis.call('EXISTS', KEYS[2], KEYS[3] or KEYS[2]) > 0 then
  if redis.call('EXISTS', KEYS[2]) == 1 then return {3, now} end
  local sweeps = redis.pcall('HGETALL', KEYS[3])
  lease = lease .. '-'
  for i = 1, #sweeps, 2 do lease = lease .. sweeps[i] end
end
redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
return {1, now}
