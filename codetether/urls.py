"""Routes of the management lane. The protocol lane's stand in `codetether.asgi`."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
