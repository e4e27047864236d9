// The times and sizes of a resource server, in seconds and bytes.
export const LEEWAY = 10; // how much the clocks of the two machines may differ
export const REFRESH = 300; // between two fetches of the key set, so that a removed key is refused
export const RETRY = 1; // until a failed fetch is tried again
export const COOLDOWN = 1; // between two fetches that tokens with an unknown key cause: an attacker can send any number of them
export const TIMEOUT = 2; // of a fetch from connect to the last byte, and of the stream's response head
export const SILENCE = 1; // between two reads of the stream, which has a comment four times a second
export const FIRST_PAUSE = 0.25; // until a broken stream is opened again; doubled with each failure
export const LONGEST_PAUSE = 2;
export const MARGIN = 60; // how much longer than the longest access token an entry of the stream is kept
export const STEP = 7200; // how far the clock of the issuer may have been set back before it wrote an entry
export const MAXIMUM_KEY_SET = 65536;
export const MAXIMUM_EVENT = 65536;
