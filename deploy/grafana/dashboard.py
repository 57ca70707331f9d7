"""The Grafana dashboard as code: is today's feed out, complete and on time?

`python -m deploy.grafana.dashboard` writes `paperwire.json` beside this file. Change this file, never the JSON.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

with warnings.catch_warnings():
    # The SDK recommends schema 2, which Grafana before 12 cannot read.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, timeseries
    from grafana_foundation_sdk.builders import dashboard as board
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as options
    from grafana_foundation_sdk.models import dashboard as model

FILE = Path(__file__).with_name("paperwire.json")
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
HOUR = 3600.0
WIDTH = 24

AnyPanel = stat.Panel | bargauge.Panel | timeseries.Panel
P = TypeVar("P", stat.Panel, bargauge.Panel, timeseries.Panel)
Steps = list[model.Threshold]


def steps(yellow: float | None = None, red: float | None = None) -> Steps:
    """Green from the bottom, then yellow and red from these values on."""
    found = [model.Threshold(value=None, color="green")]
    found += [model.Threshold(value=yellow, color="yellow")] if yellow is not None else []
    return found + ([model.Threshold(value=red, color="red")] if red is not None else [])


def panel(kind: P, title: str, description: str, *, columns: int, rows: int, unit: str) -> P:
    """What is common to all panels; their place on the grid is worked out by the builder."""
    kind.title(title)
    kind.description(description)
    kind.datasource(SOURCE)
    kind.grid_pos(model.GridPos(w=WIDTH // columns, h=rows))
    kind.unit(unit)
    return kind


def now(expr: str, legend: str = "") -> prometheus.Dataquery:
    """A query for the current value."""
    return prometheus.Dataquery().ref_id("A").expr(expr).legend_format(legend).instant()


def over_time(expr: str, legend: str) -> prometheus.Dataquery:
    """A query for a curve."""
    return prometheus.Dataquery().ref_id("A").expr(expr).legend_format(legend).range()


def number(title: str, expr: str, description: str, colours: Steps, *, unit: str = "short") -> stat.Panel:
    """One large figure that turns yellow or red."""
    made = panel(stat.Panel(), title, description, columns=6, rows=5, unit=unit)
    made.thresholds(board.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(colours))
    made.color_mode(options.BigValueColorMode.BACKGROUND).graph_mode(options.BigValueGraphMode.NONE)
    made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return made.with_target(now(expr))


def bars(title: str, expr: str, legend: str, description: str) -> bargauge.Panel:
    """One bar for each label value."""
    made = panel(bargauge.Panel(), title, description, columns=3, rows=8, unit="short")
    made.orientation(options.VizOrientation.HORIZONTAL).min(0)
    made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return made.with_target(now(expr, legend))


def curves(title: str, expr: str, legend: str, description: str, *, unit: str = "short") -> timeseries.Panel:
    """One line for each label value."""
    made = panel(timeseries.Panel(), title, description, columns=3, rows=8, unit=unit)
    made.min(0).fill_opacity(8).show_points(options.VisibilityMode.NEVER)
    made.legend(common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM))
    return made.with_target(over_time(expr, legend))


def answer() -> list[stat.Panel]:
    """The top row: one glance says whether anything is wrong."""
    return [
        number(
            "Newest announcement",
            "time() - max(paperwire_newest_announcement_timestamp_seconds > 0)",
            "Age of the newest announcement. Red: a working day was missed.",
            steps(30 * HOUR, 80 * HOUR),
            unit="s",
        ),
        number(
            "Incomplete announcements",
            "max(paperwire_incomplete_batches)",
            "Of the last 14 days: papers not yet scored, or entries not yet published, and not dead either.",
            steps(1),
        ),
        number(
            "Entries waiting",
            "max(paperwire_entries_waiting)",
            "Selected, and waiting for their summaries or their deadline. 0 when the feed is out.",
            steps(1),
        ),
        number(
            "Longest queue",
            "max(paperwire_consumer_pending)",
            "Messages before the consumer that is furthest behind.",
            steps(500, 5000),
        ),
        number(
            "Dead letters, 24 h",
            "sum(increase(paperwire_dead_letters_total[24h]))",
            "Messages given up in the last day; the operations page says how to see them.",
            steps(red=0.5),
        ),
        number(
            "Services not ready",
            "count(paperwire_ready == 0) or vector(0)",
            "Replicas that answer 503 on /readyz; the answer holds the reason.",
            steps(red=1),
        ),
    ]


def batch() -> list[bargauge.Panel]:
    """The newest announcement, and who is there to handle it."""
    return [
        bars(
            "Newest announcement, papers by stage",
            "max by (stage) (paperwire_batch_papers)",
            "{{stage}}",
            "Papers: announced = scored + dead. Entries: selected = published + waiting + dead.",
        ),
        bars(
            "Entries published, 24 h",
            "sum by (feed) (increase(paperwire_entries_published_total[24h]))",
            "{{feed}}",
            "What appeared in each feed in the last day.",
        ),
        bars(
            "Ready replicas",
            "sum by (service) (paperwire_ready)",
            "{{service}}",
            "Replicas of each service that are ready for work.",
        ),
    ]


def stages() -> list[timeseries.Panel]:
    """Where work is waiting, failing or slow."""
    rate = "[$__rate_interval]"
    return [
        curves(
            "Not yet taken, by consumer",
            "max by (consumer) (paperwire_consumer_pending)",
            "{{consumer}}",
            "Messages that no replica has been given yet: the lag.",
        ),
        curves(
            "In hand, by consumer",
            "max by (consumer) (paperwire_consumer_ack_pending)",
            "{{consumer}}",
            "Messages handed out and not yet acknowledged, also those waiting for their next attempt.",
        ),
        curves(
            "Held, by consumer",
            "sum by (service, consumer) (paperwire_held_messages)",
            "{{service}}/{{consumer}}",
            "Messages kept in hand because Postgres or NATS is away. They cost no attempt.",
        ),
        curves(
            "Handled",
            f'sum by (service, consumer) (rate(paperwire_messages_total{{outcome="done"}}{rate}))',
            "{{service}}/{{consumer}}",
            "Messages whose effect is durable.",
            unit="cps",
        ),
        curves(
            "Failed",
            f'sum by (service, consumer, outcome) (rate(paperwire_messages_total{{outcome!="done"}}{rate}))',
            "{{service}}/{{consumer}} {{outcome}}",
            "Retried: delivered again later. Buried: given up, a dead letter.",
            unit="cps",
        ),
        curves(
            "Duration, 95th percentile",
            f"histogram_quantile(0.95, sum by (le, service, consumer) (rate(paperwire_handle_seconds_bucket{rate})))",
            "{{service}}/{{consumer}}",
            "Time for one delivery: a message, or a batch of them.",
            unit="s",
        ),
    ]


def output() -> list[timeseries.Panel]:
    """What comes out, and what the models cost."""
    return [
        curves(
            "Published messages",
            "sum by (subject) (increase(paperwire_published_total[1h]))",
            "{{subject}}",
            "Stored in the stream in the last hour.",
        ),
        curves(
            "Summaries",
            "sum by (outcome) (increase(paperwire_summaries_total[1h]))",
            "{{outcome}}",
            "How requests for a summary ended in the last hour.",
        ),
        curves(
            "Tokens",
            "sum by (kind) (increase(paperwire_llm_tokens_total[1h]))",
            "{{kind}}",
            "Read and written by the model in the last hour.",
        ),
    ]


def dashboard() -> model.Dashboard:
    """The whole dashboard."""
    made = (
        board.Dashboard("Paperwire")
        .uid("paperwire")
        .description("Is today's feed out, complete and on time?")
        .tags(["paperwire"])
        .readonly()
        .time("now-24h", "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(board.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    rows: dict[str, Sequence[AnyPanel]] = {
        "Is today's feed out?": [*answer(), *batch()],
        "Where does it stand?": stages(),
        "What comes out?": output(),
    }
    for title, panels in rows.items():
        made.with_row(board.Row(title))
        for each in panels:
            made.with_panel(each)
    built = made.build()
    for position, each_built in enumerate(built.panels or [], start=1):  # counted ids keep the JSON stable
        each_built.id_val = position
    return built


def render() -> str:
    """The JSON that Grafana reads."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard()) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
