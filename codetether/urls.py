"""Routes of the management lane. The protocol lane's stand in `codetether.asgi`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("apps.rest.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "apps.rest.problems.bad_request"
handler403 = "apps.rest.problems.forbidden"
handler404 = "apps.rest.problems.not_found"
handler500 = "apps.rest.problems.server_error"
