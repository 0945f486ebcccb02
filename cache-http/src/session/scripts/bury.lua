-- Deletes a session so that it is not created for a while: what a connection that is gone has asked of this server may still be carried out.
--
-- KEYS[1] the session
-- ARGV[1] whose it has to be, if there is one, or '' for anybody's        ARGV[2] for how many ms
--
-- Reply   {u, g, n}  what it had, with '' for what it had not
--         {}         there is none, or it is another's

local it = redis.call('HMGET', KEYS[1], 'v', 'u', 'g', 'n')
if it[1] and ARGV[1] ~= '' and it[2] ~= ARGV[1] then return {} end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'x', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if not it[1] then return {} end
return {it[2] or '', it[3] or '', it[4] or ''}
