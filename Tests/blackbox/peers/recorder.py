"""Prints its port, then one line of JSON for each request that h11 has read to its end."""
import json
import socket
import threading

import h11


def serve(connected):
    connection, request, body = h11.Connection(h11.SERVER), None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(connected.recv(65536))
        elif isinstance(event, h11.Request):
            request, body = event, b""
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            print(json.dumps({"method": request.method.decode(), "target": request.target.decode(), "body": body.hex()}), flush=True)
            for answer in (h11.Response(status_code=200, headers=[("Content-Length", "0")]), h11.EndOfMessage()):
                connected.sendall(connection.send(answer) or b"")
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
        else:
            return


def handle(connected):
    with connected:
        try:
            serve(connected)
        except (h11.ProtocolError, OSError):
            pass


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()
