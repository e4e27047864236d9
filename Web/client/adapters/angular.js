// Cloakroom for Angular 15 and later: `provideHttpClient(withInterceptors([sessionInterceptor(session)]))`.
import { catchError, from, switchMap, throwError } from "rxjs";

// If the request has a bearer token of the page, only a problem of Cloakroom is about the session.
const isExpired = (request, { status, error }) =>
  status === 401 &&
  error?.code === "token_expired" &&
  (!request.headers.has("Authorization") || error.type === "urn:cloakroom:problem:token_expired");

/** A functional interceptor that renews once when an access token has expired, and sends the request again. */
export const sessionInterceptor = (session) => (request, next) =>
  next(request).pipe(
    catchError((error) => {
      const refused = () => throwError(() => error);
      if (!isExpired(request, error)) return refused();
      return from(session.renew()).pipe(
        catchError(refused),
        switchMap(() => next(request)),
      );
    }),
  );
