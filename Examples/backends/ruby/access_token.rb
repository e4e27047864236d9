# Checks access tokens of Cloakroom. gem install jwt (2.5 or later), or Debian's ruby-jwt
require "json"
require "jwt"
require "net/http"

module AccessToken
  ISSUER = AUDIENCE = "https://app.example.com" # your publicURL
  JWKS = URI("http://127.0.0.1:8080/.well-known/jwks.json")
  ALGORITHM = "ES256" # never read it from the token
  LEEWAY = 10 # seconds that the clocks of the two machines may differ
  REFRESH = 300 # seconds between two fetches of the key set, so that a removed key is refused
  COOLDOWN = 1 # seconds between two fetches that tokens with an unknown kid cause
  TIMEOUT = 2 # seconds

  # The token is not acceptable. The message is the code of the response.
  class Refused < StandardError; end

  # No key set has been fetched yet, so no token can be checked.
  class Unavailable < StandardError; end

  # The last good key set. The `jwks` option of ruby-jwt takes a loader, but has no cache and no limit of fetches.
  class Keys
    def initialize
      @keys = {}
      @tried = -Float::INFINITY
      @lock = Mutex.new
    end

    # While a request fetches, requests with a known kid do not wait, those with an unknown kid do.
    def find(kid)
      if due?(kid) && (@lock.try_lock || (!@keys.key?(kid) && @lock.lock))
        begin
          fetch if due?(kid)
        ensure
          @lock.unlock
        end
      end
      raise Unavailable if @keys.empty?

      @keys[kid] || raise(Refused, "token_invalid")
    end

    private

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def due?(kid) = now - @tried > (@keys.key?(kid) ? REFRESH : COOLDOWN)

    def fetch
      limits = { use_ssl: JWKS.scheme == "https", open_timeout: TIMEOUT, read_timeout: TIMEOUT, max_retries: 0 }
      response = Net::HTTP.start(JWKS.host, JWKS.port, **limits) { |http| http.get(JWKS.request_uri) }
      response.value # raises unless the status is 2xx
      set = JSON.parse(response.body).fetch("keys").select { |jwk| jwk["kty"] == "EC" && jwk["use"] == "sig" }
      raise "it has no key" if set.empty?

      @keys = set.to_h { |jwk| [jwk["kid"], JWT::JWK.import(jwk).keypair] }
    rescue StandardError => error
      warn "the key set could not be fetched, the last one stays: #{error}"
    ensure
      @tried = now
    end
  end

  KEYS = Keys.new
  RULES = {
    algorithms: [ALGORITHM], leeway: LEEWAY, iss: ISSUER, verify_iss: true, aud: AUDIENCE, verify_aud: true,
    required_claims: %w[exp iss aud sub]
  }.freeze

  # Returns the claims of an access token. Raises Refused or Unavailable.
  def self.verify(token)
    claims, header = JWT.decode(token, nil, true, RULES) { |head| KEYS.find(head["kid"]) }
    # Another typ is a refresh token, or an ID token of the same issuer. ruby-jwt compares `alg` without case and ignores `crit`.
    is_ours = header["alg"] == ALGORITHM && header["typ"] == "at+jwt" && !header.key?("crit")
    raise Refused, "token_invalid" unless is_ours && claims["sub"].is_a?(String) && !claims["sub"].empty?

    claims
  rescue JWT::ExpiredSignature
    raise Refused, "token_expired"
  rescue JWT::DecodeError, TypeError, NoMethodError
    raise Refused, "token_invalid" # ruby-jwt raises more than its own errors for a header of the wrong shape
  end
end

# Rack middleware: `use RequireToken`. The claims are in env["cloakroom.claims"].
class RequireToken
  def initialize(app)
    @app = app
  end

  def call(env)
    header = env["HTTP_AUTHORIZATION"]
    return respond(401, "Unauthorized", "session_missing", "www-authenticate" => "Bearer") unless header

    # A server joins two Authorization headers with a comma: that is no token.
    token = header[/\Abearer +([\w-]+\.[\w-]+\.[\w-]+)\z/i, 1]
    raise AccessToken::Refused, "token_invalid" unless token

    env["cloakroom.claims"] = AccessToken.verify(token)
    @app.call(env)
  rescue AccessToken::Refused => refused
    respond(401, "Unauthorized", refused.message, "www-authenticate" => 'Bearer error="invalid_token"')
  rescue AccessToken::Unavailable
    respond(503, "Service Unavailable", "unavailable", "retry-after" => "1")
  end

  private

  def respond(status, title, code, headers)
    body = JSON.generate(type: "about:blank", title: title, status: status, code: code)
    [status, { "content-type" => "application/problem+json" }.merge(headers), [body]]
  end
end
