"""The form of what people say about agents: permission rules, and lists in the console's forms.

What a rule means, workers know (docs/concepts/permissions.md); here is only what may be written.
"""

import re
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

RULE = r"^(?:\*|[A-Za-z][A-Za-z0-9._-]*)(?::.*\S.*)?$"
RULE_LENGTH = 300
RULES_MOST = 200
_MARKS = re.compile(r"[\x00-\x1f\x7f]")


class LinesField(forms.CharField):
    """Several texts, one a line; each must have the form of `pattern`."""

    def __init__(self, *, pattern: str, example: str, **kwargs: Any) -> None:
        self._pattern = re.compile(pattern)
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "placeholder": example})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        if len(lines) > RULES_MOST:
            raise forms.ValidationError(f"Give at most {RULES_MOST} lines.")
        for line in lines:
            if len(line) > RULE_LENGTH or _MARKS.search(line) or not self._pattern.match(line):
                raise forms.ValidationError(f"This line has the wrong form: {line[:100]}")
        return lines


def _most(field: type[forms.FloatField] | type[forms.IntegerField], widget: type[forms.Widget], **more: Any) -> Any:
    help_text = "Of an attempt. Empty: the worker's limit."
    return field(min_value=0, required=False, widget=widget(), help_text=help_text, **more)


class LimitFields(forms.Form):
    """What agents in a codebase may do and use; part of the codebase's form."""

    allow = LinesField(
        pattern=RULE, example="bash:git *", help_text="Rules for what needs no person's leave, one a line."
    )
    deny = LinesField(
        pattern=RULE, example="edit:**/.env", help_text="Rules for what nobody may allow, one a line. They win."
    )
    max_minutes = _most(forms.FloatField, UnfoldAdminDecimalFieldWidget)
    max_cost_usd = _most(forms.FloatField, UnfoldAdminDecimalFieldWidget, label="Max cost (USD)")
    max_tokens = _most(forms.IntegerField, UnfoldAdminIntegerFieldWidget)
    fallback_models = LinesField(
        pattern=r"^\S+$", example="provider/model",
        help_text="Models to go on with when a provider's limit is reached, one a line.",
    )  # fmt: skip

    def clean_max_minutes(self) -> float:
        return self.cleaned_data["max_minutes"] or 0

    def clean_max_cost_usd(self) -> float:
        return self.cleaned_data["max_cost_usd"] or 0

    def clean_max_tokens(self) -> int:
        return self.cleaned_data["max_tokens"] or 0


LIMIT_SETTINGS = tuple(LimitFields.base_fields)
