# A backend: rackup --host 127.0.0.1 --port 3000. It responds with the user of the access token.
require_relative "access_token"

use RequireToken
run lambda { |env|
  claims = env["cloakroom.claims"]
  [200, { "content-type" => "application/json" }, [JSON.generate(sub: claims["sub"], sid: claims["sid"])]]
}
