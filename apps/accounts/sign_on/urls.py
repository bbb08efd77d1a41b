"""The addresses of sign-on, below /oidc/. Two names are what mozilla-django-oidc asks for."""

from django.urls import path

from apps.accounts.sign_on import views

urlpatterns = [
    path("authenticate/", views.Authenticate.as_view(), name="oidc_authentication_init"),
    path("callback/", views.Callback.as_view(), name="oidc_authentication_callback"),
    path("logout/", views.Logout.as_view(), name="oidc_logout"),
    path("backchannel-logout", views.BackchannelLogout.as_view(), name="oidc_backchannel_logout"),
]
