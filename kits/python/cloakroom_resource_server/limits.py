"""The times and sizes of a resource server, in seconds and bytes."""

LEEWAY = 10  # how much the clocks of the two machines may differ
REFRESH = 300  # between two fetches of the key set, so that a removed key is refused
RETRY = 1  # until a failed fetch is tried again
COOLDOWN = 1  # between two fetches that tokens with an unknown key cause: an attacker can send any number of them
TIMEOUT = 2  # of a fetch from connect to the last byte, and of the stream's response head
SILENCE = 1  # between two reads of the stream, which has a comment four times a second
FIRST_PAUSE = 0.25  # until a broken stream is opened again; doubled with each failure
LONGEST_PAUSE = 2
MARGIN = 60  # how much longer than the longest access token an entry of the stream is kept
STEP = 7200  # how far the clock of the issuer may have been set back before it wrote an entry
MAXIMUM_KEY_SET = 65536
MAXIMUM_EVENT = 65536
