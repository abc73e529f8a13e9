-- The provider stub's answers: OpenAI chat completions made from the prompt itself, the same prompt always getting the
-- same answer. Delays and errors are those of a real provider on an ordinary day. It is no model: it tags, cuts and
-- counts. Tried with: examples/stub/stub start && curl "$(examples/stub/stub url)/chat/completions" -d @request.json
local cjson = require "cjson.safe"

local stub = {}
local MODELS = { "stub-small", "stub-large" }
local SIGMA = 0.35 -- of the log-normal delay: p95 is 1.8 times, p99 2.3 times the median
local settings = { delay_ms = 400, error_every = 200 }

function stub.configure(given)
  settings = given
end

function stub.seed()
  math.randomseed(ngx.time() + ngx.worker.pid())
end

local function reply(status, body)
  local text = cjson.encode(body)
  ngx.status = status
  ngx.header["content-length"] = #text
  ngx.print(text)
end

local function fail(status, kind, code, message)
  reply(status, { error = { message = message, type = kind, code = code, param = cjson.null } })
end

-- How the two doors behave. Each returns the delay in seconds and the error, if there is one.
function stub.immediate()
  return 0, nil
end

function stub.realistic()
  local normal = math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random())
  local delay = settings.delay_ms / 1000 * math.exp(SIGMA * normal)
  local every = settings.error_every
  if every <= 0 then return delay, nil end
  local draw = math.random(every)
  -- One request in `every` is refused for its rate, another one in `every` meets a server error.
  if draw == 1 then return 0, 429 end
  if draw == 2 and every > 1 then return delay / 2, 500 end
  return delay, nil
end

local function text_of(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  local parts = {}
  for _, part in ipairs(content) do
    if type(part) == "table" and type(part.text) == "string" then parts[#parts + 1] = part.text end
  end
  return table.concat(parts, "\n")
end

-- All text of the conversation, its instructions and the text that they are about (after the first blank line of the
-- last turn of the user).
local function read_messages(messages)
  local everything, system, user = {}, "", ""
  for _, message in ipairs(messages) do
    local text = text_of(message.content)
    everything[#everything + 1] = text
    if message.role == "system" or message.role == "developer" then system = text end
    if message.role == "user" then user = text end
  end
  local head, body = user:match("^(.-)\n%s*\n(.*)$")
  return table.concat(everything, "\n"), system .. "\n" .. (head or ""), body or user
end

local LANGUAGES = { spanish = "es", french = "fr", german = "de", italian = "it", portuguese = "pt", english = "en" }
local MOODS = {
  positive = { "good", "great", "delight", "love", "happi", "peace", "free", "honor", "beaut", "fortune", "justice" },
  negative = { "death", "war", "tyran", "afraid", "grief", "poison", "injur", "refused", "crime", "steal", "mad" },
}

local function translate(instructions, text)
  for name, code in pairs(LANGUAGES) do
    if instructions:find(name, 1, true) then return "[" .. code .. "] " .. text end
  end
  return "[" .. (instructions:match("into (%a+)") or "xx") .. "] " .. text
end

local function summarise(_, text)
  local words = {}
  for word in text:gmatch("%S+") do
    words[#words + 1] = word
    if #words >= 8 and word:find("[.!?;:]$") then break end
    if #words == 24 then break end
  end
  return (table.concat(words, " "):gsub("[,;:]$", "."))
end

local function count(text, stems)
  local found = 0
  for _, stem in ipairs(stems) do
    for _ in text:gmatch(stem) do found = found + 1 end
  end
  return found
end

local function classify(_, text)
  local lower = text:lower()
  local balance = count(lower, MOODS.positive) - count(lower, MOODS.negative)
  if balance > 0 then return "positive" end
  return balance < 0 and "negative" or "neutral"
end

local function answer(instructions, text)
  local lower = instructions:lower()
  if lower:find("translat", 1, true) then return translate(lower, text) end
  if lower:find("summar", 1, true) then return summarise(lower, text) end
  if lower:find("classif", 1, true) or lower:find("sentiment", 1, true) then return classify(lower, text) end
  return "You said: " .. text
end

-- About four bytes of English make a token.
local function tokens(text)
  return math.ceil(#text / 4)
end

-- Cut to the bound, but never inside a UTF-8 character.
local function bounded(text, limit)
  if not limit or tokens(text) <= limit then return text, "stop" end
  local cut = limit * 4
  while cut > 0 and (text:byte(cut + 1) or 0) >= 0x80 and (text:byte(cut + 1) or 0) < 0xC0 do cut = cut - 1 end
  return text:sub(1, cut), "length"
end

local function completion(request)
  local everything, instructions, text = read_messages(request.messages)
  local limit = tonumber(request.max_completion_tokens) or tonumber(request.max_tokens)
  local content, finish_reason = bounded(answer(instructions, text), limit)
  local sent, made = tokens(everything), tokens(content)
  return {
    id = "chatcmpl-" .. ngx.md5(everything),
    object = "chat.completion",
    created = ngx.time(),
    model = request.model,
    choices = { {
      index = 0,
      message = { role = "assistant", content = content },
      logprobs = cjson.null,
      finish_reason = finish_reason,
    } },
    usage = { prompt_tokens = sent, completion_tokens = made, total_tokens = sent + made },
  }
end

local function read_body()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if body or not ngx.req.get_body_file() then return body end
  local file = io.open(ngx.req.get_body_file(), "rb")
  if not file then return nil end
  body = file:read("*a")
  file:close()
  return body
end

function stub.chat(behaviour)
  if ngx.req.get_method() ~= "POST" then
    return fail(405, "invalid_request_error", "method_not_allowed", "Only POST requests are accepted.")
  end
  local request = cjson.decode(read_body() or "")
  if type(request) ~= "table" or type(request.messages) ~= "table" or type(request.model) ~= "string" then
    return fail(400, "invalid_request_error", cjson.null, "The body must be JSON with a model and messages.")
  end
  local delay, status = behaviour()
  if delay > 0 then ngx.sleep(delay) end
  if status == 429 then
    ngx.header["retry-after"] = "1"
    return fail(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 1s.")
  end
  if status == 500 then
    return fail(500, "server_error", cjson.null, "The server had an error while processing your request.")
  end
  reply(200, completion(request))
end

-- Another location's answer, but later.
function stub.later(milliseconds, uri)
  ngx.req.read_body()
  ngx.sleep(milliseconds / 1000)
  ngx.exec(uri)
end

function stub.models()
  local list = {}
  for i, id in ipairs(MODELS) do list[i] = { id = id, object = "model", created = 1764000000, owned_by = "stub" } end
  reply(200, { object = "list", data = list })
end

function stub.not_found()
  ngx.req.discard_body()
  fail(404, "invalid_request_error", "unknown_url", "Unknown request URL: " .. ngx.req.get_method() .. " " .. ngx.var.uri)
end

return stub
