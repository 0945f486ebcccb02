-- Deletes a session.
--
-- KEYS[1] the session
-- ARGV[1] whose it has to be, or '' for anybody's
--
-- Reply   {u, g, n}  what it had, with '' for what it had not
--         {}         there is none, or it is another's

local it = redis.call('HMGET', KEYS[1], 'v', 'u', 'g', 'n')
if not it[1] or (ARGV[1] ~= '' and it[2] ~= ARGV[1]) then return {} end
redis.call('UNLINK', KEYS[1])
return {it[2] or '', it[3] or '', it[4] or ''}
