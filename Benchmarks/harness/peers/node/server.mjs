import { createPublicKey, verify } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"

const { PEER_ISSUER: issuer, PEER_AUDIENCE: audience, PEER_PUBLIC_KEY: keyFile } = process.env
const key = { key: createPublicKey(readFileSync(keyFile)), dsaEncoding: "ieee-p1363" }

function cookie(header, name) {
    for (const pair of header.split(";")) {
        const [key, value] = pair.trim().split("=", 2)
        if (key === name) return value
    }
}

function object(part) {
    return JSON.parse(Buffer.from(part, "base64url").toString())
}

function accepts(token) {
    const [head, payload, signature, ...rest] = token.split(".")
    if (!signature || rest.length) return false
    try {
        if (object(head).alg !== "ES256") return false
        const signed = Buffer.from(`${head}.${payload}`)
        if (!verify("sha256", signed, key, Buffer.from(signature, "base64url"))) return false
        const { iss, aud, exp } = object(payload)
        return iss === issuer && aud === audience && exp > Date.now() / 1000
    } catch {
        return false
    }
}

createServer((request, response) => {
    const token = cookie(request.headers.cookie ?? "", "access")
    response.writeHead(token && accepts(token) ? 204 : 401).end()
}).listen(Number(process.argv[2]), "127.0.0.1")
