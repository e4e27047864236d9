<?php
// Checks access tokens of Cloakroom. PHP 8.1 or later with its openssl extension, without dependencies.
declare(strict_types=1);

const ISSUER = 'https://app.example.com'; // your publicURL
const AUDIENCE = 'https://app.example.com'; // your publicURL
const JWKS = 'http://127.0.0.1:8080/.well-known/jwks.json';
const KEY_FILE = '/var/lib/app/cloakroom-keys.json'; // in a directory in which only the app may write: its keys are trusted
const ALGORITHM = 'ES256'; // never read it from the token
const LEEWAY = 10; // seconds that the clocks of the two machines may differ
const REFRESH = 300; // seconds between two fetches of the key set, so that a removed key is refused
const COOLDOWN = 1; // seconds between two fetches that tokens with an unknown kid cause
const TIMEOUT = 2; // seconds

final class Refused extends Exception {}
final class Unavailable extends Exception {}

/** The last good key set, in a file: a PHP process forgets its variables after each request. */
final class Keys
{
    public static function find(string $kid): string
    {
        $state = self::read();
        if (self::isDue($state, $kid)) {
            // While a process fetches, requests with a known kid do not wait, those with an unknown kid do.
            $lock = fopen(KEY_FILE . '.lock', 'c');
            if (flock($lock, isset($state['keys'][$kid]) ? LOCK_EX | LOCK_NB : LOCK_EX)) {
                $state = self::read();
                if (self::isDue($state, $kid)) {
                    $state = self::fetch($state);
                }
            }
            fclose($lock);
        }
        if (!$state['keys']) {
            throw new Unavailable();
        }
        return $state['keys'][$kid] ?? throw new Refused('token_invalid');
    }

    private static function read(): array
    {
        $text = @file_get_contents(KEY_FILE);
        return $text ? json_decode($text, true) : ['tried' => 0, 'keys' => []];
    }

    private static function isDue(array $state, string $kid): bool
    {
        // abs: the clock may have been set back.
        return abs(microtime(true) - $state['tried']) > (isset($state['keys'][$kid]) ? REFRESH : COOLDOWN);
    }

    private static function fetch(array $state): array
    {
        $context = stream_context_create(['http' => ['timeout' => TIMEOUT, 'follow_location' => 0]]);
        $text = @file_get_contents(JWKS, false, $context);
        $set = $text === false ? null : json_decode($text, true);
        $keys = [];
        foreach ($set['keys'] ?? [] as $jwk) {
            $isOurs = ($jwk['kty'] ?? '') === 'EC' && ($jwk['crv'] ?? '') === 'P-256' && ($jwk['use'] ?? '') === 'sig';
            if ($isOurs && isset($jwk['kid'], $jwk['x'], $jwk['y']) && openssl_pkey_get_public($pem = self::pem($jwk))) {
                $keys[$jwk['kid']] = $pem;
            }
        }
        if (!$keys) {
            error_log('the key set could not be fetched, the last one stays');
        }
        $state = ['tried' => microtime(true), 'keys' => $keys ?: $state['keys']];
        // A rename replaces the file in one step, so that no reader sees half of it.
        file_put_contents(KEY_FILE . '.new', json_encode($state));
        rename(KEY_FILE . '.new', KEY_FILE);
        return $state;
    }

    /** The key as PEM: the fixed start of a P-256 key in DER, then the point. */
    private static function pem(array $jwk): string
    {
        $start = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
        $der = $start . base64url($jwk['x']) . base64url($jwk['y']);
        return "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64, "\n") . "-----END PUBLIC KEY-----\n";
    }
}

function base64url(string $text): string
{
    $bytes = base64_decode(strtr($text, '-_', '+/'), true);
    return $bytes === false ? throw new Refused('token_invalid') : $bytes;
}

function jsonObject(string $part): array
{
    $value = json_decode(base64url($part), true);
    return is_array($value) ? $value : throw new Refused('token_invalid');
}

/** openssl_verify reads the two numbers of a signature as DER, a token has them as 2 x 32 bytes. */
function derSignature(string $raw): string
{
    if (strlen($raw) !== 64) {
        throw new Refused('token_invalid');
    }
    $der = '';
    foreach (str_split($raw, 32) as $number) {
        $number = ltrim($number, "\0");
        $number = ($number === '' || ord($number[0]) > 127 ? "\0" : '') . $number;
        $der .= "\x02" . chr(strlen($number)) . $number;
    }
    return "\x30" . chr(strlen($der)) . $der;
}

/** Returns the claims of an access token. Throws Refused or Unavailable. */
function verifyToken(string $token): array
{
    if (!preg_match('/^[\w-]+\.[\w-]+\.[\w-]+$/D', $token)) {
        throw new Refused('token_invalid');
    }
    [$header, $payload, $signature] = explode('.', $token);
    $head = jsonObject($header);
    // Another typ is a refresh token, or an ID token of the same issuer. `crit` names rules that this code does not know.
    $isOurs = ($head['alg'] ?? null) === ALGORITHM && ($head['typ'] ?? null) === 'at+jwt' && !array_key_exists('crit', $head);
    if (!$isOurs || !is_string($head['kid'] ?? null)) {
        throw new Refused('token_invalid');
    }
    $key = Keys::find($head['kid']);
    // 1 is the only success: 0 and -1 are failures.
    if (openssl_verify("$header.$payload", derSignature(base64url($signature)), $key, OPENSSL_ALGO_SHA256) !== 1) {
        throw new Refused('token_invalid');
    }
    $claims = jsonObject($payload);
    $isForUs = ($claims['iss'] ?? null) === ISSUER && in_array(AUDIENCE, (array) ($claims['aud'] ?? []), true);
    $subject = $claims['sub'] ?? null;
    $expiry = $claims['exp'] ?? null;
    if (!$isForUs || !is_string($subject) || $subject === '' || !(is_int($expiry) || is_float($expiry))) {
        throw new Refused('token_invalid');
    }
    if ($expiry + LEEWAY <= microtime(true)) {
        throw new Refused('token_expired');
    }
    return $claims;
}

/** Returns the claims, or sends the refusal and ends the request. */
function requireToken(): array
{
    $header = $_SERVER['HTTP_AUTHORIZATION'] ?? null;
    if ($header === null) {
        refuse(401, 'Unauthorized', 'session_missing', 'WWW-Authenticate: Bearer');
    }
    try {
        // A server joins two Authorization headers with a comma: that is no token.
        return verifyToken(preg_match('/^bearer +(\S+)$/iD', $header, $match) ? $match[1] : '');
    } catch (Refused $refused) {
        refuse(401, 'Unauthorized', $refused->getMessage(), 'WWW-Authenticate: Bearer error="invalid_token"');
    } catch (Unavailable) {
        refuse(503, 'Service Unavailable', 'unavailable', 'Retry-After: 1');
    }
}

function refuse(int $status, string $title, string $code, string $header): never
{
    header($header, true, $status);
    http_response_code($status);
    header('Content-Type: application/problem+json');
    exit(json_encode(['type' => 'about:blank', 'title' => $title, 'status' => $status, 'code' => $code]));
}
