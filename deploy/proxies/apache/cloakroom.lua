-- The check for Apache. Save as /etc/apache2/cloakroom.lua.
local socket = require "socket"
local unix = require "socket.unix"

local SOCKET = "/run/cloakroom/private.sock"        -- the private listener
local CHECK = "/auth/check?login=/auth/pages/login"
local TIMEOUT = 1.2                                 -- seconds for one attempt

-- Headers of the request that the check does not need, and headers of its response that a browser must not get.
local NOT_ASKED = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true, expect = true, te = true, ["keep-alive"] = true,
  trailer = true, ["proxy-connection"] = true }
local NOT_RELAYED = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true, ["keep-alive"] = true, authorization = true,
  ["set-cookie"] = true, ["content-type"] = true, date = true, server = true }

-- The connection of this thread, kept from check to check.
local kept

-- Removes the headers by which a client would speak for this proxy or for Cloakroom. Some apps read `_` and `.` as `-`.
-- A client could also name headers of this proxy in Connection, and Apache would remove them.
local function remove_forged(r)
  local is_websocket = (r.headers_in["Upgrade"] or ""):lower() == "websocket"
  local closes = (r.headers_in["Connection"] or ""):lower():find("close", 1, true)
  for name in pairs(r:headers_in_table()) do
    local lower = name:lower():gsub("[_.]", "-")
    if lower:find("^x%-auth") or lower:find("^x%-forwarded") or lower:find("^x%-original") or lower == "x-rewrite-url"
      or lower == "forwarded" or lower == "http2-settings" or lower == "connection" or (lower == "upgrade" and not is_websocket) then
      r.headers_in[name] = nil
    end
  end
  if is_websocket then r.headers_in["Connection"] = "Upgrade" elseif closes then r.headers_in["Connection"] = "close" end
end

local function question(r, demand)
  local lines = { "GET " .. CHECK .. demand .. " HTTP/1.1" }
  for name, value in pairs(r:headers_in_table()) do
    if not NOT_ASKED[name:lower()] then lines[#lines + 1] = name .. ": " .. value end
  end
  lines[#lines + 1] = "X-Forwarded-Method: " .. r.method
  lines[#lines + 1] = "X-Forwarded-Uri: " .. r.unparsed_uri
  lines[#lines + 1] = "X-Forwarded-Host: " .. (r.headers_in["Host"] or "")
  lines[#lines + 1] = "X-Forwarded-Proto: " .. (r.is_https and "https" or "http")
  lines[#lines + 1] = "X-Forwarded-For: " .. r.useragent_ip
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Reads a response: the status, the headers in lower case, the body. Nil if anything fails, or when the time is over.
local function read(connection, deadline)
  local function receive(pattern)
    connection:settimeout(math.max(deadline - socket.gettime(), 0.001), "t")
    return connection:receive(pattern)
  end
  local line = receive("*l")
  local status = line and tonumber(line:match("^HTTP/1%.1 (%d%d%d)"))
  if not status then return nil end
  local response = { status = status, headers = {}, body = "" }
  while true do
    line = receive("*l")
    if not line then return nil end
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name then response.headers[name:lower()] = value end
  end
  local length = tonumber(response.headers["content-length"] or "0")
  if length > 0 and status ~= 204 then
    response.body = receive(length)
    if not response.body then return nil end
  end
  return response
end

local function attempt(connection, text, deadline)
  connection:settimeout(TIMEOUT, "t")
  if not connection:send(text) then return nil end
  return read(connection, deadline)
end

-- Sends the check on the kept connection. If that one fails, which it does after a restart of Cloakroom, on a new one.
local function ask(text)
  local deadline = socket.gettime() + TIMEOUT
  local connection, response = kept, nil
  kept = nil
  if connection then
    response = attempt(connection, text, deadline)
    if not response then connection:close() end
  end
  if not response and socket.gettime() < deadline then
    connection = unix()
    connection:settimeout(TIMEOUT, "t")
    if not connection:connect(SOCKET) then
      connection:close()
      return nil
    end
    response = attempt(connection, text, deadline)
    if not response then connection:close() end
  end
  if response then
    if (response.headers.connection or ""):lower():find("close") then connection:close() else kept = connection end
  end
  return response
end

local function is_filled(text)
  return text ~= nil and text ~= ""
end

local function set_identity(r, headers)
  r.headers_in["Authorization"] = headers["authorization"]
  r.headers_in["X-Auth-Subject"] = headers["x-auth-subject"]
  r.headers_in["X-Auth-Session"] = headers["x-auth-session"]
  r.headers_in["X-Auth-Claims"] = headers["x-auth-claims"]
end

-- The browser gets the refusal or the redirect. A success without identity, or no response at all, becomes 503.
local function refuse(r, response)
  if not response or response.status < 300 then
    r.err_headers_out["Retry-After"] = "1"
    return 503
  end
  for name, value in pairs(response.headers) do
    if not NOT_RELAYED[name] and not name:find("^x%-auth%-") then r.err_headers_out[name] = value end
  end
  if is_filled(response.body) and is_filled(response.headers["content-type"]) then
    r.subprocess_env["cloakroom_refusal"] = response.headers["content-type"]
    r:custom_response(response.status, response.body)
  end
  return response.status
end

-- Removes Cloakroom's cookie, for every `cookieName`: the name begins with __Host- (or with cloakroom-, on
-- http://localhost in WebKit) and the value has the form access~refresh. Other __Host- cookies are the app's own.
local function is_ours(cookie)
  local name, content = cookie:match("^([%w_.-]+)=(.*)$")
  if not name then return false end
  if name == "__Host-Http-session" then return true end
  return (name:find("^__Host%-") or name:find("^cloakroom%-")) ~= nil and content:find("~eyJ", 1, true) ~= nil
end

local function remove_session_cookie(r)
  local cookies = r.headers_in["Cookie"]
  if not cookies then return end
  local others = {}
  -- Apache joins two Cookie headers with a comma.
  for space, cookie in (cookies:gsub(", ", "; ") .. ";"):gmatch("([ \t]*)([^;]*);") do
    if cookie ~= "" and not is_ours(cookie) then others[#others + 1] = (#others > 0 and space or "") .. cookie end
  end
  r.headers_in["Cookie"] = #others > 0 and table.concat(others, ";") or nil
end

-- What the location demands: nothing (`off`), nothing because it is Cloakroom's own (`own`), a session (by default), or a
-- session and parameters of the check.
function check(r)
  remove_forged(r)
  local wanted = r.subprocess_env["cloakroom_check"] or ""
  if wanted == "own" then return apache2.DECLINED end
  local identity = {}
  if wanted ~= "off" then
    local response = ask(question(r, wanted == "" and "" or "&" .. wanted))
    local headers = response and response.status == 204 and response.headers or {}
    if is_filled(headers["x-auth-session"]) and is_filled(headers["authorization"]) then
      identity = headers
    elseif r.method ~= "OPTIONS" or headers["x-auth-preflight"] ~= "allowed" then
      return refuse(r, response)
    end     -- else a CORS preflight of a trusted origin: without identity
  end
  set_identity(r, identity)
  -- The login and the step-up of an app with its own login receive all cookies, and set Cloakroom's cookie themselves.
  local keeps_cookie = r.subprocess_env["cloakroom_cookie"] == "keep"
  if not keeps_cookie then remove_session_cookie(r) end
  if is_filled(identity["x-auth-set-cookie"]) then
    if not keeps_cookie then r.err_headers_out["Set-Cookie"] = identity["x-auth-set-cookie"] end
    r.subprocess_env["cloakroom_renewed"] = "1"
  end
  return apache2.DECLINED
end
