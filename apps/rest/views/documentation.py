"""The OpenAPI description and its page. Both are public, as the source is."""

from typing import Any, ClassVar

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from apps.rest.schema import PAGE_SETTINGS


class Description(SpectacularAPIView):
    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    custom_settings = PAGE_SETTINGS


class DescriptionPage(SpectacularSwaggerView):
    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    url_name = "schema"
