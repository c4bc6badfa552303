-- wrk script: sends recorded requests in turn. Argument: a file of records, each a line with its length and that many bytes.
-- Prints one line of JSON that loads.py reads; times are in microseconds.
local messages, count, place = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for line in file:lines() do
    count = count + 1
    messages[count] = file:read(tonumber(line))
  end
  file:close()
end

function request()
  place = place % count + 1
  return messages[place]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'REPLAYED {"answers":%d,"micros":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
