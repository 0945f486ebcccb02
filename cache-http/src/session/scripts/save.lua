-- Writes a session that is there, and never one that is not: what was deleted or revoked while a request had it in hand stays away.
--
-- KEYS[1] the session
-- ARGV[1] data        ARGV[2] life in ms
-- ARGV[3] its user from now on, or '' for none        ARGV[4] that user's mark; '': the session has to be this user's already
-- ARGV[5] how often it has to have been written, or ''        ARGV[6] the store that writes: what it has written itself is nobody else's,
--         even if it has not heard that it was written
--
-- Reply   {1, n}  written, n times now
--         {0}     there is none
--         {2}     another store has written it since
--         {3}     it is another's, or nobody's

local it = redis.call('HMGET', KEYS[1], 'v', 'u', 'w')
if not it[1] then return {0} end
if ARGV[5] ~= '' and it[1] ~= ARGV[5] and it[3] ~= ARGV[6] then return {2} end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], 'u', 'g', 'n')
elseif ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'u', ARGV[3], 'g', ARGV[4])
  redis.call('HDEL', KEYS[1], 'n')
elseif it[2] ~= ARGV[3] then
  return {3}
end
redis.call('HSET', KEYS[1], 'd', ARGV[1], 'w', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, redis.call('HINCRBY', KEYS[1], 'v', 1)}
