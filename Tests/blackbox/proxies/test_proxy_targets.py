"""Links of every kind arrive as they were sent, and no spelling of a path avoids the check."""
import urllib.parse

import pytest

from cannot import BYTES, cannot
from place import Browser

LINKS = {
    "percent": "/100%25?q=100%25", "a bare percent": "/a?q=100%", "backslash in the query": "/a?path=C:\\x", "encoded backslash": "/a?path=C%5Cx",
    "encoded slash": "/wiki/AC%2FDC", "encoded UTF-8": "/gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC", "raw UTF-8": "/?q=naïve",
    "plus and space": "/a%20b+c?d=e%20f+g", "colon and at": "/@ann/x:y", "semicolons": "/a;b=c?d;e", "quotes": "/a?q=%22'%22",
    "8 kB": "/a?b=" + "c" * 8000, "8 kB of path": "/" + "a" * 8000, "question marks": "/a?b?c", "empty query": "/a?",
    "a path in the query": "/a?next=/../b//c", "dots in names": "/.well-known/x/..a/a..b/...", "double slash": "/a//b"}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_arrives_at_the_check_and_at_the_app_as_it_was_sent(place, app, ann, name):
    link = LINKS[name].encode().decode("latin-1")
    answer = ann.get(link)
    if name == "raw UTF-8" and cannot(place, BYTES):
        assert answer.status == 400 and app.requests == []
        return
    assert answer.status == 200, answer
    assert app.target == link
    # A header has it, or it is appended to the path of the check.
    assert any(f": {link}\r\n" in check or f"{link} HTTP/1.1\r\n" in check for check in place.relay.checks), place.relay.checks


@pytest.mark.parametrize("link", ["/a\\b", "/größe", "/a|b", "/100%", "/%zz", "/a\"b"])
def test_a_path_that_is_no_uri_arrives_as_it_was_sent_or_encoded_or_is_refused(place, app, ann, link):
    sent, encoded = link.encode().decode("latin-1"), urllib.parse.quote(link)
    answer = ann.get(sent)
    assert answer.status == 200 and app.target in (sent, encoded) or answer.status == 400 and app.requests == []


DOTS = [
    "/public/../notes", "/public/..;/notes", "/public/..;a=b/notes", "/public/%2e%2e/notes", "/public/.%2E/notes", "/public/%2e%2e%2fnotes",
    "/public/..%2Fnotes", "/public/..%5Cnotes", "/public/..\\notes", "/public/./../notes", "/public/../../notes", "/public/..", "/public/.;/x",
    "/public/%2e%2e;/notes", "/public/..%3b/notes", "/x/../money/1", "/x/..;/money/1", "/x/%2e%2e/money/1", "/./money/1", "/notes/.", "/public/..?a"]


@pytest.mark.parametrize("target", DOTS)
def test_dot_segments_of_every_spelling_are_refused(place, app, ann, target):
    for browser in (ann, Browser(place)):
        assert browser.get(target).status == 400 and app.requests == []


ODD = [
    "/public/a;b", "/public//notes", "/public/a%2Fb", "/public/a\\b", "/public/a%5Cb", "/public/%252e%252e/notes", "/public/a%3Bb", "/public/%2ehtaccess"]
ALIKE = ["//public/x", "/PUBLIC/x", "/public", "/publicity", "/public;/x", "/public%2Fx", "/\\public/x", "http://app.example.com/notes"]


@pytest.mark.parametrize("target", ODD + ALIKE)
def test_what_only_resembles_a_public_path_is_no_way_around_the_check(place, app, anyone, target):
    answer = anyone.get(target)
    assert answer.status in (301, 400, 401, 404), answer
    assert app.requests == []


def test_an_encoded_letter_changes_nothing_about_a_path(place, app, anyone):
    answer = anyone.get("/%70ublic/x")
    assert answer.status == 200 and app.target == "/%70ublic/x" or answer.status == 401 and app.requests == []
