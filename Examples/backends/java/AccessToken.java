import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Passes on requests with a valid access token of Cloakroom. The claims are in the attribute "claims". Java 17 and Jackson. */
public final class AccessToken extends Filter {
    static final String ISSUER = "https://app.example.com"; // your publicURL
    static final String AUDIENCE = "https://app.example.com"; // your publicURL
    static final URI JWKS = URI.create("http://127.0.0.1:8080/.well-known/jwks.json");
    static final String ALGORITHM = "ES256"; // never read it from the token
    static final double LEEWAY = 10; // seconds that the clocks of the two machines may differ
    static final double REFRESH = 300; // seconds between two fetches of the key set, so that a removed key is refused
    static final double COOLDOWN = 1; // seconds between two fetches that tokens with an unknown kid cause
    static final double TIMEOUT = 2; // seconds

    static final ObjectMapper JSON = new ObjectMapper();
    static final Pattern BEARER = Pattern.compile("(?i:bearer) +([\\w-]+)\\.([\\w-]+)\\.([\\w-]+)");

    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String code) {
            super(code);
        }
    }

    static final class Unavailable extends Exception {
        private static final long serialVersionUID = 1;
    }

    private final HttpClient client = HttpClient.newHttpClient();
    private final ReentrantLock fetching = new ReentrantLock();
    private volatile Map<String, PublicKey> keys = Map.of(); // the last good key set
    private volatile long tried = System.nanoTime() - Duration.ofDays(1).toNanos();

    /** While a request fetches, requests with a known kid do not wait, those with an unknown kid do. */
    private PublicKey find(String kid) throws Refused, Unavailable {
        if (isDue(kid)) {
            boolean isKnown = keys.containsKey(kid);
            if (!isKnown) fetching.lock();
            if (!isKnown || fetching.tryLock()) {
                try {
                    if (isDue(kid)) fetch();
                } finally {
                    fetching.unlock();
                }
            }
        }
        if (keys.isEmpty()) throw new Unavailable();
        PublicKey key = keys.get(kid);
        if (key == null) throw new Refused("token_invalid");
        return key;
    }

    private boolean isDue(String kid) {
        return (System.nanoTime() - tried) / 1e9 > (keys.containsKey(kid) ? REFRESH : COOLDOWN);
    }

    private void fetch() {
        try {
            HttpRequest request = HttpRequest.newBuilder(JWKS).timeout(Duration.ofMillis((long) (TIMEOUT * 1000))).build();
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() != 200) throw new IOException("status " + response.statusCode());
            Map<String, PublicKey> found = new HashMap<>();
            for (JsonNode jwk : JSON.readTree(response.body()).path("keys")) {
                boolean isOurs = jwk.path("crv").asText().equals("P-256") && jwk.path("use").asText().equals("sig");
                if (isOurs) found.put(jwk.path("kid").asText(), publicKey(jwk));
            }
            if (found.isEmpty()) throw new IOException("it has no key");
            keys = found;
        } catch (IOException | GeneralSecurityException | IllegalArgumentException error) {
            System.err.println("the key set could not be fetched, the last one stays: " + error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        } finally {
            tried = System.nanoTime();
        }
    }

    private static PublicKey publicKey(JsonNode jwk) throws GeneralSecurityException {
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        ECParameterSpec parameters = curve.getParameterSpec(ECParameterSpec.class);
        BigInteger x = number(jwk.path("x").asText());
        BigInteger y = number(jwk.path("y").asText());
        // KeyFactory takes points that are not on the curve.
        BigInteger p = ((ECFieldFp) parameters.getCurve().getField()).getP();
        BigInteger right = x.pow(3).add(parameters.getCurve().getA().multiply(x)).add(parameters.getCurve().getB());
        if (!y.pow(2).subtract(right).mod(p).equals(BigInteger.ZERO)) throw new IllegalArgumentException("it has a broken key");
        return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(new ECPoint(x, y), parameters));
    }

    private static BigInteger number(String text) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(text));
    }

    private static JsonNode read(String part) throws IOException {
        return JSON.readTree(Base64.getUrlDecoder().decode(part));
    }

    private JsonNode verify(String header, String payload, String signature) throws Refused, Unavailable {
        try {
            JsonNode head = read(header);
            // Another typ is a refresh token, or an ID token of the same issuer. `crit` names rules that this code does not know.
            boolean isOurs = isText(head.path("alg"), ALGORITHM) && isText(head.path("typ"), "at+jwt") && !head.has("crit");
            if (!isOurs || !head.path("kid").isTextual()) throw new Refused("token_invalid");
            Signature check = Signature.getInstance("SHA256withECDSAinP1363Format");
            check.initVerify(find(head.path("kid").asText()));
            check.update((header + "." + payload).getBytes(StandardCharsets.US_ASCII));
            if (!check.verify(Base64.getUrlDecoder().decode(signature))) throw new Refused("token_invalid");
            return validate(read(payload));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException error) {
            throw new Refused("token_invalid"); // not JSON, not base64url, or a signature of another length
        }
    }

    private static JsonNode validate(JsonNode claims) throws Refused {
        boolean isForUs = isText(claims.path("aud"), AUDIENCE);
        for (JsonNode one : claims.path("aud")) isForUs |= isText(one, AUDIENCE);
        JsonNode subject = claims.path("sub");
        boolean isNamed = subject.isTextual() && !subject.asText().isEmpty();
        if (!isForUs || !isNamed || !isText(claims.path("iss"), ISSUER) || !claims.path("exp").isNumber()) throw new Refused("token_invalid");
        if (claims.path("exp").asDouble() + LEEWAY <= System.currentTimeMillis() / 1000.0) throw new Refused("token_expired");
        return claims;
    }

    private static boolean isText(JsonNode node, String text) {
        return node.isTextual() && node.asText().equals(text);
    }

    @Override
    public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
        // `getFirst` returns only the first of two Authorization headers.
        List<String> sent = exchange.getRequestHeaders().get("Authorization");
        if (sent == null) {
            respond(exchange, 401, "Unauthorized", "session_missing", "WWW-Authenticate", "Bearer");
            return;
        }
        try {
            Matcher token = BEARER.matcher(String.join(",", sent));
            if (!token.matches()) throw new Refused("token_invalid");
            exchange.setAttribute("claims", verify(token.group(1), token.group(2), token.group(3)));
        } catch (Refused refused) {
            respond(exchange, 401, "Unauthorized", refused.getMessage(), "WWW-Authenticate", "Bearer error=\"invalid_token\"");
            return;
        } catch (Unavailable error) {
            respond(exchange, 503, "Service Unavailable", "unavailable", "Retry-After", "1");
            return;
        }
        chain.doFilter(exchange);
    }

    private static void respond(HttpExchange exchange, int status, String title, String code, String name, String value)
            throws IOException {
        byte[] body = JSON.writeValueAsBytes(Map.of("type", "about:blank", "title", title, "status", status, "code", code));
        exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
        exchange.getResponseHeaders().set(name, value);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Override
    public String description() {
        return "requires an access token";
    }
}
