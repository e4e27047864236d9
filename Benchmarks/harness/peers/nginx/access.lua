-- Verifies ES256 access tokens with luaossl and caches the valid ones.
local cjson = require("cjson.safe")
local digest = require("openssl.digest")
local pkey = require("openssl.pkey")

local access = {}
local key, issuer, audience

function access.configure(options)
    local file = assert(io.open(options.key))
    key = pkey.new(file:read("*a"), "PEM")
    file:close()
    issuer, audience = options.issuer, options.audience
end

local function base64url(text)
    local padded = text:gsub("-", "+"):gsub("_", "/") .. ("="):rep(-#text % 4)
    return ngx.decode_base64(padded)
end

local function object(part)
    local text = base64url(part)
    local value = text and cjson.decode(text)
    return type(value) == "table" and value or nil
end

local function integer(bytes)
    bytes = bytes:gsub("^%z+", "")
    if bytes == "" or bytes:byte() >= 0x80 then
        bytes = "\0" .. bytes
    end
    return string.char(0x02, #bytes) .. bytes
end

-- A JWS concatenates r and s (RFC 7518, 3.4); OpenSSL expects DER.
local function der(signature)
    local body = integer(signature:sub(1, 32)) .. integer(signature:sub(33, 64))
    return string.char(0x30, #body) .. body
end

-- The expiry of the token; nil if this issuer did not sign it.
local function verify(token)
    local head, payload, tail = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
    local header = head and object(head)
    local signature = tail and base64url(tail)
    if not header or header.alg ~= "ES256" or not signature or #signature ~= 64 then
        return nil
    end
    local hash = digest.new("sha256"):update(head .. "." .. payload)
    local called, good = pcall(key.verify, key, der(signature), hash)
    local claims = called and good and object(payload)
    if not claims or claims.iss ~= issuer or claims.aud ~= audience or type(claims.exp) ~= "number" then
        return nil
    end
    return claims.exp
end

function access.status(token)
    if not token then
        return 401
    end
    local verified = ngx.shared.verified
    local exp = verified:get(token)
    if not exp then
        exp = verify(token)
        local rest = exp and exp - ngx.time() or 0
        if rest > 0 then
            verified:set(token, exp, rest)
        end
    end
    return exp and exp > ngx.time() and 204 or 401
end

return access
