-- How often what was called, from the trail as it is stored: minutes for a few hours, hours for some weeks, and which agent ever used which tool.
CREATE TABLE "usage_minute" (
  "minute" TIMESTAMPTZ(3) NOT NULL,
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "calls" INTEGER NOT NULL,
  "denials" INTEGER NOT NULL,
  "errors" INTEGER NOT NULL,
  CONSTRAINT "usage_minute_pkey" PRIMARY KEY ("minute", "agent", "server", "tool")
);
CREATE TABLE "usage_hour" (
  "hour" TIMESTAMPTZ(3) NOT NULL,
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "calls" BIGINT NOT NULL,
  CONSTRAINT "usage_hour_pkey" PRIMARY KEY ("hour", "agent", "server", "tool")
);
CREATE INDEX "usage_hour_agent_hour_idx" ON "usage_hour" ("agent", "hour");
CREATE INDEX "usage_hour_server_hour_idx" ON "usage_hour" ("server", "hour");
CREATE TABLE "usage_pair" (
  "agent" TEXT NOT NULL,
  "server" TEXT NOT NULL,
  "tool" TEXT NOT NULL,
  "first_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "usage_pair_pkey" PRIMARY KEY ("agent", "server", "tool")
);

-- Up to where the trail was looked at: everything that transactions below this one stored.
CREATE TABLE "alert_cursor" (
  "id" INTEGER NOT NULL DEFAULT 1,
  "stored_tx" BIGINT NOT NULL,
  "tidied_at" TIMESTAMPTZ(3),
  CONSTRAINT "alert_cursor_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "alert_cursor_one" CHECK ("id" = 1)
);
INSERT INTO "alert_cursor" ("id", "stored_tx") VALUES (1, 0);

CREATE TABLE "webhook" (
  "id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "url" TEXT NOT NULL,
  "enabled" BOOLEAN NOT NULL DEFAULT true,
  "disabled_reason" TEXT,
  "secret" TEXT NOT NULL,
  "previous_secret" TEXT,
  "previous_until" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "webhook_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "alert_rule" (
  "id" UUID NOT NULL,
  "name" TEXT NOT NULL,
  "enabled" BOOLEAN NOT NULL DEFAULT true,
  "kind" TEXT NOT NULL,
  "condition" JSONB NOT NULL,
  "severity" TEXT NOT NULL,
  "webhook_ids" UUID[],
  "quiet_seconds" INTEGER NOT NULL,
  "created_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "alert_rule_pkey" PRIMARY KEY ("id")
);

-- No foreign keys: what was told stays known when the rule or the address is gone.
CREATE TABLE "alert" (
  "id" UUID NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "rule_id" UUID NOT NULL,
  "rule" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "severity" TEXT NOT NULL,
  "summary" TEXT NOT NULL,
  "subject" JSONB NOT NULL,
  "subject_key" TEXT NOT NULL,
  "values" JSONB NOT NULL,
  CONSTRAINT "alert_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "alert_rule_id_subject_key_at_idx" ON "alert" ("rule_id", "subject_key", "at" DESC);

CREATE TABLE "webhook_delivery" (
  "id" UUID NOT NULL,
  "webhook_id" UUID NOT NULL,
  "alert_id" UUID,
  "type" TEXT NOT NULL,
  "body" TEXT NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'pending',
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "next_attempt_at" TIMESTAMPTZ(3),
  "delivered_at" TIMESTAMPTZ(3),
  "last_status" INTEGER,
  "last_error" TEXT,
  CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "webhook_delivery_webhook_id_fkey" FOREIGN KEY ("webhook_id") REFERENCES "webhook" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "webhook_delivery_webhook_id_id_idx" ON "webhook_delivery" ("webhook_id", "id" DESC);
CREATE INDEX "webhook_delivery_state_next_attempt_at_idx" ON "webhook_delivery" ("state", "next_attempt_at");
