import type { Session } from "../client.js";

/** The part of an axios instance that this adapter uses. */
interface Instance {
  interceptors: { response: { use(fulfilled: undefined, rejected: (error: any) => Promise<any>): unknown } };
  request(config: any): Promise<any>;
}

/** Makes an axios instance renew once when an access token has expired, and send the request again. Returns the instance. */
export function useSession<T extends Instance>(instance: T, session: Session): T;
