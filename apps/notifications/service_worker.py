"""The script that shows notifications and says what there is without a network: the console's service worker.

It is served from `/admin/`, so that it may take care of the pages below; and before the files that it keeps for the
time without a network stands a version that follows from them, so that browsers notice when one has changed.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

SCRIPT = "codetether/service_worker.js"
OFFLINE = "codetether/offline.html"
KEPT = (OFFLINE, "codetether/offline.css", "codetether/offline.js", "codetether/favicon.svg")
ICON, BADGE = "codetether/icons/icon-192.png", "codetether/icons/badge-96.png"


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """For everybody: it holds nothing that is anybody's. Browsers ask again whether it is the same."""
    body = _script.__wrapped__() if settings.DEBUG else _script()
    return HttpResponse(body, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def _script() -> str:
    texts = [_file(name).read_bytes() for name in KEPT]
    known = {
        "version": hashlib.sha256(b"\0".join(texts)).hexdigest()[:16],
        "kept": [static(name) for name in KEPT],
        "offline": static(OFFLINE),
        "icon": static(ICON),
        "badge": static(BADGE),
    }
    return f"self.CODETETHER = {json.dumps(known)};\n{_file(SCRIPT).read_text()}"


def _file(name: str) -> Path:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} comes with the product"
    return Path(found)
