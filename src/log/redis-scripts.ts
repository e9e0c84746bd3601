// The steps that Redis makes of one piece: Lua over the keys of one stream, all of which lie in one slot.
//
// A stream is a hash of what is known of it (`m`), a list of its payloads (`i`), a list of how old they are where that
// matters (`a`), its producers (`p`), its writers' last calls (`w`), and the number that a stream of its name must begin
// above (`f`). A list packs short payloads with two bytes beside each, and finds the nth by its place.

/** The last part of each key of a stream, in the order in which scripts are given them. */
export const STREAM_KEYS = ["m", "i", "a", "p", "w", "f"] as const;

/** How long what has expired may lie before Redis removes it, in milliseconds: its start must be known a while longer. */
const GRACE_MS = 60_000;
const FLOOR_MS = 86_400_000;
/** How long a writer's last call is remembered, in milliseconds: the longest that a repetition of it may be on its way. */
const CALL_MEMORY_MS = 3_600_000;
const MAX_WRITERS = 32;
/** The most bytes of items that go with a message, which all processes get; larger appends are read by those who follow. */
export const MAX_TOLD_BYTES: number = 2_048;

/** The time in milliseconds: the caller's, or that of the server if it is negative. */
export const NOW: string = `
local now = tonumber(ARGV[1])
if now < 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local function num(n) return string.format('%.0f', n) end
`;

// ARGV: 1 now, 2 channel, 3 who calls, 4 the stream's name.
export const PRELUDE: string = `${NOW}
local F = {'s','t','e','o','ep','st','ck','cw','ra','c','x','tt','ma','mi','mb','b','k','tc','tl','cl'}
local M = {}
local function tell(flags, body)
  if not flags then
    flags = (M.e and 'e' or '') .. (M.st and 's' or '') .. ((M.ra and not M.e) and 'r' or '')
    if flags == '' then flags = '-' end
  end
  redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. flags .. ' ' .. M.t .. ' ' .. ARGV[4] .. (body or ''))
end
local function shift(count)
  if M.mb then
    for _, payload in ipairs(redis.call('LPOP', KEYS[2], count)) do M.b = num(tonumber(M.b) - #payload) end
  else
    redis.call('LTRIM', KEYS[2], count, -1)
  end
  M.s = num(tonumber(M.s) + count)
end
local function trim()
  local start = M.s
  local tail = tonumber(M.t)
  if M.mi and tail - tonumber(M.s) > tonumber(M.mi) then shift(tail - tonumber(M.s) - tonumber(M.mi)) end
  if M.mb then
    while tonumber(M.b) > tonumber(M.mb) and tail - tonumber(M.s) > 1 do shift(1) end
  end
  if M.ma then
    while true do
      local first = redis.call('LINDEX', KEYS[3], 0)
      if not first then break end
      local seq, at = string.match(first, '^(%d+) (%-?%d+)$')
      local behind = tonumber(seq) - tonumber(M.s)
      if behind > 0 and tonumber(at) >= now - tonumber(M.ma) then break end
      if behind > 0 then shift(behind) end
      redis.call('LPOP', KEYS[3])
    end
  end
  return M.s ~= start
end
local function load()
  local values = redis.call('HMGET', KEYS[1], unpack(F))
  if not values[1] then return false end
  for i, field in ipairs(F) do M[field] = values[i] end
  return not (M.x and tonumber(M.x) <= now)
end
local function find()
  if not load() then return false end
  if M.ma and trim() then redis.call('HSET', KEYS[1], 's', M.s, 'b', M.b) end
  return true
end
local function touch()
  if not M.tt then return end
  local ttl = tonumber(M.tt)
  -- A Redis that is full must still be read.
  redis.pcall('HSET', KEYS[1], 'x', num(now + ttl))
  redis.call('PEXPIRE', KEYS[1], num(ttl + ${GRACE_MS * 60}))
  for k = 2, 5 do redis.call('PEXPIRE', KEYS[k], num(ttl + ${GRACE_MS})) end
end
local function shown()
  return {M.s, M.t, M.e, M.o, M.ep, M.st, M.ck, M.cw, M.ra, M.c}
end
local function drop()
  local old = redis.call('HGET', KEYS[1], 't')
  if not old then return end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  local keep = math.max(0, tonumber(old) - now) + ${FLOOR_MS}
  redis.call('SET', KEYS[6], num(tonumber(old) + 1), 'PX', num(keep))
end
`;

