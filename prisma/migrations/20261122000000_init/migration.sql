-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "protocol" AS ENUM ('auto', 'legacy', 'modern');

-- CreateEnum
CREATE TYPE "era" AS ENUM ('legacy', 'modern');

-- CreateEnum
CREATE TYPE "definition_kind" AS ENUM ('tool', 'prompt', 'resource', 'resource_template');

-- CreateEnum
CREATE TYPE "definition_state" AS ENUM ('pending', 'approved', 'changed', 'rejected', 'removed');

-- CreateEnum
CREATE TYPE "tool_name_style" AS ENUM ('double-underscore', 'colon', 'dot');

-- CreateEnum
CREATE TYPE "target_kind" AS ENUM ('tools', 'prompts', 'resources');

-- CreateEnum
CREATE TYPE "grant_effect" AS ENUM ('allow', 'deny');

-- CreateEnum
CREATE TYPE "operator_role" AS ENUM ('admin', 'auditor');

-- CreateEnum
CREATE TYPE "key_purpose" AS ENUM ('signing', 'sealing', 'session', 'pepper');

-- CreateEnum
CREATE TYPE "chunk_kind" AS ENUM ('servers', 'agents', 'grants');

-- CreateTable
CREATE TABLE "server" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "protocol" "protocol" NOT NULL DEFAULT 'auto',
    "era" "era",
    "era_seen_at" TIMESTAMPTZ(3),
    "tags" TEXT[],
    "environment" TEXT,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "approve_first_discovery" BOOLEAN NOT NULL DEFAULT false,
    "refresh_interval_seconds" INTEGER NOT NULL DEFAULT 600,
    "instructions" TEXT,
    "capabilities_json" TEXT NOT NULL DEFAULT '{}',
    "discovered_at" TIMESTAMPTZ(3),
    "discovery_error" TEXT,
    "discovery_problems" JSONB NOT NULL DEFAULT '[]',
    "next_discovery_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "server_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "definition" (
    "id" UUID NOT NULL,
    "server_id" UUID NOT NULL,
    "kind" "definition_kind" NOT NULL,
    "name" TEXT NOT NULL,
    "state" "definition_state" NOT NULL DEFAULT 'pending',
    "json" BYTEA NOT NULL,
    "hash" TEXT NOT NULL,
    "approved_json" BYTEA,
    "approved_hash" TEXT,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "decided_at" TIMESTAMPTZ(3),
    "decided_by" TEXT,

    CONSTRAINT "definition_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "owner" TEXT,
    "tool_name_style" "tool_name_style" NOT NULL DEFAULT 'double-underscore',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "agent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent_key" (
    "id" TEXT NOT NULL,
    "agent_id" UUID NOT NULL,
    "name" TEXT,
    "hash" TEXT NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent_group" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_group_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent_group_member" (
    "group_id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,

    CONSTRAINT "agent_group_member_pkey" PRIMARY KEY ("group_id","agent_id")
);

-- CreateTable
CREATE TABLE "access_grant" (
    "id" UUID NOT NULL,
    "agent_id" UUID,
    "group_id" UUID,
    "server_id" UUID NOT NULL,
    "kind" "target_kind" NOT NULL DEFAULT 'tools',
    "names" TEXT[],
    "effect" "grant_effect" NOT NULL DEFAULT 'allow',
    "not_before" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "reason" TEXT,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "access_grant_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" "operator_role" NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "operator_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator_token" (
    "id" TEXT NOT NULL,
    "operator_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "operator_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_state" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "settings" JSONB NOT NULL,

    CONSTRAINT "policy_state_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revision" (
    "revision" INTEGER NOT NULL,
    "author" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "reason" TEXT,
    "change" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "published_at" TIMESTAMPTZ(3),

    CONSTRAINT "revision_pkey" PRIMARY KEY ("revision")
);

-- CreateTable
CREATE TABLE "dirty_bucket" (
    "id" BIGSERIAL NOT NULL,
    "revision" INTEGER NOT NULL,
    "kind" "chunk_kind",
    "bucket" INTEGER NOT NULL,

    CONSTRAINT "dirty_bucket_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "snapshot_bucket" (
    "kind" "chunk_kind" NOT NULL,
    "bucket" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,

    CONSTRAINT "snapshot_bucket_pkey" PRIMARY KEY ("kind","bucket")
);

-- CreateTable
CREATE TABLE "snapshot_chunk" (
    "digest" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "last_referenced" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "snapshot_chunk_pkey" PRIMARY KEY ("digest")
);

-- CreateTable
CREATE TABLE "published_snapshot" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" INTEGER NOT NULL,
    "revision" INTEGER NOT NULL,
    "root_digest" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "published_snapshot_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "key_ring" (
    "key_id" TEXT NOT NULL,
    "purpose" "key_purpose" NOT NULL,
    "secret" TEXT NOT NULL,
    "public_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "key_ring_pkey" PRIMARY KEY ("key_id")
);

-- CreateTable
CREATE TABLE "node" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "sealing_public_key" TEXT NOT NULL,
    "url" TEXT,
    "version" TEXT,
    "boot" UUID,
    "epoch" INTEGER,
    "applied_revision" INTEGER,
    "policy_age_ms" INTEGER,
    "refused" JSONB,
    "enrolled_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3),

    CONSTRAINT "node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "join_token" (
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "pepper_id" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "join_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "day" DATE NOT NULL,
    "node" TEXT NOT NULL,
    "boot" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "call_id" UUID NOT NULL,
    "phase" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "method" TEXT NOT NULL,
    "agent_id" UUID,
    "agent" TEXT,
    "key_id" TEXT,
    "operator" TEXT,
    "server_id" UUID,
    "server" TEXT,
    "tool" TEXT,
    "definition_hash" TEXT,
    "decision" TEXT NOT NULL,
    "reason" TEXT,
    "grant_id" UUID,
    "epoch" INTEGER,
    "revision" INTEGER,
    "status" TEXT NOT NULL,
    "duration_us" BIGINT,
    "upstream_us" BIGINT,
    "era" TEXT,
    "trace_id" TEXT,
    "arguments_hash" TEXT,
    "arguments_bytes" INTEGER,
    "arguments" BYTEA,
    "result_hash" TEXT,
    "result_bytes" BIGINT,
    "result_summary" BYTEA,
    "truncated" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("day","node","boot","seq")
) PARTITION BY RANGE ("day");

-- CreateTable
CREATE TABLE "audit_operator_counter" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "boot" UUID NOT NULL,
    "seq" BIGINT NOT NULL,

    CONSTRAINT "audit_operator_counter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_range" (
    "node" TEXT NOT NULL,
    "boot" UUID NOT NULL,
    "first_seq" BIGINT NOT NULL,
    "last_seq" BIGINT NOT NULL,

    CONSTRAINT "audit_range_pkey" PRIMARY KEY ("node","boot","first_seq")
);

-- CreateTable
CREATE TABLE "audit_watermark" (
    "node" TEXT NOT NULL,
    "boot" UUID NOT NULL,
    "contiguous_seq" BIGINT NOT NULL,

    CONSTRAINT "audit_watermark_pkey" PRIMARY KEY ("node","boot")
);

-- CreateTable
CREATE TABLE "audit_quarantine" (
    "id" BIGSERIAL NOT NULL,
    "node" TEXT NOT NULL,
    "boot" TEXT NOT NULL,
    "seq" BIGINT,
    "reason" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_quarantine_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "server_slug_key" ON "server"("slug");

-- CreateIndex
CREATE INDEX "server_next_discovery_at_idx" ON "server"("next_discovery_at");

-- CreateIndex
CREATE INDEX "definition_server_id_state_idx" ON "definition"("server_id", "state");

-- CreateIndex
CREATE UNIQUE INDEX "definition_server_id_kind_name_key" ON "definition"("server_id", "kind", "name");

-- CreateIndex
CREATE UNIQUE INDEX "agent_slug_key" ON "agent"("slug");

-- CreateIndex
CREATE INDEX "agent_key_agent_id_idx" ON "agent_key"("agent_id");

-- CreateIndex
CREATE UNIQUE INDEX "agent_group_slug_key" ON "agent_group"("slug");

-- CreateIndex
CREATE INDEX "agent_group_member_agent_id_idx" ON "agent_group_member"("agent_id");

-- CreateIndex
CREATE INDEX "access_grant_agent_id_idx" ON "access_grant"("agent_id");

-- CreateIndex
CREATE INDEX "access_grant_group_id_idx" ON "access_grant"("group_id");

-- CreateIndex
CREATE INDEX "access_grant_server_id_idx" ON "access_grant"("server_id");

-- CreateIndex
CREATE UNIQUE INDEX "operator_name_key" ON "operator"("name");

-- CreateIndex
CREATE INDEX "operator_token_operator_id_idx" ON "operator_token"("operator_id");

-- CreateIndex
CREATE INDEX "dirty_bucket_revision_idx" ON "dirty_bucket"("revision");

-- CreateIndex
CREATE INDEX "snapshot_chunk_last_referenced_idx" ON "snapshot_chunk"("last_referenced");

-- CreateIndex
CREATE INDEX "key_ring_purpose_created_at_idx" ON "key_ring"("purpose", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "node_name_key" ON "node"("name");

-- CreateIndex
CREATE UNIQUE INDEX "node_key_id_key" ON "node"("key_id");

-- CreateIndex
CREATE INDEX "audit_event_call_id_idx" ON "audit_event"("call_id");

-- CreateIndex
CREATE INDEX "audit_event_at_id_idx" ON "audit_event"("at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_event_agent_at_idx" ON "audit_event"("agent", "at" DESC);

-- CreateIndex
CREATE INDEX "audit_event_server_tool_at_idx" ON "audit_event"("server", "tool", "at" DESC);

-- AddForeignKey
ALTER TABLE "definition" ADD CONSTRAINT "definition_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_key" ADD CONSTRAINT "agent_key_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_group_member" ADD CONSTRAINT "agent_group_member_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "agent_group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_group_member" ADD CONSTRAINT "agent_group_member_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "agent_group"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_server_id_fkey" FOREIGN KEY ("server_id") REFERENCES "server"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operator_token" ADD CONSTRAINT "operator_token_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operator"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Written by hand from here on: what the schema language cannot say.

-- A grant has exactly one subject.
ALTER TABLE "access_grant" ADD CONSTRAINT "access_grant_one_subject" CHECK (num_nonnulls("agent_id", "group_id") = 1);

-- Single-row tables.
ALTER TABLE "policy_state" ADD CONSTRAINT "policy_state_single_row" CHECK ("id" = 1);
ALTER TABLE "published_snapshot" ADD CONSTRAINT "published_snapshot_single_row" CHECK ("id" = 1);

INSERT INTO "policy_state" ("id", "epoch", "revision", "settings")
VALUES (1, 1, 0, '{"staleAfterSeconds": 3600, "auditRelease": "queue", "auditLists": true, "auditArgumentBytesMax": 65536}');

-- Sequence numbers of audit events that the control plane writes itself, in the transaction of the change. A sequence would leave holes.
ALTER TABLE "audit_operator_counter" ADD CONSTRAINT "audit_operator_counter_single_row" CHECK ("id" = 1);
INSERT INTO "audit_operator_counter" ("id", "boot", "seq") VALUES (1, gen_random_uuid(), 0);

-- Partitions have a schema of their own, so that they are not taken for drift of this one.
CREATE SCHEMA IF NOT EXISTS "audit_days";

-- Makes the partition of a day if it is missing. Safe to call from many sessions at once.
CREATE FUNCTION "audit_ensure_day"(d date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  partition text := 'day_' || to_char(d, 'YYYYMMDD');
BEGIN
  IF to_regclass('audit_days.' || partition) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('audit_ensure_day'));
  EXECUTE format('CREATE TABLE IF NOT EXISTS audit_days.%I PARTITION OF public.audit_event FOR VALUES FROM (%L) TO (%L)', partition, d, d + 1);
END
$$;
