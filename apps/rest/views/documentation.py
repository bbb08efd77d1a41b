"""The OpenAPI description and its page. Both are public, as the source is."""

from typing import Any, ClassVar

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.admission import admit_stranger_now
from apps.rest.schema import PAGE_SETTINGS


class _Open(APIView):
    """Answers anybody, but not without end: the description is made anew for each."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        admit_stranger_now()


class Description(SpectacularAPIView, _Open):
    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    custom_settings = PAGE_SETTINGS


class DescriptionPage(SpectacularSwaggerSplitView, _Open):
    authentication_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    url_name = "schema"
