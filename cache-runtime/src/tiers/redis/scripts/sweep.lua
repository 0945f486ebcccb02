-- Begins a sweep: until it ends, what was loaded before is not stored where it may mean the key.
--
-- KEYS[1] the sweeps under way
-- ARGV[1] 16 random bytes that name it        ARGV[2] what the names of all values begin with that it can mean
-- ARGV[3] how long it is heeded from now on at least, in ms
--
-- Reply   1, or 0 if there are too many under way
--
-- One that ends abruptly leaves its field. It refuses nothing that is loaded later, and goes with the others when they rest.

local MOST = 32

if redis.call('HLEN', KEYS[1]) >= MOST then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
