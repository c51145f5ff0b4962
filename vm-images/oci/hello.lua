-- hello: a small web server that tells which pod answered, on which node and processor architecture.
--   /            text, or JSON when asked for (Accept: application/json); /json always JSON
--   /healthz     200 "ok", or 500 after /fail was called (call it again to recover)
--   /slow?ms=N   answers after N milliseconds without holding up others
-- One process, one poll loop; SIGTERM lets running requests finish and then ends. Settings: PORT (8080), POD_NAME, NODE_NAME.
local socket = require 'posix.sys.socket'
local poll = require 'posix.poll'
local fcntl = require 'posix.fcntl'
local unistd = require 'posix.unistd'
local signal = require 'posix.signal'
local time = require 'posix.time'
local errno = require 'posix.errno'

local kubernetes_names = { x86_64 = 'amd64', aarch64 = 'arm64' }
local machine = require('posix.sys.utsname').uname().machine
local hostname = require('posix.sys.utsname').uname().nodename
local me = {
  pod = os.getenv 'POD_NAME' or hostname,
  node = os.getenv 'NODE_NAME' or 'unknown (set NODE_NAME from spec.nodeName)',
  architecture = kubernetes_names[machine] or machine,
}
local port = tonumber(os.getenv 'PORT' or '8080')
local max_head = 16384
local idle_seconds = 60

local failing, stopping, served = false, false, 0

local function now()
  local t = time.clock_gettime(time.CLOCK_MONOTONIC)
  return t.tv_sec + t.tv_nsec / 1e9
end

local started = now()

local function quoted(text)
  return '"' .. tostring(text):gsub('[%c"\\]', function(c) return string.format('\\u%04x', c:byte()) end) .. '"'
end

local function as_json(path)
  return string.format(
    '{"pod":%s,"node":%s,"architecture":%s,"path":%s,"requests":%d,"uptimeSeconds":%d}\n',
    quoted(me.pod), quoted(me.node), quoted(me.architecture), quoted(path), served, math.floor(now() - started))
end

local function as_text()
  return string.format('Hello from pod %s on node %s (%s).\n', me.pod, me.node, me.architecture)
end

local reasons = { [200] = 'OK', [400] = 'Bad Request', [404] = 'Not Found', [405] = 'Method Not Allowed', [431] = 'Request Header Fields Too Large', [500] = 'Internal Server Error' }

-- Returns status, body, content type. May yield { wake = time } to wait.
local function respond(method, target, accept)
  local path, query = target:match '^([^?]*)%??(.*)$'
  if method ~= 'GET' and method ~= 'HEAD' and not (method == 'POST' and path == '/fail') then return 405, 'only GET here\n' end
  if path == '/healthz' or path == '/readyz' then
    if failing then return 500, 'failing on purpose; call /fail again to recover\n' end
    return 200, 'ok\n'
  elseif path == '/fail' then
    failing = not failing
    return 200, failing and '/healthz now fails\n' or '/healthz is well again\n'
  elseif path == '/slow' then
    local ms = tonumber(query:match 'ms=(%d+)' or '1000')
    coroutine.yield { wake = now() + math.min(ms, 600000) / 1000 }
    return 200, string.format('%s took %d ms.\n', as_text():sub(1, -3), ms)
  elseif path == '/json' or (path == '/' and accept:find('application/json', 1, true)) then
    return 200, as_json(path), 'application/json'
  elseif path == '/' then
    return 200, as_text()
  end
  return 404, 'not here; try /, /json, /healthz, /slow?ms=500, /fail\n'
end

local function log(method, target, status)
  io.write(os.date '!%Y-%m-%dT%H:%M:%SZ', ' ', method, ' ', target:gsub('%c', '?'), ' ', status, '\n')
end

