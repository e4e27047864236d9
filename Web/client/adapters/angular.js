// Cloakroom for Angular 15 and later: `provideHttpClient(withInterceptors([sessionInterceptor(session)]))`.
import { catchError, from, switchMap, throwError } from "rxjs";

/** A functional interceptor that renews once when an access token has expired, and sends the request again. */
export const sessionInterceptor = (session) => (request, next) =>
  next(request).pipe(
    catchError((error) => {
      const refused = () => throwError(() => error);
      if (error.status !== 401 || error.error?.code !== "token_expired") return refused();
      return from(session.renew()).pipe(
        catchError(refused),
        switchMap(() => next(request)),
      );
    }),
  );