// ARGV: 5 the configuration, 6 kind of payload, 7 maxItems, 8 maxBytes, 9 maxAgeMs, 10 ttlMs; '' where there is none.
export const MAKE: string = `
local function make()
  drop()
  local start = num(math.max(now, tonumber(redis.call('GET', KEYS[6]) or '0')))
  local set = {'s', start, 't', start, 'b', '0', 'ep', '0', 'c', ARGV[5], 'k', ARGV[6]}
  for i, field in ipairs({'mi', 'mb', 'ma', 'tt'}) do
    if ARGV[6 + i] ~= '' then set[#set + 1] = field; set[#set + 1] = ARGV[6 + i] end
  end
  redis.call('HSET', KEYS[1], unpack(set))
  redis.call('DEL', KEYS[6])
  load()
  touch()
  tell()
end
`;

/** @returns `[created, fields]` */
export const CREATE: string = `${PRELUDE}${MAKE}
if find() then return {0, shown()} end
make()
return {1, shown()}`;

/** @returns `[now, fields]`, the fields false if there is no such stream */
export const HEAD: string = `${PRELUDE}
if not find() then return {num(now), false} end
return {num(now), shown()}`;

/** ARGV: 5 the sequence number read so far, 6 maxItems, 7 maxBytes. @returns `[fields, payloads]` */
export const READ: string = `${PRELUDE}
if not find() then return {false, {}} end
touch()
local after = tonumber(ARGV[5])
local first = tonumber(M.s)
local tail = tonumber(M.t)
if not after or after < first or after > tail then return {shown(), {}} end
local maxItems = tonumber(ARGV[6])
local maxBytes = tonumber(ARGV[7])
local at = after - first
local given = {}
local bytes = 0
-- In growing pieces: items may be long, and most reads want few.
local piece = 32
while #given < maxItems and at < tail - first do
  local items = redis.call('LRANGE', KEYS[2], at, at + math.min(piece, maxItems - #given) - 1)
  if #items == 0 then break end
  for _, item in ipairs(items) do
    bytes = bytes + #item
    if #given > 0 and bytes > maxBytes then return {shown(), given} end
    given[#given + 1] = item
  end
  at = at + #items
  piece = bytes < maxBytes / 4 and piece * 4 or piece
end
return {shown(), given}`;

export const DELETE: string = `${PRELUDE}
local there = find()
drop()
if there then tell('g') end
return there and 1 or 0`;

/** @returns `[isNew, fields]` or false */
export const STOP: string = `${PRELUDE}
if not find() then return false end
if M.e or not M.o or M.st then return {0, shown()} end
redis.call('HSET', KEYS[1], 'st', '1')
M.st = '1'
tell()
return {1, shown()}`;

/**
 * ARGV: 5 the number of this call, then for each append: kind of payload, expected tail, epoch, end, release, producer ('' or
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
  if tonumber(last) == call then return outcome end
  if tonumber(last) > call then return 's' end
  lastAt = tonumber(at)
end
local lines = {M.t}
local pos = 6
local wrote = false
local released = false
-- Small items go with the message, so that they need not be read. Only text: it is told from the rest by its lines.
local told = M.k == 'j' and {} or false
local toldBytes = 0
while pos <= #ARGV do
  local kind, expect, epoch, fin, release = ARGV[pos], ARGV[pos + 1], ARGV[pos + 2], ARGV[pos + 3], ARGV[pos + 4]
  local by, id, pepoch, pseq = ARGV[pos + 5], ARGV[pos + 6], tonumber(ARGV[pos + 7]), tonumber(ARGV[pos + 8])
  local count = tonumber(ARGV[pos + 9])
  local first = pos + 10
  pos = first + count
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
    elseif M.e then verdict = (fin ~= '' and count == 0) and 'd' or 'r'
    elseif expect ~= '' and expect ~= M.t then verdict = 'r' end
  end
  if verdict == 'r' then
    lines[#lines + 1] = table.concat({'r', M.t, M.ep, le, ls, M.e or '', M.c}, '\\t')
  elseif verdict == 'd' then
    lines[#lines + 1] = table.concat({'d', M.t, M.e or ''}, '\\t')
  else
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
    M.t = num(tonumber(M.t) + count)
    if M.ma and count > 0 then redis.call('RPUSH', KEYS[3], M.t .. ' ' .. num(now)) end
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
end
touch()
return outcome`;
