-- What reports add up, counted once from the trail as it is stored: for each hour and each day, of all calls, by agent, by tool, and by both.
CREATE TABLE "call_sum" (
  "unit" TEXT NOT NULL,
  "per" TEXT NOT NULL,
  "start" TIMESTAMPTZ(3) NOT NULL,
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "began" BIGINT NOT NULL,
  "ended" BIGINT NOT NULL,
  "errors" BIGINT NOT NULL,
  "denials" BIGINT NOT NULL,
  "first_at" TIMESTAMPTZ(3),
  "last_at" TIMESTAMPTZ(3),
  "latencies" BIGINT[] NOT NULL,
  CONSTRAINT "call_sum_pkey" PRIMARY KEY ("unit", "per", "start", "agent", "server", "tool")
) WITH (fillfactor = 85);

-- Up to where the trail was counted: everything that transactions below this one stored.
CREATE TABLE "call_sum_cursor" (
  "id" INTEGER NOT NULL DEFAULT 1,
  "stored_tx" BIGINT NOT NULL,
  CONSTRAINT "call_sum_cursor_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "call_sum_cursor_one" CHECK ("id" = 1)
);
INSERT INTO "call_sum_cursor" ("id", "stored_tx") VALUES (1, 0);

-- Each element is a bucket of durations, shifted by 40 bits, plus how many calls are in it. A bucket may come several times; many are drawn together.
CREATE FUNCTION "joined_latencies"(a bigint[], b bigint[]) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF cardinality(a) + cardinality(b) <= 256 THEN
    RETURN a || b;
  END IF;
  RETURN (SELECT array_agg((bucket << 40) + calls ORDER BY bucket)
    FROM (SELECT one >> 40 AS bucket, sum(one & 1099511627775)::bigint AS calls FROM unnest(a || b) one GROUP BY 1) drawn);
END
$$;
