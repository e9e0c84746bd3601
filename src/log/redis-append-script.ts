// The step that appends: items, the producer's state, the fence and the end, of several appends in one call.

import { PRELUDE } from "./redis-prelude.ts";

/** How long a writer's last call is remembered, in milliseconds: the longest that a repetition of it may be on its way. */
const CALL_MEMORY_MS = 3_600_000;
const MAX_WRITERS = 32;
/** The most bytes of items that go with a message, which all processes get; larger appends are read by those who follow. */
export const MAX_TOLD_BYTES: number = 2_048;
/**
 * How far the numbers of items leap where some may have been lost: further than any lost tail reached. Once there are this many
 * leaps in what is kept, only those over items that are known to be lost are made.
 */
const LEAP = 2 ** 30;
const MAX_LEAPS = 256;

/**
 * ARGV: 5 the number of this call, 6 the tail that the caller knows the stream has had, then for each append: kind of payload, expected tail, epoch, end, release, producer ('' or
 * 'p'), its id, epoch and seq, the number of payloads, the payloads. A call that comes a second time is answered as it
 * was the first time; one that comes after a later one is not carried out.
 *
 * @returns the tail before the call and one line per append; or `u`: no such stream; or `s`: too late
 */
export const APPEND: string = `${PRELUDE}
if not find() then return 'u' end
local call = tonumber(ARGV[5])
local record = redis.call('HGET', KEYS[5], ARGV[3])
local lastAt = 0
if record then
  local last, at, outcome = string.match(record, '^(%d+) (%d+)\\n(.*)$')
  if tonumber(last) == call then
    redis.pcall('HSET', KEYS[5], ARGV[3], record) -- for WAIT: on another connection than the first time, it waits for this
    return outcome
  end
  if tonumber(last) > call then return 's' end
  lastAt = tonumber(at)
end
local lines = {M.t}
local pos = 7
local wrote = false
local again = false
local known = tonumber(ARGV[6]) or 0
local gen
local function leap(items)
  local tail = tonumber(M.t)
  -- Another process has written before us, and did not know what was lost.
  for _, leap in ipairs(leaps()) do
    if leap[1] < known and known < leap[2] and not leap[3] then
      leap[3] = true
      settle()
      break
    end
  end
  local lost = known > tail
  local other = gen ~= '' and M.g ~= gen and items > 0
  if lost or (other and M.g and #leaps() < ${MAX_LEAPS}) then
    local to = math.max(tail, known) + ${LEAP}
    table.insert(leaps(), {tail, to, lost})
    M.t = num(to)
    lines[1] = M.t
    settle()
  end
  if other or (lost and gen ~= '') then M.g = gen end
end
local released = false
-- Small items go with the message, so that they need not be read. Only text: it is told from the rest by its lines.
local told = M.k == 'j' and {} or false
local toldBytes = 0
while pos <= #ARGV do
  local kind, expect, epoch, fin, release = ARGV[pos], ARGV[pos + 1], ARGV[pos + 2], ARGV[pos + 3], ARGV[pos + 4]
  local by, id, pepoch, pseq = ARGV[pos + 5], ARGV[pos + 6], tonumber(ARGV[pos + 7]), tonumber(ARGV[pos + 8])
  local items = tonumber(ARGV[pos + 9])
  local first = pos + 10
  pos = first + items
  local verdict = 'w'
  local le, ls = '', ''
  if (kind ~= '' and kind ~= M.k) or (release ~= '' and epoch == '') then verdict = 'r' end
  if verdict == 'w' and by ~= '' then
    local known = redis.call('HGET', KEYS[4], id)
    if known then le, ls = string.match(known, '^(%S+) (%S+)$') end
    if known and pepoch < tonumber(le) then verdict = 'r'
    else
      local fresh = not known or pepoch > tonumber(le)
      local want = fresh and 0 or tonumber(ls) + 1
      if pseq ~= want then verdict = (not fresh and pseq < want) and 'd' or 'r' end
    end
  end
  if verdict == 'w' then
    if epoch ~= '' and epoch ~= M.ep then verdict = 'r'
    elseif M.e then verdict = (fin ~= '' and items == 0) and 'd' or 'r'
    elseif expect ~= '' and expect ~= M.t then verdict = 'r' end
  end
  if verdict == 'r' then
    lines[#lines + 1] = table.concat({'r', M.t, M.ep, le, ls, M.e or '', M.c}, '\\t')
  elseif verdict == 'd' then
    again = true
    lines[#lines + 1] = table.concat({'d', M.t, M.e or ''}, '\\t')
  else
    gen = gen or generation()
    leap(items)
    for from = first, pos - 1, 1000 do
      redis.call('RPUSH', KEYS[2], unpack(ARGV, from, math.min(from + 999, pos - 1)))
    end
    if M.mb then
      local bytes = tonumber(M.b)
      for i = first, pos - 1 do bytes = bytes + #ARGV[i] end
      M.b = num(bytes)
    end
    if told then
      for i = first, pos - 1 do
        toldBytes = toldBytes + #ARGV[i]
        if toldBytes > ${MAX_TOLD_BYTES} then
          told = false
          break
        end
        told[#told + 1] = ARGV[i]
      end
    end
    M.t = num(tonumber(M.t) + items)
    if M.ma and items > 0 then redis.call('RPUSH', KEYS[3], M.t .. ' ' .. num(now)) end
    if by ~= '' then redis.call('HSET', KEYS[4], id, ARGV[first - 3] .. ' ' .. ARGV[first - 2]) end
    if fin ~= '' then M.e = fin
    elseif release ~= '' then
      M.ep = num(tonumber(M.ep) + 1)
      M.ra = num(now)
      released = true
    end
    wrote = true
    lines[#lines + 1] = 'w'
  end
end
local outcome = table.concat(lines, '\\n')
if wrote then
  trim()
  local set = {'s', M.s, 't', M.t}
  local function also(field) set[#set + 1] = field; set[#set + 1] = M[field] end
  if M.mb then also('b') end
  if M.g then also('g') end
  if M.h then also('h') end
  if M.e then also('e') end
  if released then also('ep'); also('ra'); redis.call('HDEL', KEYS[1], 'tc', 'tl') end
  redis.call('HSET', KEYS[1], unpack(set))
  if not record and redis.call('HLEN', KEYS[5]) > ${MAX_WRITERS} then
    local calls = redis.call('HGETALL', KEYS[5])
    for i = 1, #calls, 2 do
      local at = string.match(calls[i + 1], '^%d+ (%d+)')
      if tonumber(at) < now - ${CALL_MEMORY_MS} then redis.call('HDEL', KEYS[5], calls[i]) end
    end
  end
  redis.call('HSET', KEYS[5], ARGV[3], ARGV[5] .. ' ' .. num(now) .. '\\n' .. outcome)
  -- Once in a quarter of that time and not with every token: a command less for Redis, its file and its replicas.
  local quarter = ${CALL_MEMORY_MS / 4}
  if math.floor(lastAt / quarter) ~= math.floor(now / quarter) then
    redis.call('PEXPIRE', KEYS[5], ${CALL_MEMORY_MS} + quarter)
  end
  if told then
    table.insert(told, 1, '\\n' .. lines[1] .. ' ' .. (M.e or ''))
    tell(nil, table.concat(told, '\\n'))
  else
    tell()
  end
elseif again then
  redis.pcall('HSET', KEYS[1], 't', M.t) -- for WAIT: the replicas have this no sooner than what was made before
end
touch()
return outcome`;
