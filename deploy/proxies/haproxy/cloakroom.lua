-- The check for HAProxy. Save as /etc/haproxy/cloakroom.lua.
local SOCKET = "unix@/run/cloakroom/private.sock"       -- the private listener
local CHECK = "http://localhost/auth/check?login=/auth/pages/login"
local TIMEOUT = 600                                     -- milliseconds; HAProxy tries four times

-- Headers of the request that the check does not need, and headers of its response that a browser must not get.
local NOT_ASKED = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true, expect = true, te = true, ["keep-alive"] = true }
local NOT_RELAYED = {
  ["content-length"] = true, ["transfer-encoding"] = true, connection = true, ["keep-alive"] = true, authorization = true,
  ["set-cookie"] = true }

local function value(response, name)
  local values = response.headers and response.headers[name]
  if values and values[0] and values[0] ~= "" then return values[0] end
end

local function question(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_ASKED[name] then
      headers[name] = {}
      for index, text in pairs(values) do headers[name][index + 1] = text end
    end
  end
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  return headers
end

local function allow(txn, response)
  txn:set_var("txn.authorization", value(response, "authorization"))
  txn:set_var("txn.subject", value(response, "x-auth-subject"))
  txn:set_var("txn.session", value(response, "x-auth-session"))
  txn:set_var("txn.claims", value(response, "x-auth-claims"))
  if value(response, "x-auth-set-cookie") then txn:set_var("txn.renewed", value(response, "x-auth-set-cookie")) end
end

-- Shows the refusal or the redirect. A success without identity, or no response at all, becomes 503.
local function refuse(txn, response)
  if not response or response.status < 300 then
    txn:done(txn:reply { status = 503, headers = { ["retry-after"] = { "1" } } })
  end
  local headers = {}
  for name, values in pairs(response.headers or {}) do
    if not NOT_RELAYED[name] and not name:find("^x%-auth%-") then
      headers[name] = {}
      for index, text in pairs(values) do headers[name][index + 1] = text end
    end
  end
  txn:done(txn:reply { status = response.status, headers = headers, body = response.body })
end

core.register_action("cloakroom", { "http-req" }, function(txn)
  local demand = txn:get_var("txn.demand") or ""
  local response = core.httpclient():get { url = CHECK .. demand, dst = SOCKET, headers = question(txn), timeout = TIMEOUT }
  if response and response.status == 204 then
    if value(response, "x-auth-session") and value(response, "authorization") then
      return allow(txn, response)
    end
    -- A CORS preflight of a trusted origin: without identity.
    if txn.f:method() == "OPTIONS" and value(response, "x-auth-preflight") == "allowed" then return end
  end
  refuse(txn, response)
end, 0)

-- Removes Cloakroom's cookie, for every `cookieName`: the name begins with __Host- (or with cloakroom-, on
-- http://localhost in WebKit) and the value has the form access~refresh. Other __Host- cookies are the app's own.
local function is_ours(cookie)
  local name, content = cookie:match("^([%w_.-]+)=(.*)$")
  if not name then return false end
  if name == "__Host-Http-session" then return true end
  return (name:find("^__Host%-") or name:find("^cloakroom%-")) ~= nil and content:find("~eyJ", 1, true) ~= nil
end

core.register_action("remove_session_cookie", { "http-req" }, function(txn)
  local headers = txn.http:req_get_headers()["cookie"]
  if not headers then return end
  txn.http:req_del_header("cookie")
  for index = 0, #headers do
    local kept = {}
    for space, cookie in (headers[index] .. ";"):gmatch("([ \t]*)([^;]*);") do
      if cookie ~= "" and not is_ours(cookie) then kept[#kept + 1] = (#kept > 0 and space or "") .. cookie end
    end
    if #kept > 0 then txn.http:req_add_header("cookie", table.concat(kept, ";")) end
  end
end, 0)
