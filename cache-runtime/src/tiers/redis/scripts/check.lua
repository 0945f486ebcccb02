-- Which of the commands that the scripts use this account may not.
--
-- KEYS[1] a key that nobody uses        ARGV[1] a channel that nobody listens to
--
-- Reply   the names of those that are refused to it
--
-- Each is tried on the key. What is refused for another reason (no memory, a replica) is refused to everybody, and for now.

local missing = {}

local function try(command, ...)
  local reply = redis.pcall(command, ...)
  local why = type(reply) == 'table' and reply.err or ''
  -- Three generations of servers say it in three ways.
  if string.find(why, 'NOPERM', 1, true) or string.find(why, "user executing the script can't", 1, true)
    or string.find(why, 'ACL failure', 1, true) then
    missing[#missing + 1] = command
  end
end

local key = KEYS[1]
try('UNLINK', key)
try('SET', key, 'x', 'PX', 1000)
try('GET', key)
try('EXISTS', key)
try('STRLEN', key)
try('GETRANGE', key, 0, 0)
try('SETRANGE', key, 0, 'y')
try('PEXPIRE', key, 1000)
try('PTTL', key)
try('DEL', key)
try('HSET', key, 'field', 'x')
try('HGET', key, 'field')
try('HGETALL', key)
try('HEXISTS', key, 'field')
try('HLEN', key)
try('HDEL', key, 'field')
try('TIME')
try('PUBLISH', ARGV[1], '')
redis.pcall('DEL', key)
return missing
