// What the scripts over one stream's keys, all of which lie in one slot, have in common.
//
// A stream is a hash of what is known of it (`m`), a list of its payloads (`i`), a list of how old they are where that
// matters (`a`), its producers (`p`), its writers' last calls (`w`), and the number that a stream of its name must begin
// above (`f`). A list packs short payloads with two bytes beside each, and finds the nth by its place.
//
// A Redis that took over from another, or was started again, may lack the last items. Their numbers are never given again: the
// first append under another primary (`g`) leaps ahead, and `h` tells from where to where, so that a place is still found. A
// leap over items that somebody was told are kept is marked: no read goes across it without being told of the gap.

/** The last part of each key of a stream, in the order in which scripts are given them. */
export const STREAM_KEYS = ["m", "i", "a", "p", "w", "f"] as const;

/** How long what has expired may lie before Redis removes it, in milliseconds: its start must be known a while longer. */
const GRACE_MS = 60_000;
const FLOOR_MS = 86_400_000;

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
local F = {'s','t','e','o','ep','st','ck','cw','ra','c','x','tt','ma','mi','mb','b','k','tc','tl','cl','g','h'}
local M = {}
local function tell(flags, body)
  if not flags then
    flags = (M.e and 'e' or '') .. (M.st and 's' or '') .. ((M.ra and not M.e) and 'r' or '')
    if flags == '' then flags = '-' end
  end
  redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. flags .. ' ' .. M.t .. ' ' .. ARGV[4] .. (body or ''))
end
-- The leaps: from, to, and whether items are known to be lost there.
local L
local function leaps()
  if not L then
    L = {}
    for from, to, mark in string.gmatch(M.h or '', '(%d+)-(%d+)(!?)') do
      L[#L + 1] = {tonumber(from), tonumber(to), mark == '!'}
    end
  end
  return L
end
-- How many items are kept up to a number, or nil within a leap; and the number of the nth item.
local function count(seq)
  local n = seq - tonumber(M.s)
  for _, leap in ipairs(leaps()) do
    if seq > leap[1] then
      if seq < leap[2] then return nil end
      n = n - (leap[2] - leap[1])
    end
  end
  return n
end
local function nth(n)
  local seq = tonumber(M.s) + n
  for _, leap in ipairs(leaps()) do
    if seq > leap[1] then seq = seq + leap[2] - leap[1] end
  end
  return seq
end
-- Forgets the leaps that lie before the start.
local function settle()
  local kept, text = {}, {}
  local start = tonumber(M.s)
  for _, leap in ipairs(leaps()) do
    if leap[3] and leap[1] == start then start = leap[2]
    elseif leap[1] >= start then
      kept[#kept + 1] = leap
      text[#text + 1] = num(leap[1]) .. '-' .. num(leap[2]) .. (leap[3] and '!' or '')
    end
  end
  L = kept
  M.s = num(start)
  if M.h or #text > 0 then M.h = table.concat(text, ' ') end
end
local function generation()
  local info = redis.pcall('INFO', 'replication')
  return type(info) == 'string' and string.sub(string.match(info, 'master_replid:(%x+)') or '', 1, 16) or ''
end
local function shift(n)
  local start = num(nth(n))
  if M.mb then
    for _, payload in ipairs(redis.call('LPOP', KEYS[2], n)) do M.b = num(tonumber(M.b) - #payload) end
  else
    redis.call('LTRIM', KEYS[2], n, -1)
  end
  M.s = start
  settle()
end
local function trim()
  local start = M.s
  local tail = tonumber(M.t)
  if M.mi and count(tail) > tonumber(M.mi) then shift(count(tail) - tonumber(M.mi)) end
  if M.mb then
    while tonumber(M.b) > tonumber(M.mb) and count(tail) > 1 do shift(1) end
  end
  if M.ma then
    while true do
      local first = redis.call('LINDEX', KEYS[3], 0)
      if not first then break end
      local seq, at = string.match(first, '^(%d+) (%-?%d+)$')
      local behind = count(tonumber(seq))
      if behind > 0 and tonumber(at) >= now - tonumber(M.ma) then break end
      if behind > 0 then shift(behind) end
      redis.call('LPOP', KEYS[3])
    end
  end
  return M.s ~= start
end
local function load()
  L = nil
  local values = redis.call('HMGET', KEYS[1], unpack(F))
  if not values[1] then return false end
  for i, field in ipairs(F) do M[field] = values[i] end
  return not (M.x and tonumber(M.x) <= now)
end
local function find()
  if not load() then return false end
  if M.ma and trim() then redis.call('HSET', KEYS[1], 's', M.s, 'b', M.b, 'h', M.h or '') end
  return true
end
local function touch()
  if not M.tt then return end
  local ttl = tonumber(M.tt)
  -- A Redis that is full, or may not write, must still be read.
  redis.pcall('HSET', KEYS[1], 'x', num(now + ttl))
  redis.pcall('PEXPIRE', KEYS[1], num(ttl + ${GRACE_MS * 60}))
  for k = 2, 5 do redis.pcall('PEXPIRE', KEYS[k], num(ttl + ${GRACE_MS})) end
end
local function shown()
  return {M.s, M.t, M.e, M.o, M.ep, M.st, M.ck, M.cw, M.ra, M.c, M.h, M.x}
end
local function drop()
  local old = redis.call('HGET', KEYS[1], 't')
  if not old then return end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  local keep = math.max(0, tonumber(old) - now) + ${FLOOR_MS}
  redis.call('SET', KEYS[6], num(tonumber(old) + 1), 'PX', num(keep))
end
`;
