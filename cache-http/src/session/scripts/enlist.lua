-- Puts a session on its user's list, before the session itself is written: who revokes all finds it there, or the mark gone that it is written with.
--
-- KEYS[1] the user's mark        KEYS[2] the user's list: sessions by the time they end
-- ARGV[1] the session        ARGV[2] its life in ms        ARGV[3] a mark, should the user have none
-- ARGV[4] '1': the mark has to be one of the next two, else '0'        ARGV[5], ARGV[6] marks, or ''
-- ARGV[7] how many are listed at most
--
-- Reply   the mark
--         nil  it is none of the two

local mark = redis.call('GET', KEYS[1])
if ARGV[4] == '1' and (not mark or (mark ~= ARGV[5] and mark ~= ARGV[6])) then return false end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The mark and the list outlive the sessions they are about by a minute, because these are written a little later.
local life = tonumber(ARGV[2]) + 60000
if not mark then
  mark = ARGV[3]
  redis.call('SET', KEYS[1], mark, 'PX', string.format('%.0f', life))
elseif redis.call('PTTL', KEYS[1]) < life then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[2], string.format('%.0f', now + life), ARGV[1])
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[7])
if over > 0 then redis.call('ZPOPMIN', KEYS[2], over) end
if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], string.format('%.0f', life)) end
return mark
