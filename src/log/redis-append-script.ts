// The step that appends: items, the producer's state, the fence and the end, of several appends in one call.

import { PRELUDE } from "./redis-prelude.ts";

/** How long a writer's last call is remembered, in milliseconds: the longest that a repetition of it may be on its way. */
const CALL_MEMORY_MS = 3_600_000;
/** The most bytes of items that go with a message, which all processes get; larger appends are read by those who follow. */
export const MAX_TOLD_BYTES: number = 2_048;
/**
 * How far the numbers of items leap where some may have been lost: further than any lost tail reached. Once there are this many
 * leaps in what is kept, only those over items that are known to be lost are made.
 */
const LEAP = 2 ** 30;
const MAX_LEAPS = 256;

/** Longer records would turn the stream's hash into one that takes several times the memory. */
const MAX_RECORD_BYTES = 64;

// What almost every call is: one kind of items for a stream that only grows, written by whoever wrote it last. It does in five
// commands what the rest does in eight, and makes none of its functions. Whatever else there is falls through to them.
const COMMON_CASE = `
if ARGV[11] == '' then
  local v = redis.call('HMGET', KEYS[1], 't', 'k', 'ep', 'g', 'w' .. ARGV[3], 'h', 'e', 'st', 'ra', 'tt', 'ma', 'mi', 'mb')
  local tail, kind, gen, last = v[1], v[2], v[4], v[5]
  local items = #ARGV - 11
  if last and gen and gen ~= '' and not (v[7] or v[8] or v[9] or v[10] or v[11] or v[12] or v[13])
    and ARGV[8] == kind and (ARGV[9] == '' or ARGV[9] == v[3]) and tonumber(ARGV[10]) == items and items <= 1000
    and (ARGV[6] == tail or ((v[6] or '') == '' and (tonumber(ARGV[6]) or 0) < tonumber(tail)))
    and tonumber(string.match(last, '^%d+')) < tonumber(ARGV[5])
  then
    local second = redis.call('TIME')[1]
    local proof = gen .. ' ' .. second
    local isProved = ARGV[7] == proof
    local info = not isProved and redis.pcall('INFO', 'replication')
    if isProved or (type(info) == 'string' and string.find(info, 'master_replid:' .. gen, 1, true)) then
      local now = string.format('%.0f', tonumber(tail) + items)
      redis.call('RPUSH', KEYS[2], unpack(ARGV, 12))
      redis.call('HSET', KEYS[1], 't', now, 'w' .. ARGV[3], ARGV[5] .. ' ' .. second .. '\\n' .. tail .. '\\nw')
      local body = ''
      if kind == 'j' then
        body = items == 1 and ARGV[12] or table.concat(ARGV, '\\n', 12)
        body = #body < ${MAX_TOLD_BYTES} + items and '\\n' .. tail .. ' \\n' .. body or ''
      end
      redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' - ' .. now .. ' ' .. ARGV[4] .. body)
      if isProved then return tail .. '\\nw' end
      return {tail .. '\\nw', proof}
    end
  end
end
`;

/**
 * ARGV: 5 the number of this call, 6 the tail that the caller knows the stream has had, 7 a proof that an earlier call has given
 * (see redis-proof.ts) or '-', then for each append: kind of payload, epoch, the number of payloads, '' or 'o' for options, with those:
 * expected tail, end, release, producer ('' or 'p'), its id, epoch and seq; the payloads. A call that comes a second time is
 * answered as it was the first time; one that comes after a later one is not carried out.
 *
 * What the last call of each writer was stands in the stream's hash under `w` and its name: the number, the second it came in, and what
 * was answered, if that is short; else that stands among the writers.
 *
 * @returns the tail before the call and one line per append; or `u`: no such stream; or `s`: too late. In a list if there is more to
 * tell: a new proof or '-', and the owner of a run that has ended or been given up.
 */
export const APPEND: string = `${COMMON_CASE}${PRELUDE}
if not find() then return 'u' end
local call = tonumber(ARGV[5])
local record = redis.call('HGET', KEYS[1], 'w' .. ARGV[3])
if record then
  local last, outcome = string.match(record, '^(%d+) %d+\\n?(.*)$')
  if tonumber(last) == call then
    redis.pcall('HSET', KEYS[1], 'w' .. ARGV[3], record) -- for WAIT: on another connection than the first time, it waits for this
    outcome = outcome ~= '' and outcome or redis.call('HGET', KEYS[5], ARGV[3])
    return (M.e or M.ra) and {outcome, '-', M.o} or outcome
  end
  if tonumber(last) > call then return 's' end
end
local second = redis.call('TIME')[1]
local proved = string.match(ARGV[7], '^(%S+) ' .. second .. '$')
local lines = {M.t}
local pos = 8
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
  local kind, epoch, items, more = ARGV[pos], ARGV[pos + 1], tonumber(ARGV[pos + 2]), ARGV[pos + 3]
  local expect, fin, release, by, id, pepoch, pseq = '', '', '', ''
  local first = pos + 4
  if more ~= '' then
    expect, fin, release, by, id = unpack(ARGV, pos + 4, pos + 8)
    pepoch, pseq = tonumber(ARGV[pos + 9]), tonumber(ARGV[pos + 10])
    first = pos + 11
  end
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
    gen = gen or (proved and (proved == '-' and '' or proved)) or generation()
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
    if by ~= '' then redis.call('HSET', KEYS[4], id, ARGV[first - 2] .. ' ' .. ARGV[first - 1]) end
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
  record = ARGV[5] .. ' ' .. second .. '\\n' .. outcome
  if #record > ${MAX_RECORD_BYTES} then
    redis.call('HSET', KEYS[5], ARGV[3], outcome)
    redis.call('PEXPIRE', KEYS[5], ${CALL_MEMORY_MS})
    record = ARGV[5] .. ' ' .. second
  end
  set[#set + 1] = 'w' .. ARGV[3]
  set[#set + 1] = record
  if redis.call('HSET', KEYS[1], unpack(set)) > 0 then
    -- Here is a new writer, or the first of its kind of field: time to forget those who have long gone.
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      local at = #all[i] > 2 and string.match(all[i + 1], '^%d+ (%d+)')
      if at and tonumber(at) < second - ${CALL_MEMORY_MS / 1000} then redis.call('HDEL', KEYS[1], all[i]) end
    end
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
local proof = gen and not proved and (gen == '' and '-' or gen) .. ' ' .. second
local owner = (wrote or again) and (M.e or M.ra) and M.o
if proof or owner then return {outcome, proof or '-', owner} end
return outcome`;
