"""What every section of the configuration is made of: its base class, names, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from balmi.config.automatic import AUTO
from balmi.errors import shown_or_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

# Names become names of files: `.` and `..` are none, and a file system has its limit.
NAME_PATTERN = r"^[._-]*[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
Text = Annotated[str, Field(min_length=1)]


def refusal(key: str, found: str, allowed: str) -> PydanticCustomError:
    """Return an error about `key`, which lies beside the validated field, or below it."""
    context = {"key": key, "found": found, "allowed": allowed}
    return PydanticCustomError("refused", "{key}: {found}; allowed: {allowed}", context)


def automatic(most: int) -> Callable[..., int | str]:
    """Return a validator of numbers that may be left to the size of a cohort."""

    def validate(
        value: Any, handler: Callable[[Any], int | str], info: ValidationInfo
    ) -> int | str:
        try:
            if not isinstance(value, bool):
                return handler(value)
        except ValidationError:
            pass  # one refusal in place of one per alternative
        allowed = f"{AUTO}, or a whole number from 1 to {most}"
        raise refusal(str(info.field_name), shown_or_nothing(value), allowed)

    return validate


class Section(BaseModel):
    """A part of the configuration: immutable, and without unknown keys.

    Attributes
    ----------
    idle
        Keys that change how jobs run, and no result.
    advanced
        Keys that a configuration has below ``advanced`` (`balmi.config.advanced`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    idle: ClassVar[frozenset[str]] = frozenset()
    advanced: ClassVar[frozenset[str]] = frozenset()

    @field_validator("*", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a truth for a number: YAML makes one of yes, no, on and off."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind in (int, float):
            found = f"{str(value).lower()}, which YAML also makes of yes, no, on and off"
            raise refusal(str(info.field_name), found, "a number")
        return value

    def deciding(self) -> dict[str, Any]:
        """Return the keys that results depend on, of this section and of those inside it."""
        inner = {
            name: value.deciding()
            for name, value in self
            if isinstance(value, Section) and name not in self.idle
        }
        return self.model_dump(mode="json", exclude=set(self.idle)) | inner
