"""What differs between installations: environment variables ``TRADEHUB_*`` or a ``.env`` file. Defaults run."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradehub.platform import ids


class Settings(BaseSettings):
    """Settings of one installation. Two processes with equal settings are one hub."""

    model_config = SettingsConfigDict(env_prefix="TRADEHUB_", env_file=".env", extra="ignore")

    data_dir: Path = Path("data")
    database_url: str = Field(default="", description="empty: a SQLite file in the data folder")
    host: str = "127.0.0.1"
    port: int = 8000
    live_port: int | None = Field(
        default=None, description="port of the live streams; empty: two above `port` under `tradehub serve`; 0: none"
    )
    live_url: str = Field(
        default="", description="public address of the live streams; empty: the pages' host, live_port"
    )
    base_url: str = Field(default="", description="public address, for links in mail; empty: http://host:port")
    secret_key_file: Path | None = Field(
        default=None, description="empty: secret.key in the data folder, made when missing"
    )
    mail_server: SecretStr = Field(
        default=SecretStr(""),
        description="smtp://, smtp+starttls:// or smtps://, USER:PASSWORD@ where needed, HOST:PORT; empty: no mail to people",
    )
    mail_from: str = Field(
        default="", description="the address that mail comes from; empty: tradehub@ the host of base_url"
    )
    home_org: str = Field(default="haidi", description="the organisation that the hub trades for over EDI")
    demo: bool = Field(default=False, description="sign-in links on the console, robots, relaxed cookies on http")
    workers: int = Field(default=1, ge=0, description="job workers inside `tradehub serve`")
    slot: str = Field(
        default="0", description="stable name of this process among its equals; recovers its own jobs on restart"
    )
    poll_s: float = Field(default=0.2, gt=0, description="seconds between looks into a job queue")
    api_requests_per_minute: int = Field(default=600, gt=0, description="of one API token, in each web process")
    log_level: str = "INFO"
    log_json: bool = True

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'tradehub.db'}"

    @property
    def public_url(self) -> str:
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def mail_sender(self) -> str:
        return self.mail_from or f"tradehub@{urlsplit(self.public_url).hostname}"

    @property
    def payload_dir(self) -> Path:
        return self.data_dir / "payloads"

    @cached_property
    def secret_key(self) -> bytes:
        """The installation's secret, made on first use and readable by its owner alone."""
        path = self.secret_key_file or self.data_dir / "secret.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes().strip()
        with os.fdopen(handle, "wb") as file:
            file.write(ids.new_secret().encode())
            file.flush()
            os.fsync(file.fileno())
        return path.read_bytes().strip()
