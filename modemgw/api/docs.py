"""The OpenAPI document, and a page that shows it. The page asks nobody but this service.

The page is Swagger UI: two files under ``static/swagger-ui``, kept compressed as they are sent. Its policy allows
scripts and styles from here alone; it may call this API, and nothing else.
"""

import functools
import gzip
from pathlib import Path

from aiohttp import web

from modemgw.api.keys import DOCUMENT, GATEWAY
from modemgw.http.body import Body
from modemgw.http.problem import Refusal
from modemgw.http.route import OPEN, Call, Json, NoQuery, route

_STATIC = Path(__file__).parent / "static"
_FILES = {
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js.gz", "text/javascript"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css.gz", "text/css"),
    "page.js": ("docs.js", "text/javascript"),
    "page.css": ("docs.css", "text/css"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NOTICE = b"<!-- notice -->"
_SIMULATED = b'<p class="notice">The modems are simulated: no message leaves this machine.</p>'


@route("GET", "/", scope=OPEN, summary="To the page", tag="Service", status=302, media="text/html")
async def get_root(_call: Call[Body, NoQuery]) -> web.Response:
    """Leads to `/docs`."""
    return web.Response(status=302, headers={"Location": "/docs"})


@route("GET", "/docs", scope=OPEN, summary="This page", tag="Service", media="text/html")
async def get_docs(call: Call[Body, NoQuery]) -> web.Response:
    """The API to read and to try."""
    simulated = any(modem["simulated"] for modem in call.request.app[GATEWAY].modems())
    return web.Response(
        body=_read("docs.html").replace(_NOTICE, _SIMULATED if simulated else b""),
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
    )


@route(
    "GET",
    "/docs/{file}",
    scope=OPEN,
    summary="Parts of this page",
    tag="Service",
    media="text/plain",
    errors={404: "There is no such file."},
)
async def get_docs_file(call: Call[Body, NoQuery]) -> web.Response:
    """Scripts and styles."""
    known = _FILES.get(call.path("file"))
    if known is None:
        raise Refusal(404, "not_found", "There is no such file.")
    name, content_type = known
    content = _read(name)
    headers = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
    if name.endswith(".gz"):
        if "gzip" in call.request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)


@route("GET", "/openapi.json", scope=OPEN, summary="This document", tag="Service", response=dict[str, object])
async def get_openapi(call: Call[Body, NoQuery]) -> Json:
    """OpenAPI 3.1."""
    return call.request.app[DOCUMENT]


@functools.cache
def _read(name: str) -> bytes:
    """Half a megabyte stays in memory only once somebody has opened the page."""
    return (_STATIC / name).read_bytes()


ROUTES = (get_root, get_docs, get_docs_file, get_openapi)