-- Serves one connection; yields { read = true }, { write = true } or { wake = time }.
local function connection(fd)
  local buffer = ''
  local function receive()
    coroutine.yield { read = true, wake = now() + idle_seconds }
    local data = socket.recv(fd, 8192)
    return data ~= nil and data ~= '' and data or nil
  end
  local function send(data)
    while #data > 0 do
      local sent, _, code = socket.send(fd, data)
      if sent then data = data:sub(sent + 1)
      elseif code == errno.EAGAIN then coroutine.yield { write = true, wake = now() + idle_seconds }
      else return false end
    end
    return true
  end
  while true do
    local head_end
    repeat
      head_end = select(2, buffer:find('\r?\n\r?\n'))
      if not head_end then
        if #buffer > max_head then send 'HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n' return end
        local data = receive()
        if not data then return end
        buffer = buffer .. data
      end
    until head_end
    local head = buffer:sub(1, head_end)
    local method, target, version = head:match '^(%u+) (%S+) HTTP/1%.([01])\r?\n'
    if not method then send 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n' return end
    local lower = head:lower()
    local length = tonumber(lower:match '\ncontent%-length:%s*(%d+)' or 0)
    -- A body is read and thrown away.
    local have = #buffer - head_end
    while have < length do
      local data = receive()
      if not data then return end
      have = have + #data
      buffer = ''
      head_end = 0
      if have > length then buffer = data:sub(#data - (have - length) + 1) end
    end
    buffer = head_end > 0 and buffer:sub(head_end + length + 1) or buffer
    local status, body, kind = respond(method, target, lower:match '\naccept:%s*([^\r\n]*)' or '')
    served = served + 1
    local close = stopping or lower:find('\nconnection:%s*close') or (version == '0' and not lower:find '\nconnection:%s*keep%-alive')
    local answer = string.format('HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: %s\r\n\r\n',
      status, reasons[status], kind or 'text/plain; charset=utf-8', #body, close and 'close' or 'keep-alive')
    if not send(method == 'HEAD' and answer or answer .. body) then return end
    if target ~= '/healthz' and target ~= '/readyz' then log(method, target, status) end
    if close then return end
  end
end

local listener = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
socket.setsockopt(listener, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
assert(socket.bind(listener, { family = socket.AF_INET, addr = '0.0.0.0', port = port }))
assert(socket.listen(listener, 512))
fcntl.fcntl(listener, fcntl.F_SETFL, fcntl.O_NONBLOCK)
io.stdout:setvbuf 'line'
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
local function stop() stopping = true end
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
io.write(string.format('hello: pod %s on node %s (%s) listens on port %d\n', me.pod, me.node, me.architecture, port))

local running = {} -- fd -> { thread, wish }
local function step(fd, state)
  local ok, wish = coroutine.resume(state.thread, fd)
  if coroutine.status(state.thread) == 'dead' then
    if not ok then io.write('hello: ', tostring(wish), '\n') end
    running[fd] = nil
    unistd.close(fd)
  else
    state.wish = wish
  end
end

local listening = true
while true do
  local interest, soonest, open = {}, math.huge, 0
  for fd, state in pairs(running) do
    open = open + 1
    local wish = state.wish
    if wish.wake and wish.wake < soonest then soonest = wish.wake end
    if wish.read or wish.write then interest[fd] = { events = { IN = wish.read, OUT = wish.write } } end
  end
  if stopping then
    if listening then listening = false unistd.close(listener) end
    -- Connections that wait for their next request have nothing to finish.
    for fd, state in pairs(running) do
      if state.wish.read then running[fd] = nil unistd.close(fd) open = open - 1 interest[fd] = nil end
    end
    if open == 0 then os.exit(0) end
  else
    interest[listener] = { events = { IN = true } }
  end
  local timeout = soonest == math.huge and -1 or math.max(0, math.ceil((soonest - now()) * 1000))
  poll.poll(interest, timeout)
  local current = now()
  if not stopping and interest[listener].revents and interest[listener].revents.IN then
    local fd = socket.accept(listener)
    while fd do
      fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.O_NONBLOCK)
      running[fd] = { thread = coroutine.create(connection) }
      step(fd, running[fd])
      fd = socket.accept(listener)
    end
  end
  for fd, state in pairs(running) do
    local ready = interest[fd] and interest[fd].revents
    local woken = state.wish.wake and state.wish.wake <= current
    if ready and (ready.IN or ready.OUT or ready.HUP or ready.ERR) then step(fd, state)
    elseif woken then
      if state.wish.read or state.wish.write then running[fd] = nil unistd.close(fd) else step(fd, state) end
    end
  end
end
