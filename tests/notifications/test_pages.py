"""The page of notifications, by its forms and by what its script sends: each person's own devices and no others."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.audit.models import AuditEntry
from apps.core.db import in_database
from apps.core.sealing import opened
from apps.notifications import services
from apps.notifications.models import PushSubscription
from apps.notifications.subscribing import device_name
from apps.notifications.urls import urlpatterns
from apps.notifications.web_push import public_key
from tests.factories.browsers import signed_in
from tests.fakes.push_service import Device, encoded
from tests.notifications.conftest import Stage

PAGE, SUBSCRIBE, FORGET = "/admin/push/", "/admin/push/subscribe/", "/admin/push/forget/"
PHONE = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def olga(stage: Stage) -> Client:
    """An operator's browser."""
    return signed_in(stage.cast, "olga", Role.OPERATOR, headers={"user-agent": PHONE})


@pytest.fixture
def phone(stage: Stage) -> Device:
    """A subscription that the browser has made."""
    return Device(stage.service.url("/push/phone"))


def send(browser: Client, address: str, body: object) -> Any:
    return browser.post(address, json.dumps(body), content_type="application/json")


def of(device: PushSubscription, step: str) -> str:
    return reverse(f"notifications_{step}", args=[device.pk])


def test_a_device_is_turned_on_and_its_secret_sealed(olga: Client, phone: Device) -> None:
    answer = send(olga, SUBSCRIBE, phone.said)
    assert (answer.status_code, answer.json()["name"]) == (200, "Chrome on Android")
    device = PushSubscription.objects.get()
    assert (str(device.user), sorted(device.kinds)) == ("olga", ["failed", "question", "stuck"])
    assert encoded(phone.auth) not in device.auth
    assert opened(device, "auth") == encoded(phone.auth)
    assert AuditEntry.objects.filter(action="device.add", actor="olga", target=f"device:{device.pk}").exists()


def test_turned_on_again_it_is_the_same_and_keeps_what_it_wants(olga: Client, phone: Device) -> None:
    send(olga, SUBSCRIBE, phone.said)
    device = PushSubscription.objects.get()
    olga.post(of(device, "choose"), {"kinds": ["stuck", "question", "nonsense"]})
    assert send(olga, SUBSCRIBE, Device(phone.endpoint, b"another 16 bytes").said).status_code == 200
    again = PushSubscription.objects.get()
    assert (again.pk, again.kinds, opened(again, "auth")) == (
        device.pk, ["question", "stuck"], encoded(b"another 16 bytes"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"endpoint": "https://10.0.0.7/push"}, "endpoint"),
        ({"endpoint": "http://93.184.216.34/1"}, "endpoint"),
        ({"endpoint": "https://93.184.216.34:25/1"}, "endpoint"),
        ({"endpoint": "ftp://93.184.216.34/1"}, "endpoint"),
        ({"endpoint": "https://pu\u0161h.example/1"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "https://93.184.216.34/" + "x" * 3_000}, "endpoint"),
        ({"endpoint": 7}, "endpoint"),
        ({"keys": None}, "keys"),
        ({"keys": {"p256dh": "BA" * 43, "auth": "AAAAAAAAAAAAAAAAAAAAAA"}}, "keys.p256dh"),
        ({"keys": {"auth": "AAAAAAAAAAAAAAAAAAAAAA"}}, "keys.p256dh"),
    ],
)
def test_what_nothing_could_be_sent_to_is_refused(
    olga: Client, phone: Device, settings: Any, change: dict[str, Any], wrong: str
) -> None:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    answer = send(olga, SUBSCRIBE, {**phone.said, **change})
    assert answer.status_code in (400, 422)
    assert list(answer.json()["errors"]) == [wrong]
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("auth", [None, "", "AAAA", "%%%", "A" * 300, 5])
def test_a_wrong_secret_is_refused(olga: Client, phone: Device, auth: object) -> None:
    said = phone.said
    said["keys"]["auth"] = auth
    assert send(olga, SUBSCRIBE, said).json()["errors"].keys() == {"keys.auth"}
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"endpoint": "\\u0000"}'])
def test_what_is_no_object_is_refused(olga: Client, body: bytes) -> None:
    assert olga.post(SUBSCRIBE, body, content_type="application/json").status_code == 400


def test_no_more_than_so_many_devices(olga: Client, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "DEVICES_LIMIT", 1)
    assert send(olga, SUBSCRIBE, Device(stage.service.url("/1")).said).status_code == 200
    assert send(olga, SUBSCRIBE, Device(stage.service.url("/2")).said).status_code == 409
    assert PushSubscription.objects.count() == 1


