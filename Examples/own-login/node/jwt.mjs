// The two functions of a JWT package that the example needs, so that it has no dependencies.
import { createHmac, timingSafeEqual } from "node:crypto";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const mac = (text, secret) => createHmac("sha256", secret).update(text).digest();

export function sign(claims, secret, minutes) {
  const exp = Math.floor(Date.now() / 1000) + minutes * 60;
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...claims, exp })}`;
  return `${text}.${mac(text, secret).toString("base64url")}`;
}

export function verify(token, secret) {
  const [head, body, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const isRight = timingSafeEqual(Buffer.from(signature, "base64url"), mac(`${head}.${body}`, secret));
  if (!isRight || claims.exp < Date.now() / 1000) throw new Error("the token is not valid");
  return claims;
}
