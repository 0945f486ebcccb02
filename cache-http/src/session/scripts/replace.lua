-- Takes a user's mark away, and every session of the user's with it.
--
-- KEYS[1] the user's mark        KEYS[2] the user's list
-- ARGV[1] what the mark has to be, or '' for anything        ARGV[2] what it is from now on, or '' for nothing
-- ARGV[3] the session that stays on the list, or ''
--
-- Reply   {sessions…}  those that were on the list, without the one that stays
--         nil          the mark is another

local mark = redis.call('GET', KEYS[1])
if ARGV[1] ~= '' and mark ~= ARGV[1] then return false end
if ARGV[2] == '' then
  redis.call('UNLINK', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
end
local listed, gone = redis.call('ZRANGE', KEYS[2], 0, -1), {}
for _, session in ipairs(listed) do
  if session ~= ARGV[3] then
    gone[#gone + 1] = session
    redis.call('ZREM', KEYS[2], session)
  end
end
return gone
