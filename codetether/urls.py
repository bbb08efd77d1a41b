"""Routes of the management lane. The protocol lane's stand in `codetether.asgi`."""

from django.contrib import admin
from django.urls import include, path

from apps.accounts import console_door, saved_pages
from codetether import overview, palette

admin.autodiscover()  # see codetether.console_app

urlpatterns = [
    path("", include("apps.rest.urls")),
    path("oidc/", include("apps.accounts.sign_on.urls")),
    path("admin/login/", console_door.login),
    path("admin/logout/", console_door.logout),
    path("admin/saved/", admin.site.admin_view(saved_pages.keep), name="saved_link_save"),
    path("admin/saved/<uuid:link_id>/", admin.site.admin_view(saved_pages.change), name="saved_link"),
    path("admin/overview/", admin.site.admin_view(overview.live), name="overview_live"),
    path("admin/search/", admin.site.admin_view(palette.search)),  # in the place of unfold's own
    path("admin/", include("apps.notifications.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "apps.rest.problems.bad_request"
handler403 = "apps.rest.problems.forbidden"
handler404 = "apps.rest.problems.not_found"
handler500 = "apps.rest.problems.server_error"
