"""What the fetcher reads from its environment."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Only this service talks to arXiv, so only it knows where and how often."""

    feeds_file: Path = Field(description="the feed configuration, feeds.toml; its categories are what is fetched")
    contact: str = Field(
        pattern=r"^[!-~][ -~]{1,198}[!-~]$",
        description="how arXiv reaches you, an email or web address; it goes into the User-Agent",
    )
    arxiv_rss_url: str = Field(
        default="https://rss.arxiv.org/rss",
        pattern=r"^https?://[^\s/]+",
        description="where the announcement feeds are; the categories follow after a slash",
    )
    arxiv_site_url: str = Field(
        default="https://arxiv.org",
        pattern=r"^https?://[^\s/]+",
        description="where the pages for people are: the listing of each category, abstracts, full texts",
    )
    check_listing: bool = Field(
        default=True,
        description="count every announcement against arXiv's listing pages: one request per category and day",
    )
    arxiv_oai_url: str = Field(
        default="https://oaipmh.arxiv.org/oai",
        pattern=r"^https?://[^\s/]+",
        description="where the OAI-PMH server is, for backfills",
    )
    arxiv_api_url: str = Field(
        default="https://export.arxiv.org/api/query",
        pattern=r"^https?://[^\s/?]+[^\s?]*$",
        description="arXiv's query API, for orders of ids and searches and for feeds with a `search`",
    )
    arxiv_interval: float = Field(
        default=3.0,
        ge=0,
        le=3_600,
        description="seconds between requests to arXiv, over all its hosts and all replicas; arXiv asks for 3",
    )
    sources_interval: float = Field(
        default=1.0, ge=0, le=3_600, description="seconds between requests to any other host, over all replicas"
    )
    poll_interval: float = Field(default=600.0, gt=0, le=86_400, description="seconds between two looks at the feed")
    source_interval: float = Field(
        default=3_600.0, gt=0, le=86_400, description="seconds between two looks at each source beside arXiv"
    )
    retry_delay: float = Field(
        default=30.0, gt=0, le=3_600, description="seconds after a first failure; doubled by each further one"
    )
    lease_seconds: float = Field(
        default=15.0,
        ge=0.3,
        le=3_600,
        description="seconds after which another replica takes over from a killed one, and its turn to ask is over",
    )

    @property
    def arxiv_hosts(self) -> set[str]:
        """Where arXiv is asked: its own hosts, or those of a mirror."""
        addresses = (self.arxiv_rss_url, self.arxiv_site_url, self.arxiv_oai_url, self.arxiv_api_url)
        return {urlsplit(address).hostname or "" for address in addresses}
