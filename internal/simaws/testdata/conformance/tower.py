"""Control Tower: what a management account may ask, page by page, and what is refused."""


def run(c):
    tower = c.client("controltower", url=c.THROTTLED)  # that organization has a landing zone
    tower.list_landing_zones(maxResults=1)
    page = tower.list_baselines(maxResults=4)
    tower.list_baselines(maxResults=100, nextToken=page["nextToken"])
    rows = tower.list_enabled_baselines(includeChildren=True, maxResults=5)["enabledBaselines"]
    for row in rows[:2]:
        tower.list_enabled_baselines(filter={"baselineIdentifiers": [row["baselineIdentifier"]], "targetIdentifiers": [row["targetIdentifier"]], "statuses": ["SUCCEEDED"], "sourceDriftStatuses": ["IN_SYNC"]})
    c.refused("ValidationException", tower.list_baselines, nextToken="nothing")
    c.refused("AccessDeniedException", c.client("controltower", credentials=c.session).list_landing_zones)
