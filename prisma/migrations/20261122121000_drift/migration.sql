ALTER TABLE "server"
  ADD COLUMN "keep_serving" TEXT NOT NULL DEFAULT 'none',
  ADD COLUMN "drift_budget_per_day" INTEGER NOT NULL DEFAULT 100,
  ADD COLUMN "drift_counted_since" TIMESTAMPTZ(3),
  ADD COLUMN "suspended_at" TIMESTAMPTZ(3),
  ADD COLUMN "suspended_reason" TEXT,
  ADD COLUMN "seen_at" TIMESTAMPTZ(3),
  ADD COLUMN "software" TEXT,
  ADD COLUMN "list_ttl_seconds" INTEGER,
  ADD COLUMN "discovery_failures" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "announced_at" TIMESTAMPTZ(3),
  ADD COLUMN "announcements" INTEGER NOT NULL DEFAULT 0;

-- What was seen so far is what drift is counted from.
UPDATE "server" SET "seen_at" = "discovered_at", "drift_counted_since" = "discovered_at" WHERE "discovery_error" IS NULL;

ALTER TABLE "definition" ADD COLUMN "descriptions_only" BOOLEAN NOT NULL DEFAULT false;

-- No foreign keys: what a server did stays known when the server is gone.
CREATE TABLE "definition_change" (
  "id" UUID NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "server_id" UUID NOT NULL,
  "server" TEXT NOT NULL,
  "definition_id" UUID,
  "kind" "definition_kind",
  "name" TEXT,
  "change" TEXT NOT NULL,
  "state" "definition_state",
  "before_hash" TEXT,
  "after_hash" TEXT,
  "before_json" BYTEA,
  "after_json" BYTEA,
  "decision" TEXT,
  "decided_at" TIMESTAMPTZ(3),
  "decided_by" TEXT,
  "decision_reason" TEXT,
  CONSTRAINT "definition_change_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "definition_change_at_id_idx" ON "definition_change" ("at" DESC, "id" DESC);
CREATE INDEX "definition_change_server_id_at_idx" ON "definition_change" ("server_id", "at" DESC);
CREATE INDEX "definition_change_definition_id_idx" ON "definition_change" ("definition_id");

-- What discovery notes down is no policy.
DROP TRIGGER keep_policy_row ON server;
CREATE TRIGGER keep_policy_row AFTER INSERT OR UPDATE OR DELETE ON server FOR EACH ROW
  WHEN (coalesce(current_setting('portcullis.revision', true), '') <> '')
  EXECUTE FUNCTION keep_policy_row('id', 'updated_at,era,era_seen_at,both_eras,transport,instructions,capabilities_json,approve_first_discovery,discovered_at,discovery_error,discovery_problems,next_discovery_at,seen_at,software,list_ttl_seconds,discovery_failures,announced_at,announcements,drift_counted_since', '');
