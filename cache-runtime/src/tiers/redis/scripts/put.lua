-- Takes the lease of one key by force, before a put's body runs. Whoever had it cannot store any more.
--
-- KEYS[1] the lease        KEYS[2] the hold
-- ARGV[1] lease record: the 16 bytes of the put's token, then its kind
-- ARGV[2] life of the lease in ms
--
-- Reply   {1, ms}  the lease is the caller's
--         {3, ms}  stores are refused for now; no lease was taken, the put will evict
-- `ms` is this server's time.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

if redis.call('EXISTS', KEYS[2]) == 1 then return {3, now} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, now}
