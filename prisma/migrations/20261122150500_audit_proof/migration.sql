-- Proof of the trail: each row carries the hash of the frame that its node wrote; rows are sealed in the order of the transactions that stored them.
UPDATE "audit_event" SET "stored_tx" = "day" - DATE '2200-01-01' WHERE "stored_tx" IS NULL;
ALTER TABLE "audit_event" ALTER COLUMN "stored_tx" SET NOT NULL;
ALTER TABLE "audit_event" ADD COLUMN "hash" BYTEA, ADD COLUMN "frame" BYTEA, ADD COLUMN "chain" BYTEA;
ALTER TABLE "audit_operator_counter" ADD COLUMN "chain" BYTEA;

-- CreateTable
CREATE TABLE "audit_key" (
    "key_id" TEXT NOT NULL,
    "node" TEXT NOT NULL,
    "public_key" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "certified_by" TEXT NOT NULL,
    "certificate" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_key_pkey" PRIMARY KEY ("key_id")
);

-- CreateTable
CREATE TABLE "audit_link" (
    "node" TEXT NOT NULL,
    "boot" UUID NOT NULL,
    "first_seq" BIGINT NOT NULL,
    "last_seq" BIGINT NOT NULL,
    "prev" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "signature" TEXT NOT NULL,
    "stored_tx" BIGINT NOT NULL DEFAULT ((pg_current_xact_id())::text)::bigint,

    CONSTRAINT "audit_link_pkey" PRIMARY KEY ("node","boot","last_seq")
);

-- CreateTable
CREATE TABLE "audit_block" (
    "n" BIGINT NOT NULL,
    "content" TEXT NOT NULL,
    "segments" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "signature" TEXT NOT NULL,
    "tx_through" BIGINT NOT NULL,
    "events" INTEGER NOT NULL,
    "sealed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_block_pkey" PRIMARY KEY ("n")
);

-- CreateTable
CREATE TABLE "audit_anchor" (
    "target" TEXT NOT NULL,
    "block" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3),
    "error" TEXT,

    CONSTRAINT "audit_anchor_pkey" PRIMARY KEY ("target")
);

-- CreateTable
CREATE TABLE "audit_hold" (
    "id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "agent" TEXT,
    "server" TEXT,
    "call_id" UUID,
    "from" TIMESTAMPTZ(3),
    "to" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "released_by" TEXT,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_hold_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_retention" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "days" INTEGER,

    CONSTRAINT "audit_retention_pkey" PRIMARY KEY ("id")
);
ALTER TABLE "audit_retention" ADD CONSTRAINT "audit_retention_single_row" CHECK ("id" = 1);
INSERT INTO "audit_retention" ("id", "days") VALUES (1, NULL);

-- CreateIndex
CREATE INDEX "audit_key_node_idx" ON "audit_key"("node");

-- CreateIndex
CREATE INDEX "audit_link_stored_tx_idx" ON "audit_link"("stored_tx");

-- CreateIndex
CREATE INDEX "audit_block_sealed_at_idx" ON "audit_block"("sealed_at");

-- What is on record is only ever added to. Whoever owns the tables can undo this; the chains and blocks show what they did then.
CREATE FUNCTION "audit_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'permission denied: % is only ever added to', TG_TABLE_NAME USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE ON "audit_event" FOR EACH ROW EXECUTE FUNCTION "audit_append_only"();
CREATE TRIGGER "audit_append_only_whole" BEFORE TRUNCATE ON "audit_event" FOR EACH STATEMENT EXECUTE FUNCTION "audit_append_only"();
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE ON "audit_link" FOR EACH ROW EXECUTE FUNCTION "audit_append_only"();
CREATE TRIGGER "audit_append_only_whole" BEFORE TRUNCATE ON "audit_link" FOR EACH STATEMENT EXECUTE FUNCTION "audit_append_only"();
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE ON "audit_block" FOR EACH ROW EXECUTE FUNCTION "audit_append_only"();
CREATE TRIGGER "audit_append_only_whole" BEFORE TRUNCATE ON "audit_block" FOR EACH STATEMENT EXECUTE FUNCTION "audit_append_only"();

-- A partition takes the triggers for rows from its parent, not the one for TRUNCATE.
CREATE OR REPLACE FUNCTION "audit_ensure_day"(d date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  partition text := 'day_' || to_char(d, 'YYYYMMDD');
BEGIN
  IF to_regclass('audit_days.' || partition) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('audit_ensure_day'));
  IF to_regclass('audit_days.' || partition) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE audit_days.%I PARTITION OF public.audit_event FOR VALUES FROM (%L) TO (%L)', partition, d, d + 1);
  EXECUTE format('CREATE TRIGGER audit_append_only_whole BEFORE TRUNCATE ON audit_days.%I FOR EACH STATEMENT EXECUTE FUNCTION public.audit_append_only()', partition);
END
$$;
DO $$
DECLARE
  partition regclass;
BEGIN
  FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'public.audit_event'::regclass LOOP
    EXECUTE format('CREATE TRIGGER audit_append_only_whole BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION public.audit_append_only()', partition);
  END LOOP;
END
$$;
