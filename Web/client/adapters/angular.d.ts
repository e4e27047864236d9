import type { Session } from "../client.js";

/** An Angular `HttpInterceptorFn` that renews the session once when an access token has expired, and sends the request again. */
export function sessionInterceptor(session: Session): (request: any, next: (request: any) => any) => any;
