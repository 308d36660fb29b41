"""The messages of both protocols as pydantic models, and the program's settings."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_pascal


class PayIn(BaseModel):
    """What a provider sends to take a stake (provider.md 4)."""

    model_config = ConfigDict(alias_generator=to_camel)
    bet_id: str = Field(min_length=1, max_length=128)
    game_round_id: str = Field(min_length=1, max_length=128)
    session_id: str | None = None
    bet_amount: Decimal = Field(ge=0, decimal_places=2)


class Answer(BaseModel):
    """What the provider is told."""

    model_config = ConfigDict(populate_by_name=True)
    code: int = Field(serialization_alias="_responseCode")
    balance: float | None = None
    currency: str | None = None


class AcceptedPayment(BaseModel):
    """The payment of an accept."""

    model_config = ConfigDict(alias_generator=to_pascal)
    bet_id: int
    transaction_type: int
    partner_user_id: str | None = None
    partner_transaction_id: str | None = None
    amount: Decimal | None = None


class Accept(BaseModel):
    """What a casino sends about the outcome of a make (casino.md 1.1)."""

    model_config = ConfigDict(alias_generator=to_pascal)
    error_code: int
    message: str
    value: AcceptedPayment


class Envelope(BaseModel):
    """The answer of each side of the casino's protocol."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)
    error_code: int
    message: str
    value: dict[str, str] | None = None


class Credentials(BaseModel):
    """What a casino sends for an access token."""

    model_config = ConfigDict(alias_generator=to_pascal)
    partner_client_id: int
    secret: str


class Settings(BaseModel):
    """The settings, of the environment."""

    database_url: str
    casino_url: str
    casino_id: int = 1
    casino_secret: str
    counterparty: str
    provider_secret: str
    key_file: Path
    hold_s: float = 6.0

    @classmethod
    def of_environment(cls) -> Settings:
        """Return the settings of the variables USUAL_*."""
        return cls.model_validate(
            {name: os.environ[key] for name in cls.model_fields if (key := f"USUAL_{name.upper()}") in os.environ}
        )
