"""A window of an app: WebKitGTK, the web view of Tauri on Linux, with pages under a scheme of the app, as Tauri sets it up.
Runs in Debian's Python, which has the bindings. Prints the title that the page gives to itself, and ends.
    xvfb-run python3 web_view.py SCHEME DIRECTORY"""
import pathlib
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, GLib, Gtk, WebKit2  # noqa: E402

TYPES = {".html": "text/html", ".mjs": "text/javascript"}
scheme, directory = sys.argv[1], pathlib.Path(sys.argv[2])


def serve(request):
    file = directory / request.get_path().lstrip("/")
    content = file.read_bytes()
    request.finish(Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(content)), len(content), TYPES[file.suffix])


def finish(view, _):
    if view.get_title():
        print(view.get_title())
        Gtk.main_quit()


context = WebKit2.WebContext.new_ephemeral()
context.register_uri_scheme(scheme, serve)
manager = context.get_security_manager()
manager.register_uri_scheme_as_secure(scheme)
manager.register_uri_scheme_as_cors_enabled(scheme)
view = WebKit2.WebView.new_with_context(context)
view.connect("notify::title", finish)
window = Gtk.Window()
window.add(view)
window.show_all()
view.load_uri(f"{scheme}://localhost/index.html")
Gtk.main()
