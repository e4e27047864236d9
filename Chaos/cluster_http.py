"""One HTTP request on a connection of its own."""
import http.client

TIMEOUT = 3


def request(method, address, path, body=None, headers=(), timeout=TIMEOUT):
    """Returns the status, the headers and the body. The status is None if no response came."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    except (OSError, http.client.HTTPException):
        return None, {}, b""
    finally:
        connection.close()