def test_who_signs_in_at_anothers_device_takes_it_over_and_nobody_else_can(
    olga: Client, phone: Device, stage: Stage
) -> None:
    send(olga, SUBSCRIBE, phone.said)
    ada = signed_in(stage.cast, "ada", Role.ADMIN)
    assert send(ada, SUBSCRIBE, Device(phone.endpoint, b"guessed 16 bytes").said).status_code == 409
    assert str(PushSubscription.objects.get().user) == "olga"
    assert send(ada, SUBSCRIBE, phone.said).status_code == 200
    assert str(PushSubscription.objects.get().user) == "ada"


def test_turned_off_where_it_is_or_removed_from_afar(olga: Client, phone: Device) -> None:
    send(olga, SUBSCRIBE, phone.said)
    assert send(olga, FORGET, {"endpoint": phone.endpoint}).json() == {"removed": True}
    assert not PushSubscription.objects.exists()
    send(olga, SUBSCRIBE, phone.said)
    assert olga.post(of(PushSubscription.objects.get(), "remove")).status_code == 302
    assert not PushSubscription.objects.exists()
    assert AuditEntry.objects.filter(action="device.remove", actor="olga").count() == 2
    assert send(olga, FORGET, {"endpoint": phone.endpoint}).json() == {"removed": False}


def test_anothers_device_is_not_found(olga: Client, phone: Device, stage: Stage) -> None:
    send(olga, SUBSCRIBE, phone.said)
    device = PushSubscription.objects.get()
    ada = signed_in(stage.cast, "ada", Role.ADMIN, headers={"user-agent": PHONE})
    for step in ("choose", "remove", "test"):
        assert ada.post(of(device, step)).status_code == 404
        assert ada.post(reverse(f"notifications_{step}", args=[uuid.uuid4()])).status_code == 404
    assert send(ada, FORGET, {"endpoint": phone.endpoint}).json() == {"removed": False}
    assert "Chrome on Android" not in ada.get(PAGE).text
    device.refresh_from_db()
    assert (len(device.kinds), stage.service.calls) == (3, [])


def test_a_test_comes_and_what_is_wrong_is_said(olga: Client, stage: Stage) -> None:
    device = stage.device(User.objects.get(username="olga"))

    def tried() -> str:
        """The page after it; in a thread, since the push service answers from this one's loop."""
        text: str = stage.run(in_database(lambda: olga.post(of(device, "test"), follow=True).text))
        return text

    assert "Sent: it should appear" in tried()
    (call,) = stage.service.calls
    assert stage.devices["/push/1"].read(call)["title"] == "Notifications reach this device"
    stage.service.answers = [500, 410]
    assert "status 500" in tried()
    assert "turn it on there again" in tried()
    assert not PushSubscription.objects.exists()


def test_the_page_tells_the_key_and_only_ones_own_kinds(olga: Client, phone: Device, stage: Stage) -> None:
    empty = olga.get(PAGE).text
    assert f'data-key="{public_key()}"' in empty
    assert "None yet. Open this page on each device" in empty
    send(olga, SUBSCRIBE, phone.said)
    text = olga.get(PAGE).text
    assert "Chrome on Android" in text
    assert "An agent asks" in text
    assert phone.endpoint not in text
    assert "An agent asks" not in signed_in(stage.cast, "vera", Role.VIEWER).get(PAGE).text


def test_who_is_in_no_workspace_is_told_what_to_do(olga: Client) -> None:
    User.objects.get(username="olga").memberships.all().delete()
    assert "You are in no workspace yet" in olga.get(PAGE).text


def test_nobody_else_comes_in_and_only_forms_of_ours_count(stage: Stage, phone: Device) -> None:
    visitor, strict = Client(), signed_in(stage.cast, "ada", Role.ADMIN, enforce_csrf_checks=True)
    visitor.force_login(stage.cast.user("visitor", Role.ADMIN))
    pages = [path for path in urlpatterns if path.name]
    assert len(pages) == 6
    for path in pages:
        address = reverse(path.name, args=[uuid.uuid4()] if "device_id" in str(path.pattern) else [])
        for answer in (send(Client(), address, phone.said), Client().get(address)):
            assert answer["Location"].startswith("/admin/login/"), address
        assert [send(visitor, address, phone.said).status_code, visitor.get(address).status_code] == [403, 403]
        assert send(strict, address, phone.said).status_code in (403, 405)
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("curl/8", "A browser"),
    ],
)
def test_devices_are_called_what_they_are(agent: str, name: str) -> None:
    assert device_name(agent) == name
