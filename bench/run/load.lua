-- Walks over the sessions' cookies, one a line of the file that is named after the path; tells at the end what was seen, as JSON.
local requests, at = {}, 0

function init(args)
  local path, file = args[1], args[2]
  if file then
    for cookie in io.lines(file) do
      requests[#requests + 1] = wrk.format("GET", path, { Cookie = cookie })
    end
  else
    requests[1] = wrk.format("GET", path)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,"badAnswers":%d,"socketErrors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
