-- What the rows of cost_sum add up to where either agents or tools do not matter: far fewer, and those of days lie together. Kept by triggers, so that the
-- two cannot differ, whatever release of the control plane counts.
CREATE TABLE "cost_total" (
  "per" TEXT NOT NULL,
  "unit" TEXT NOT NULL,
  "start" TIMESTAMPTZ(3) NOT NULL,
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "calls" BIGINT NOT NULL,
  "micros" DECIMAL(40,0) NOT NULL,
  CONSTRAINT "cost_total_pkey" PRIMARY KEY ("per", "unit", "start", "agent", "server", "tool", "currency")
) WITH (fillfactor = 85);

-- No row of cost_sum comes or goes while its totals are made.
LOCK TABLE "cost_sum" IN SHARE ROW EXCLUSIVE MODE;
SET LOCAL work_mem = '128MB';

INSERT INTO "cost_total" ("per", "unit", "start", "agent", "server", "tool", "currency", "calls", "micros")
SELECT CASE WHEN grouping("agent") = 0 THEN 'agent' ELSE 'tool' END AS "per", "unit", "start",
  coalesce("agent", ''), coalesce("server", ''), coalesce("tool", ''), "currency", sum("calls"), sum("micros")
FROM "cost_sum" GROUP BY GROUPING SETS (("unit", "start", "agent", "currency"), ("unit", "start", "server", "tool", "currency"))
ORDER BY 1, 2, 3, 4, 5, 6, 7;

CREATE FUNCTION "cost_total_keep"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  less CONSTANT text := 'SELECT unit, start, agent, server, tool, currency, -calls AS calls, -micros AS micros FROM removed';
  changed CONSTANT text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT * FROM added' WHEN 'DELETE' THEN less ELSE 'SELECT * FROM added UNION ALL ' || less END;
BEGIN
  EXECUTE format('INSERT INTO cost_total AS kept (per, unit, start, agent, server, tool, currency, calls, micros)
    SELECT CASE WHEN grouping(agent) = 0 THEN %L ELSE %L END, unit, start,
      coalesce(agent, %L), coalesce(server, %L), coalesce(tool, %L), currency, sum(calls), sum(micros)
    FROM (%s) changed GROUP BY GROUPING SETS ((unit, start, agent, currency), (unit, start, server, tool, currency))
    ORDER BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (per, unit, start, agent, server, tool, currency)
      DO UPDATE SET calls = kept.calls + excluded.calls, micros = kept.micros + excluded.micros', 'agent', 'tool', '', '', '', changed);
  IF TG_OP = 'DELETE' THEN
    DELETE FROM cost_total USING (SELECT DISTINCT unit, start FROM removed) gone
    WHERE cost_total.per IN ('agent', 'tool') AND cost_total.unit = gone.unit AND cost_total.start = gone.start AND cost_total.calls = 0;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "cost_total_inserted" AFTER INSERT ON "cost_sum"
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "cost_total_keep"();
CREATE TRIGGER "cost_total_updated" AFTER UPDATE ON "cost_sum"
  REFERENCING NEW TABLE AS added OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "cost_total_keep"();
CREATE TRIGGER "cost_total_deleted" AFTER DELETE ON "cost_sum"
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "cost_total_keep"();
