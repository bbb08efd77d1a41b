"""The console's pages of notifications, and its service worker. Each person reaches their own devices only."""

from django.contrib import admin
from django.urls import path

from apps.notifications import service_worker, views

urlpatterns = [
    path("sw.js", service_worker.script),
    path("push/", admin.site.admin_view(views.page), name="notifications"),
    path("push/subscribe/", admin.site.admin_view(views.subscribe), name="notifications_subscribe"),
    path("push/forget/", admin.site.admin_view(views.forget), name="notifications_forget"),
    path("push/<uuid:device_id>/choose/", admin.site.admin_view(views.choose), name="notifications_choose"),
    path("push/<uuid:device_id>/remove/", admin.site.admin_view(views.remove), name="notifications_remove"),
    path("push/<uuid:device_id>/test/", admin.site.admin_view(views.test), name="notifications_test"),
]
