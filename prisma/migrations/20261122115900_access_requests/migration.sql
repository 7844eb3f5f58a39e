-- CreateEnum
CREATE TYPE "access_request_status" AS ENUM ('open', 'approved', 'denied', 'withdrawn', 'expired');

-- CreateTable
CREATE TABLE "requestable_rule" (
    "id" UUID NOT NULL,
    "agent_id" UUID,
    "group_id" UUID,
    "server_id" UUID,
    "selector" JSONB,
    "kind" "target_kind" NOT NULL DEFAULT 'tools',
    "names" TEXT[],
    "duration_seconds_max" INTEGER NOT NULL,
    "reason" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "requestable_rule_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "requestable_rule_one_subject" CHECK ((agent_id IS NULL) <> (group_id IS NULL)),
    CONSTRAINT "requestable_rule_one_target" CHECK ((server_id IS NULL) <> (selector IS NULL))
);

-- CreateTable
CREATE TABLE "access_request" (
    "id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "agent" TEXT NOT NULL,
    "server_id" UUID NOT NULL,
    "server" TEXT NOT NULL,
    "kind" "target_kind" NOT NULL DEFAULT 'tools',
    "names" TEXT[],
    "duration_seconds" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "status" "access_request_status" NOT NULL DEFAULT 'open',
    "filed_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(3),
    "decision_reason" TEXT,
    "grant_id" UUID,
    "grant_ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "access_request_pkey" PRIMARY KEY ("id")
);

-- AlterTable
ALTER TABLE "audit_event" ADD COLUMN     "request_id" UUID;

-- CreateIndex
CREATE INDEX "requestable_rule_agent_id_idx" ON "requestable_rule"("agent_id");

-- CreateIndex
CREATE INDEX "requestable_rule_group_id_idx" ON "requestable_rule"("group_id");

-- CreateIndex
CREATE INDEX "requestable_rule_server_id_idx" ON "requestable_rule"("server_id");

-- CreateIndex
CREATE UNIQUE INDEX "access_request_grant_id_key" ON "access_request"("grant_id");

-- CreateIndex
CREATE INDEX "access_request_agent_id_created_at_idx" ON "access_request"("agent_id", "created_at");

-- CreateIndex
CREATE INDEX "access_request_status_expires_at_idx" ON "access_request"("status", "expires_at");

-- CreateIndex
CREATE INDEX "access_request_status_grant_ended_at_idx" ON "access_request"("status", "grant_ended_at");

-- CreateIndex
-- Calls have none, so this costs them nothing.
CREATE INDEX "audit_event_request_id_idx" ON "audit_event"("request_id") WHERE "request_id" IS NOT NULL;

-- AddForeignKey
ALTER TABLE "requestable_rule" ADD CONSTRAINT "requestable_rule_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "requestable_rule" ADD CONSTRAINT "requestable_rule_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "agent_group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "requestable_rule" ADD CONSTRAINT "requestable_rule_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TRIGGER keep_policy_row AFTER INSERT OR UPDATE OR DELETE ON requestable_rule FOR EACH ROW
    WHEN (coalesce(current_setting('portcullis.revision', true), '') <> '') EXECUTE FUNCTION keep_policy_row('id', 'updated_at', '');
